import type { ComponentChildren } from 'preact'
import { texts } from '../text/text.js'
import { Link } from './link.js'

interface EmptyProps {
  readonly title: string
  readonly hint?: string
  /** It is the whole page, with a way back to the list. */
  readonly isBack?: boolean
  readonly children?: ComponentChildren
}

/** What stands where there is nothing to show, and why. */
export function Empty({ title, hint, isBack = false, children }: EmptyProps) {
  return (
    <div class="empty">
      {isBack ? <h1>{title}</h1> : <h2>{title}</h2>}
      {hint && <p>{hint}</p>}
      {children}
      {isBack && (
        <Link to="/" class="button">
          {texts.value.rooms}
        </Link>
      )}
    </div>
  )
}
