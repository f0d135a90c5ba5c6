import type { ComponentChildren, JSX } from 'preact'
import { navigate } from '../state/router.js'

interface LinkProps extends Pick<JSX.IntrinsicElements['a'], 'class' | 'tabIndex' | 'aria-current'> {
  readonly to: string
  /** Called before it is followed. */
  readonly follow?: () => void
  /** How it is followed, if not by its address alone. */
  readonly open?: () => void
  /** Of a list in which the arrow keys move. */
  readonly isEntry?: boolean
  readonly children: ComponentChildren
}

/** A link within the app: the page stays. With a key, or another button of the mouse, it is the browser's. */
export function Link({ to, follow, open = () => navigate(to), isEntry = false, children, ...rest }: LinkProps) {
  const go = (event: MouseEvent): void => {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    follow?.()
    open()
  }
  return (
    <a {...rest} {...(isEntry ? { 'data-entry': true } : {})} href={to} onClick={go}>
      {children}
    </a>
  )
}
