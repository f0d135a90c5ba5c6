import type { FoldedMessage } from '../../../schemas/commands/shown-message.js'
import type { Outgoing } from '../../index.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { lazy } from '../ui/lazy.js'
import { Mark } from './mark.js'
import { ReadMark } from './read-mark.js'

const Refusal = lazy(() => import('../refused/refusal.js'), true)

interface SendStateProps {
  readonly message: FoldedMessage
  /** Absent: it is in the room. */
  readonly outgoing: Outgoing | undefined
}

/** What has become of an own message. */
export function SendState({ message, outgoing }: SendStateProps) {
  return outgoing ? <OnItsWay outgoing={outgoing} /> : <ReadMark room={message.room} seq={message.seq} />
}

function OnItsWay({ outgoing }: { outgoing: Outgoing }) {
  const t = texts.value
  const state = signalOf(outgoing.state).value
  if (state.at === 'sent') return <Mark kind="sent" text={t.sent} />
  // Its row is about to go.
  if (state.at === 'canceled') return null
  if (state.at !== 'failed') return <Mark kind="clock" text={state.at === 'queued' ? t.queued : t.sending} />
  return (
    <span class="send-failed">
      <Icon name="failed" />
      <span>{t.failed}</span>
      <Refusal outgoing={outgoing} />
      <button type="button" class="button small" onClick={() => outgoing.retry()}>
        {t.retry}
      </button>
      <button type="button" class="button small" onClick={() => void outgoing.cancel().catch(() => {})}>
        {t.delete}
      </button>
    </span>
  )
}
