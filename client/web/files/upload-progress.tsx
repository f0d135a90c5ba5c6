import type { Outgoing } from '../../index.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { bytesText } from './bytes-text.js'

/** How far the files of a message have come. Its place is there as long as the message waits, so that nothing moves. */
export function UploadProgress({ outgoing }: { outgoing: Outgoing }) {
  const t = texts.value.files
  const state = signalOf(outgoing.state).value
  if (state.at !== 'queued' && state.at !== 'uploading') return null
  const { done, total } = state.at === 'uploading' ? state : { done: 0, total: sizeOf(outgoing) }
  const isThere = state.at === 'uploading' && done === total
  return (
    <div class="upload">
      <progress max={total} value={done} aria-label={t.uploading} />
      <span class="hint">{isThere ? t.checking : t.progress(bytesText(done), bytesText(total))}</span>
      <button
        type="button"
        class="button quiet square"
        aria-label={t.cancel}
        title={t.cancel}
        onClick={() => void outgoing.cancel().catch(() => {})}
      >
        <Icon name="close" />
      </button>
    </div>
  )
}

function sizeOf({ attachments }: Outgoing): number {
  return attachments.reduce((sum, one) => sum + (one?.size ?? 0), 0)
}
