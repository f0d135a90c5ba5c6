/** The place that a picture or video has before it is loaded, so that nothing moves when it is. */

/** Pixels of the page. */
const WIDEST = 320
const HIGHEST = 320
const SMALLEST = 96
/** Of what says no shape. */
const USUAL = { width: 4, height: 3 }

interface Sized {
  readonly width?: number | undefined
  readonly height?: number | undefined
}

export function shapeOf({ width, height }: Sized): { width: string; aspectRatio: string } {
  const isKnown = width !== undefined && height !== undefined
  const shape = isKnown ? { width, height } : { width: USUAL.width * WIDEST, height: USUAL.height * WIDEST }
  const scale = Math.min(1, WIDEST / shape.width, HIGHEST / shape.height)
  const shown = [shape.width, shape.height].map((side) => Math.max(SMALLEST, Math.round(side * scale)))
  return { width: `${shown[0]}px`, aspectRatio: `${shown[0]} / ${shown[1]}` }
}
