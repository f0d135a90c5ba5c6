import { useComputed, useSignal, useSignalEffect } from '@preact/signals'
import { usePresent } from '../state/context.js'
import { isDeviceOffline } from '../state/device.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { announce } from '../ui/announcer.js'
import { Icon } from '../ui/icon.js'

/** Ms without a connection until it is worth a word: a short cut is nobody's business. */
const PATIENCE = 2000

/** Says that there is no connection, and how much waits for one. It lies over the page, so that nothing moves. */
export function StatusBanner() {
  const { chat } = usePresent()
  const status = signalOf(chat.status)
  const isDown = useComputed(
    () => isDeviceOffline.value || !['online', 'syncing', 'closed'].includes(status.value.state),
  )
  const isShown = useSignal(false)
  useSignalEffect(() => {
    if (!isDown.value) {
      isShown.value = false
      return
    }
    const timer = setTimeout(() => {
      isShown.value = true
      const { offline, offlineHint } = texts.value
      announce(`${offline} ${offlineHint}`)
    }, PATIENCE)
    return () => clearTimeout(timer)
  })
  if (!isShown.value) return null
  const t = texts.value
  const waiting = signalOf(chat.outbox).value.filter(({ state }) => state.current.at !== 'failed').length
  return (
    <div class="banner">
      <Icon name="offline" />
      <p>
        <span>{t.offline}</span> <span class="only-wide">{t.offlineHint}</span>{' '}
        {waiting > 0 && <strong>{t.waitingToSend(waiting)}</strong>}
      </p>
      <button type="button" class="button small" onClick={() => chat.retryNow()}>
        {t.retryNow}
      </button>
    </div>
  )
}
