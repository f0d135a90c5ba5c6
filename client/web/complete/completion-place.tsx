import type { Room } from '../../index.js'
import type { Area } from '../ui/area.js'
import { lazy } from '../ui/lazy.js'
import type { Completion } from './use-completion.js'

/** Loaded when the first thing is written that can be completed. */
const Suggestions = lazy(() => import('./suggestions.js'))

interface CompletionPlaceProps {
  readonly completion: Completion
  readonly room: Room
  readonly area: Area
  readonly write: (text: string) => void
}

/** Where is shown what may be meant: over the messages, so that nothing moves. */
export function CompletionPlace({ completion, ...more }: CompletionPlaceProps) {
  const token = completion.token.value
  return (
    token && (
      <div class="suggestions-place">
        <Suggestions token={token} completion={completion} {...more} />
      </div>
    )
  )
}
