/** What is said to those who do not see it: in a place of its own, so that what is loaded into a list is never read out. */
import { signalOfUser } from '../state/of-user.js'

const said = signalOfUser('')

/** In place of what was said before, when the reader has come to it. */
export function announce(text: string): void {
  // The same text again is another one to a screen reader.
  said.value = said.value === text ? `${text}\u00a0` : text
}

export function Announcer() {
  return (
    <div class="hidden-text" role="status" aria-live="polite">
      {said}
    </div>
  )
}
