import type { Outgoing } from '../../index.js'
import Refusal from '../refused/refusal.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { toolTexts } from './texts.js'

/** Edits, deletions, reactions and pins of a message that the broker did not take: why, and what can be done. */
export default function FailedChanges({ changes }: { changes: readonly Outgoing[] }) {
  return (
    <>
      {changes.map((one) => (
        <FailedChange key={one.cid} change={one} />
      ))}
    </>
  )
}

function FailedChange({ change }: { change: Outgoing }) {
  const t = toolTexts.value
  const state = signalOf(change.state).value
  if (state.at !== 'failed') return null
  const named: Readonly<Record<string, string>> = t.changeFailed
  return (
    <div class="send-failed" role="alert">
      <Icon name="failed" />
      <span>{named[change.input.type ?? ''] ?? texts.value.failed}</span>
      <Refusal outgoing={change} />
      {state.mayRetry && (
        <button type="button" class="button small" onClick={() => change.retry()}>
          {texts.value.retry}
        </button>
      )}
      <button type="button" class="button small" onClick={() => void change.cancel().catch(() => {})}>
        {t.dismiss}
      </button>
    </div>
  )
}
