import { useReducer, useRef } from 'preact/hooks'
import { onLongPress } from '../ui/long-press.js'
import { isTouch } from '../ui/touch.js'

interface Attended {
  readonly isOver: boolean
  readonly isFocused: boolean
  readonly isMenuOpen: boolean
  /** A menu of the tools is open: they stay. */
  readonly isHeld: boolean
}

const NONE: Attended = { isOver: false, isFocused: false, isMenuOpen: false, isHeld: false }

/**
 * Whether the pointer or the focus is on a message, and whether its menu is open: by a long press of a finger, Enter, or the key for menus. Until
 * somebody comes to a message it listens to nothing but that: there are many, and each listener takes its time when a room is shown.
 */
export function useAttention() {
  const [attended, change] = useReducer(
    (now: Attended | null, made: Partial<Attended>) => ({ ...NONE, ...now, ...made }),
    null,
  )
  const endPress = useRef(() => {})
  const setMenuOpen = (isMenuOpen: boolean): void => change({ isMenuOpen })
  const first = {
    onPointerEnter: ({ pointerType }: PointerEvent) => change({ isOver: pointerType !== 'touch' }),
    onFocusIn: ({ currentTarget, target }: FocusEvent) => change({ isFocused: !isTouch() || target !== currentTarget }),
    onPointerDown: (event: PointerEvent) => {
      endPress.current()
      if (event.pointerType === 'touch' && !isControl(event))
        endPress.current = onLongPress(event, () => setMenuOpen(true))
    },
  }
  const { isOver, isFocused, isMenuOpen, isHeld } = attended ?? NONE
  return {
    hasTools: (isOver || isFocused || isHeld) && !isTouch(),
    isMenuOpen,
    setMenuOpen,
    hold: (isHeld: boolean): void => change({ isHeld }),
    handlers: attended ? { ...first, ...laterHandlers(change) } : first,
  }
}

/** What may happen to a message that somebody has come to. */
function laterHandlers(change: (made: Partial<Attended>) => void) {
  return {
    onPointerLeave: () => change({ isOver: false }),
    onFocusOut: ({ currentTarget, relatedTarget }: FocusEvent) =>
      change({ isFocused: (currentTarget as HTMLElement).contains(relatedTarget as Node | null) }),
    // The browser's own menu, which a long press opens too, would lie over this one.
    onContextMenu: (event: MouseEvent) => {
      if (isTouch() && !isControl(event)) event.preventDefault()
    },
    onKeyDown: (event: KeyboardEvent) => {
      if (event.target !== event.currentTarget || !opensMenu(event)) return
      event.preventDefault()
      change({ isMenuOpen: true })
    },
  }
}

function opensMenu({ key, shiftKey }: KeyboardEvent): boolean {
  return key === 'Enter' || key === 'ContextMenu' || (key === 'F10' && shiftKey)
}

/** What has a use of its own for a finger that rests. */
function isControl({ target }: Event): boolean {
  return target instanceof Element && target.closest('a, button, input, textarea, audio, video') !== null
}
