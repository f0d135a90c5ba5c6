import { useEffect } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { openOverlay } from '../state/overlay.js'
import { openSearch } from '../state/panel.js'

/** What can be typed into. */
const FIELDS = 'input, textarea, select, [contenteditable]'
/** Of those, which have uses of their own for Escape and the arrow keys with Alt. */
const CHOICES = 'input, select'

/** Keys that work wherever the focus is. @param room That is shown; null: none is */
export function Shortcuts({ room }: { room: string | null }): null {
  const { chat } = usePresent()
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]')) return
      const act = event.key === 'Escape' && room !== null ? () => chat.room(room).read() : actOf(event)
      if (!act || (isIn(event, CHOICES) && (event.key === 'Escape' || event.altKey))) return
      event.preventDefault()
      act()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [chat, room])
  return null
}

/** Null: the key is not one of ours. */
function actOf(event: KeyboardEvent): (() => void) | null {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event
  const isCommand = ctrlKey || metaKey
  const letter = letterOf(event)
  if (isCommand && !altKey && !shiftKey && letter === 'k') return () => openOverlay('switcher')
  if (isCommand && !altKey && shiftKey && letter === 'f') return openSearch
  if (altKey && !isCommand && key === 'ArrowDown') return () => moveInList(1, shiftKey)
  if (altKey && !isCommand && key === 'ArrowUp') return () => moveInList(-1, shiftKey)
  return key === '?' && !isCommand && !isIn(event, FIELDS) ? () => openOverlay('shortcuts') : null
}

/** By what the key says; on keyboards without Latin letters by its place. */
function letterOf({ key, code }: KeyboardEvent): string {
  return (/^[a-z]$/i.test(key) ? key : code.replace(/^Key/, '')).toLowerCase()
}

function isIn({ target }: KeyboardEvent, places: string): boolean {
  return target instanceof Element && target.closest(places) !== null
}

/** To the next room of the list as it is shown, whatever its order and filter. */
function moveInList(step: 1 | -1, isUnread: boolean): void {
  const links = [...document.querySelectorAll<HTMLElement>('.room-list [data-entry]')]
  const at = links.findIndex((link) => link.hasAttribute('aria-current'))
  const ahead = step > 0 ? links.slice(at + 1) : links.slice(0, Math.max(at, 0)).reverse()
  const behind = step > 0 ? links.slice(0, Math.max(at, 0)) : links.slice(at + 1).reverse()
  ;[...ahead, ...behind].find((link) => !isUnread || link.classList.contains('unread'))?.click()
}
