/** Where a person asks for a menu of something: with the right button, the menu key, or a long press. */
import { onLongPress } from './long-press.js'

interface Handlers {
  onContextMenu(event: MouseEvent): void
  onPointerDown(event: PointerEvent): void
}

/** @param open Is given the place where it was asked for */
export function askedMenu(open: (place: DOMRect) => void): Handlers {
  return {
    onContextMenu(event) {
      event.preventDefault()
      if ((event as PointerEvent).pointerType === 'touch') return
      const place = placeOf(event)
      // A menu that is open before the button is up is closed by that.
      if (event.buttons === 0) open(place)
      else addEventListener('pointerup', () => setTimeout(open, 0, place), { once: true })
    },
    onPointerDown(event) {
      if (event.pointerType !== 'touch') return
      onLongPress(event, () => openWhenLifted(() => open(placeOf(event))))
    },
  }
}

/** The menu opens when the finger is lifted, and what is under it is not followed. */
function openWhenLifted(open: () => void): void {
  const touch = new AbortController()
  const { signal } = touch
  addEventListener('pointerup', () => setTimeout(open), { once: true, signal })
  const hold = (event: Event): void => {
    event.preventDefault()
    event.stopPropagation()
  }
  // The click of this touch, if there is one: not the next.
  addEventListener('click', hold, { capture: true, signal })
  addEventListener('pointerdown', () => touch.abort(), { capture: true, signal })
}

function placeOf({ clientX, clientY }: MouseEvent): DOMRect {
  return new DOMRect(clientX, clientY)
}
