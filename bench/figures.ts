/** Figures as people read them. */
import type { Column, Row, Suite } from './suite.js'

export function figure(value: number | undefined, { unit }: Pick<Column, 'unit'>): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  switch (unit) {
    case 'count':
      return value >= 10_000 ? `${Math.round(value / 1000)}k` : value >= 1000 ? `${short(value / 1000)}k` : short(value)
    case 'seconds':
      return `${short(value)} s`
    case 'milliseconds':
      return `${short(value)} ms`
    case 'microseconds':
      return `${short(value)} µs`
    case 'bytes':
      return Math.abs(value) >= 1e6 ? `${short(value / 1e6)} MB` : `${short(value / 1e3)} kB`
    case 'share':
      return `${Math.round(100 * value)} %`
  }
}

function short(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)))
}

/** How many times better `ours` is than `theirs`; null where that cannot be said. */
export function ratio({ main }: Suite, ours: Row, theirs: Row): number | null {
  const [a, b] = [ours.values[main.key], theirs.values[main.key]]
  if (a === undefined || b === undefined || a <= 0 || b <= 0) return null
  return main.better === 'more' ? a / b : b / a
}
