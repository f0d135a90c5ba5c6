import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { texts } from '../text/text.js'
import { Icon } from './icon.js'
import { useModal } from './modal.js'

interface DialogProps {
  readonly title: string
  readonly close: () => void
  /** What it shows cannot be asked for again: it is closed by its button alone. */
  readonly isShownOnce?: boolean
  readonly children: ComponentChildren
}

/** A dialog over the page. The browser keeps the focus in it, closes it with Escape, and gives the focus back. */
export function Dialog({ title, close, isShownOnce = false, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useModal(dialog)
  useLayoutEffect(() => dialog.current?.querySelector<HTMLElement>('input, textarea')?.focus(), [])
  const closeOutside = (event: MouseEvent): void => {
    if (event.target === dialog.current && !isShownOnce) close()
  }
  const keepOpen = (event: Event): void => {
    if (isShownOnce) event.preventDefault()
  }
  // Escape pressed twice closes it whatever is said.
  const closed = (): void => (isShownOnce ? dialog.current?.showModal() : close())
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby={heading}
      onCancel={keepOpen}
      onClose={closed}
      onMouseDown={closeOutside}
    >
      <div class="dialog-body">
        <header class="dialog-header">
          <h2 id={heading}>{title}</h2>
          <button type="button" class="button quiet square" onClick={close} aria-label={texts.value.close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}
