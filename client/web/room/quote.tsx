import { previewOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { hueOf } from '../ui/avatar.js'
import { Name } from '../ui/name.js'
import type { Quoted } from './quoted.js'
import { useQuoted } from './use-quoted.js'
import { useView } from './view.js'

/** The message that is answered, on one line: as it is now, if the timeline shows it. */
export function Quote({ seq }: { seq: number }) {
  const view = useView()
  const message = useQuoted(seq).value
  return (
    <button type="button" class="quote" onClick={() => view.show(seq)}>
      <QuotedLine message={message} />
    </button>
  )
}

/** Who said it, and what. */
export function QuotedLine({ message }: { message: Quoted }) {
  const t = texts.value
  if (message === null) return <>&nbsp;</>
  if (message === 'missing') return <>{t.quoteMissing}</>
  if ('gone' in message) return <>{t.gone[message.gone]}</>
  return (
    <>
      <strong class={`hue-${hueOf(message.from)}`}>
        <Author user={message.from} />
      </strong>
      <span dir="auto">{previewOf(message)}</span>
    </>
  )
}

function Author({ user }: { user: string }) {
  const { chat, user: me } = usePresent()
  const profile = signalOf(chat.users.profile(user)).value
  return <Name text={user === me ? texts.value.you : profile?.name} fallback={user} />
}
