import type { ComponentChildren } from 'preact'
import { goBack } from '../state/router.js'
import { useTitle } from '../state/title.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { Name } from '../ui/name.js'

interface PageFrameProps {
  readonly title: string
  /** Where back leads, if the person came from outside. */
  readonly above: string
  /** Below the title. */
  readonly about?: ComponentChildren
  /** Beside it. */
  readonly tools?: ComponentChildren
  readonly isBackShown?: boolean
  readonly children: ComponentChildren
}

/** A page in the place of a room. */
export function PageFrame({ title, above, about, tools, isBackShown = false, children }: PageFrameProps) {
  useTitle(title)
  return (
    <>
      <header class="pane-header room-header">
        <button
          type="button"
          class={isBackShown ? 'button quiet square' : 'button quiet square only-narrow'}
          onClick={() => goBack(above)}
          aria-label={texts.value.back}
        >
          <Icon name="back" mirrored />
        </button>
        <div class="room-header-texts">
          <h1>
            <Name text={title} isLine />
          </h1>
          {about && <p>{about}</p>}
        </div>
        {tools}
      </header>
      <div class="device-page" tabIndex={-1}>
        <div class="device-parts">{children}</div>
      </div>
    </>
  )
}
