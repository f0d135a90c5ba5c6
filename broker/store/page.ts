/** Collects the entries of one read, up to a number of entries and bytes. */

import type { LogEntry } from './logs.js'
import { messageSize } from './message-size.js'

/** Maps an entry to what the reader gets; null: skip it. */
export type EntryView = (entry: LogEntry) => LogEntry | null

/** What an entry without payload counts: about the size of its description. */
const GONE_BYTES = 256

export class Page {
  readonly entries: LogEntry[] = []
  /** Number of the next entry to take. */
  next: number
  full: boolean
  readonly #limit: number
  readonly #maxBytes: number
  readonly #view: EntryView
  #bytes = 0

  constructor(next: number, limit: number, maxBytes: number, sight: EntryView) {
    this.next = next
    this.full = limit <= 0
    this.#limit = limit
    this.#maxBytes = maxBytes
    this.#view = sight
  }

  /** Adds entries, the first of which has number `first`. */
  take(entries: readonly LogEntry[], first: number): void {
    for (let i = this.next - first; i < entries.length && this.#add(entries[i]!); i++) this.next++
  }

  /** Adds entries in descending order, not below `tail`. */
  takeBackwards(entries: readonly LogEntry[], first: number, tail: number): void {
    const end = Math.max(tail - first, 0)
    for (let i = this.next - first; i >= end && this.#add(entries[i]!); i--) this.next--
  }

  skipTo(seq: number): void {
    this.next = Math.max(this.next, seq)
  }

  /** Returns false when the page is full; at least one entry is always added. */
  #add(stored: LogEntry): boolean {
    const entry = this.#view(stored)
    if (!entry) return true
    const bytes = entry.gone ? GONE_BYTES : messageSize(entry)
    if (this.entries.length > 0 && this.#bytes + bytes > this.#maxBytes) this.full = true
    if (this.full) return false
    this.entries.push(entry)
    this.#bytes += bytes
    if (this.entries.length >= this.#limit) this.full = true
    return true
  }
}
