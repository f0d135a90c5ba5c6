/** Cuts lists that would make a reply too long; the rest is on the next page. */

import type { HttpPage } from '../../../schemas/commands.js'
import { countFitting, listedBytes } from '../model/paging.js'

/** Bytes of the reply beside the entries. */
const ENVELOPE = 1024

type Page = { more?: boolean; before?: unknown; after?: unknown } & Record<string, unknown>

/**
 * `result`, or with fewer entries and `more` if it exceeds `maxBytes`; at least one entry, or the client could never go on. `forwards`: the
 * request had `after`, so that the page continues upwards even in a list that is normally read backwards.
 */
export function cutList(result: string, { items, key, back }: HttpPage, forwards: boolean, maxBytes: number): string {
  if (!exceeds(result, maxBytes) || key === undefined) return result
  const page = JSON.parse(result) as Page
  const entries = page[items] as Record<string, unknown>[]
  const backwards = back === true && !forwards
  const kept = firstFitting(backwards ? entries.toReversed() : entries, maxBytes - ENVELOPE)
  if (kept.length === entries.length) return result
  if (backwards) kept.reverse()
  const edge = kept.at(backwards ? 0 : -1)![key]
  // Only pages that name the position of the next one.
  const on = backwards ? 'before' : 'after'
  const goOn = Object.hasOwn(page, on) ? { [on]: edge } : {}
  return JSON.stringify({ ...page, [items]: kept, more: true, ...goOn })
}

/** The first entries whose JSON fits into `maxBytes`, at least one. */
export function firstFitting<T>(entries: readonly T[], maxBytes: number): T[] {
  return entries.slice(
    0,
    countFitting(entries, (entry) => listedBytes(JSON.stringify(entry)), maxBytes),
  )
}

function exceeds(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && Buffer.byteLength(text) > bytes)
}
