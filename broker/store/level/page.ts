/** The entries of one read, up to a number of entries and bytes. */

import type { LogEntry } from '../logs.js'
import { messageSize } from '../message-size.js'

/** An entry as the reader sees it; null: not at all. */
export type Sight = (entry: LogEntry) => LogEntry | null

/** What an entry counts for whose payload is gone: about what it takes to say so. */
const GONE_BYTES = 256

export class Page {
  readonly entries: LogEntry[] = []
  /** Number of the entry to take next. */
  next: number
  full: boolean
  readonly #limit: number
  readonly #maxBytes: number
  readonly #sight: Sight
  #bytes = 0

  constructor(next: number, limit: number, maxBytes: number, sight: Sight) {
    this.next = next
    this.full = limit <= 0
    this.#limit = limit
    this.#maxBytes = maxBytes
    this.#sight = sight
  }

  /** Takes on from entries that begin with number `first`. */
  take(entries: readonly LogEntry[], first: number): void {
    for (let i = this.next - first; i < entries.length && this.#add(entries[i]!); i++) this.next++
  }

  /** Takes downwards, not below `tail`. */
  takeBackwards(entries: readonly LogEntry[], first: number, tail: number): void {
    const end = Math.max(tail - first, 0)
    for (let i = this.next - first; i >= end && this.#add(entries[i]!); i--) this.next--
  }

  skipTo(seq: number): void {
    this.next = Math.max(this.next, seq)
  }

  /** False when there was no room; one entry always has. */
  #add(stored: LogEntry): boolean {
    const entry = this.#sight(stored)
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
