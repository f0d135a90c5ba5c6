import { isTouch } from './touch.js'

/** Pixels between a popup and what it belongs to, and the edges of the window. */
const SPACE = 4

/** Puts a popup, which is shown and fixed, below an element, or above it where there is more space; its end at the end of the element. On touch screens it comes from below, by its style. */
export function placeBeside(popup: HTMLElement, { top, bottom, left, right }: DOMRect): void {
  if (isTouch()) return
  const { offsetWidth: width, offsetHeight: height } = popup
  const isBelow = innerHeight - bottom >= height + SPACE || innerHeight - bottom >= top
  const start = document.documentElement.dir === 'rtl' ? left : right - width
  popup.style.left = `${within(start, innerWidth - width)}px`
  popup.style.top = `${within(isBelow ? bottom + SPACE : top - height - SPACE, innerHeight - height)}px`
}

function within(at: number, most: number): number {
  return Math.max(SPACE, Math.min(at, most - SPACE))
}
