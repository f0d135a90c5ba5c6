import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import type { Fetching } from './fetching.js'

/** That what comes before these messages, or after them, could not be fetched. A gap between them says so itself. */
export function FetchFailure({ fetching, at }: { fetching: Fetching; at: 'older' | 'newer' }) {
  const failure = fetching.failure.value
  if (failure?.at !== at) return null
  return (
    <p class="gap" role="alert">
      <span>{problemText(failure.error)}</span>
      <button type="button" class="button small" onClick={() => fetching.retry()}>
        {texts.value.retry}
      </button>
    </p>
  )
}
