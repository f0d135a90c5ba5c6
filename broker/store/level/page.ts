/** The entries of one read, up to a number of entries and bytes of payload. */
import type { LogEntry } from '../store.js'

export class Page {
  readonly entries: LogEntry[] = []
  /** Number of the entry to take next. */
  next: number
  full: boolean
  readonly #limit: number
  readonly #maxBytes: number
  #bytes = 0

  constructor(next: number, limit: number, maxBytes: number) {
    this.next = next
    this.full = limit <= 0
    this.#limit = limit
    this.#maxBytes = maxBytes
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
  #add(entry: LogEntry): boolean {
    if (this.entries.length > 0 && this.#bytes + entry.payload.length > this.#maxBytes) this.full = true
    if (this.full) return false
    this.entries.push(entry)
    this.#bytes += entry.payload.length
    if (this.entries.length >= this.#limit) this.full = true
    return true
  }
}
