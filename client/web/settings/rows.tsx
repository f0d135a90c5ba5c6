import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { useKeptFocus } from '../ui/kept-focus.js'

interface RowsProps {
  readonly label: string
  readonly children: ComponentChildren
}

/** A list from which rows are removed by a button in them. */
export function Rows({ label, children }: RowsProps) {
  const list = useRef<HTMLUListElement>(null)
  useKeptFocus(list)
  return (
    <ul ref={list} tabIndex={-1} aria-label={label}>
      {children}
    </ul>
  )
}
