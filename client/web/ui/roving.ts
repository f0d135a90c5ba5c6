/** A list is one stop of the Tab key; the arrow keys move in it. */

/** Of what can be focused in the list. */
const ENTRY = '[data-entry]'

/** Moves the focus with the arrow keys, Home and End. */
export function rove(event: KeyboardEvent): void {
  const list = event.currentTarget as HTMLElement
  const entries = [...list.querySelectorAll<HTMLElement>(ENTRY)]
  const at = entries.indexOf((event.target as HTMLElement).closest<HTMLElement>(ENTRY)!)
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key]
  if (next === undefined || at < 0) return
  event.preventDefault()
  entries[Math.max(0, Math.min(next, entries.length - 1))]?.focus()
}
