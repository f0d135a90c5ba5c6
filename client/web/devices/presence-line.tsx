import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { fullTimeOf, shortTimeOf } from '../ui/times.js'
import { deviceTexts } from './texts.js'

/** Whether it is connected, else when it was. */
export function PresenceLine({ device }: { device: string }) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const presence = signalOf(chat.users.presence(device)).value
  if (!presence) return <>&nbsp;</>
  const { state, lastSeen } = presence
  if (state !== 'offline') return <span class="is-online">{texts.value.presence.online}</span>
  if (lastSeen === null) return <>{t.neverSeen}</>
  return (
    <time dateTime={new Date(lastSeen).toISOString()} title={fullTimeOf(lastSeen)}>
      {t.lastSeen(shortTimeOf(lastSeen))}
    </time>
  )
}
