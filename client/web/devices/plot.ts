/** A line through measured values, as a path of SVG. */
import type { Point } from './feed.js'

export const WIDTH = 300
export const HEIGHT = 72
/** Above and below the line, so that it is whole. */
const MARGIN = 4
/** Times the usual distance of two values: beyond that something is missing between them. */
const GAP = 3.5

export interface Plot {
  readonly path: string
  readonly least: number
  readonly most: number
  readonly from: number
  readonly to: number
}

/** @param points One at least, in the order of time */
export function plotOf(points: readonly Point[]): Plot {
  const values = points.map(({ value }) => value)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const [from, to] = [points[0]!.ts, points.at(-1)!.ts]
  const longest = GAP * usualDistance(points)
  const x = (ts: number): number => (to === from ? WIDTH / 2 : ((ts - from) / (to - from)) * WIDTH)
  const y = (value: number): number =>
    most === least ? HEIGHT / 2 : HEIGHT - MARGIN - ((value - least) / (most - least)) * (HEIGHT - 2 * MARGIN)
  let path = ''
  let before: Point | null = null
  for (const point of points) {
    const isNext = before !== null && point.ts - before.ts <= longest
    // A value by itself is a dot: a line of no length with round ends.
    path += `${isNext ? 'L' : 'M'}${x(point.ts).toFixed(1)} ${y(point.value).toFixed(1)}${isNext ? '' : 'h0'}`
    before = point
  }
  return { path, least, most, from, to }
}

/** The median; of less than three values nothing is missing. */
function usualDistance(points: readonly Point[]): number {
  if (points.length < 3) return Number.POSITIVE_INFINITY
  const distances = points.slice(1).map(({ ts }, at) => ts - points[at]!.ts)
  return distances.sort((a, b) => a - b)[distances.length >> 1]!
}
