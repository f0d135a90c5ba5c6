/** Whether fingers are all there is to point with: then Enter begins a line, and the keyboard covers the half of the screen. */
export function isTouch(): boolean {
  return matchMedia('(hover: none) and (pointer: coarse)').matches
}
