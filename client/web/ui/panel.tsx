import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { closePanel, leavePanel } from '../state/panel.js'
import { step } from '../state/router.js'
import { texts } from '../text/text.js'
import { Icon } from './icon.js'

interface PanelProps {
  readonly title: string
  /** Beside the title. */
  readonly tools?: ComponentChildren
  readonly children: ComponentChildren
}

/**
 * The frame of what stands beside the room, or over it where there is no space. Escape goes back to what it was opened from, or closes it; the focus
 * goes back to where it was.
 */
export function Panel({ title, tools, children }: PanelProps) {
  const t = texts.value
  const heading = useId()
  const frame = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    const before = document.activeElement
    frame.current?.focus({ preventScroll: true })
    return () => {
      // Who has gone on to something else stays there.
      const isHere = document.activeElement === document.body || frame.current?.contains(document.activeElement)
      if (isHere && before instanceof HTMLElement) before.focus({ preventScroll: true })
    }
  }, [])
  const isOver = (step.value.over ?? 0) > 0
  const leaveByKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented) return
    event.preventDefault()
    leavePanel()
  }
  return (
    <aside class="panel" aria-labelledby={heading} tabIndex={-1} ref={frame} onKeyDown={leaveByKey}>
      <header class="pane-header">
        <button
          type="button"
          class={isOver ? 'button quiet square' : 'button quiet square only-over'}
          onClick={leavePanel}
          aria-label={t.back}
        >
          <Icon name="back" mirrored />
        </button>
        <h2 id={heading}>{title}</h2>
        {tools}
        <button type="button" class="button quiet square only-beside" onClick={closePanel} aria-label={t.close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="panel-body">{children}</div>
    </aside>
  )
}
