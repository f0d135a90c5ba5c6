import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'

/** That something could not be asked for, and a way to ask again. */
export function Failed({ error, again }: { error: ChatError; again: () => void }) {
  const place = useRef<HTMLDivElement>(null)
  // The keys of what it stands in, such as Escape, work on when it goes with the button that was pressed.
  useLayoutEffect(
    () => () => {
      const { current } = place
      if (current?.contains(document.activeElement)) current.closest<HTMLElement>('[tabindex="-1"]')?.focus()
    },
    [],
  )
  return (
    <div class="failed" role="alert" ref={place}>
      <p class="error">{problemText(error)}</p>
      <div>
        <button type="button" class="button" onClick={again}>
          {texts.value.retry}
        </button>
      </div>
    </div>
  )
}
