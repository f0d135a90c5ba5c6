/**
 * Removes old versions of keys from the disk whose payloads are gone. LevelDB drops them only when it merges files,
 * which on a quiet broker may never happen.
 */

import { HOUR } from '../gone.js'
import type { StoreCounts } from '../store.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import { WriteBatch } from './operation.js'

/** How long old versions may stay on the disk: compaction is rare, and removes many at once. */
const COMPACT_AFTER = 12 * HOUR
/** Most keys of one compaction, and of one write. */
const MAX_KEYS = 10_000
const PAGE = 50
/** Up to so many ranges are compacted one by one; beyond, everything from the first to the last is. */
const MAX_RANGES = 100

export interface CompactionDeps {
  readonly database: Database
  readonly counts: StoreCounts
  /** Runs the task while no other maintenance does. */
  readonly alone: <T>(task: () => Promise<T>) => Promise<T>
  /** Runs the task between commits. */
  readonly exclusive: (task: () => Promise<void>) => Promise<void>
  readonly now: () => number
}

export class Compaction {
  readonly #deps: CompactionDeps

  constructor(deps: CompactionDeps) {
    this.#deps = deps
  }

  /** Does nothing until the oldest entry has waited long enough; then handles all of them. */
  async run(): Promise<void> {
    const { database, alone, exclusive } = this.#deps
    const marks = await this.#due()
    if (marks.length === 0) return
    const stale = marks.map(keys.keyOfStale)
    const merged: [string, string][] = [...rangesOf(stale), keys.journalEdges as [string, string]]
    // Flushes the write buffer to a file of its own, so that the values written next are in a newer one.
    await database.compact(...(keys.journalEdges as [string, string]))
    for (let i = 0; i < stale.length; i += PAGE)
      await exclusive(() => alone(() => this.#writeAgain(stale.slice(i, i + PAGE))))
    for (const [first, last] of merged) await database.compact(first, last)
    const done = new WriteBatch()
    for (const mark of marks) done.del(mark)
    await this.#write(done)
    // A mark has its key in it, which may be a word of a name.
    await database.compact(ranges.stale.gte, ranges.stale.lt)
  }

  async #due(): Promise<string[]> {
    const { database, now } = this.#deps
    const marks: string[] = []
    let oldest = Number.POSITIVE_INFINITY
    await database.scan(ranges.stale, (mark, value) => {
      if (marks.length < MAX_KEYS) marks.push(mark)
      oldest = Math.min(oldest, Number(value.toString()))
    })
    return oldest <= now() - COMPACT_AFTER ? marks : []
  }

  /**
   * LevelDB merges a file only with files of newer writes: writing the same values again creates one that overlaps all
   * of them.
   */
  async #writeAgain(stale: readonly string[]): Promise<void> {
    const { database } = this.#deps
    const batch = new WriteBatch()
    for (const edge of keys.journalEdges) batch.put(edge, '')
    for (const key of stale) {
      const value = await database.get(key)
      if (value) batch.put(key, value)
      else batch.del(key)
    }
    await this.#write(batch)
  }

  async #write(batch: WriteBatch): Promise<void> {
    await this.#deps.database.write(batch, false)
    this.#deps.counts.writes += batch.size
  }
}

/** The first and last of neighbouring keys: the chunks of a log, or the retained messages. */
function rangesOf(stale: readonly string[]): [string, string][] {
  const found = new Map<string, [string, string]>()
  for (const key of stale) {
    const group = keys.groupOf(key)
    const known = found.get(group)
    if (known) known[1] = key
    else found.set(group, [key, key])
  }
  return found.size <= MAX_RANGES ? [...found.values()] : [[stale[0]!, stale.at(-1)!]]
}
