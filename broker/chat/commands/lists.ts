/** Lists that would make a reply too long: they end earlier, and what is left out is on the next page. */
import type { HttpPage } from '../../../schemas/commands.js'

/** Room of a reply that is not entries. */
const ENVELOPE = 1024

type Page = { more?: boolean; before?: unknown; after?: unknown } & Record<string, unknown>

/**
 * `result` as it is, or with fewer entries and `more`; one at least, whatever its size, or nobody would get past it. `forwards`: the asker went on
 * `after` an entry, also where the list is otherwise read backwards.
 */
export function cutList(result: string, { items, key, back }: HttpPage, forwards: boolean, maxBytes: number): string {
  if (!exceeds(result, maxBytes) || key === undefined) return result
  const page = JSON.parse(result) as Page
  const entries = page[items] as Record<string, unknown>[]
  const backwards = back === true && !forwards
  const kept = fitting(backwards ? entries.toReversed() : entries, maxBytes - ENVELOPE)
  if (kept.length === entries.length) return result
  if (backwards) kept.reverse()
  const edge = kept.at(backwards ? 0 : -1)![key]
  // Where a page says itself how to go on.
  const on = backwards ? 'before' : 'after'
  const goOn = Object.hasOwn(page, on) ? { [on]: edge } : {}
  return JSON.stringify({ ...page, [items]: kept, more: true, ...goOn })
}

/** As many of the first ones as fit, one at least. */
export function fitting<T>(entries: readonly T[], maxBytes: number): T[] {
  let bytes = 0
  const over = entries.findIndex((entry, i) => (bytes += sizeOf(entry)) > maxBytes && i > 0)
  return over === -1 ? [...entries] : entries.slice(0, over)
}

/** With the comma behind it. */
function sizeOf(entry: unknown): number {
  return Buffer.byteLength(JSON.stringify(entry)) + 1
}

function exceeds(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)
}
