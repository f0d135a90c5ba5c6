/**
 * Entries of one log that lie one behind another in a journal value. A log keeps what is not yet in chunks as such runs: few objects
 * that live until it is folded, however many messages that are.
 */
import type { LogEntry } from '../logs.js'
import { decodeEntries, encodeEntries, entryEnd, isMarked, sizeOf } from './entry-codec.js'

export class Run {
  readonly first: number
  readonly last: number
  readonly value: Buffer
  /** Where the first entry begins. */
  readonly at: number
  #entries: readonly LogEntry[] | null = null

  constructor(value: Buffer, at: number, first: number, count: number) {
    this.value = value
    this.at = at
    this.first = first
    this.last = first + count - 1
  }

  /** A run of its own: of entries that changed. */
  static of(entries: readonly LogEntry[]): Run {
    const value = Buffer.allocUnsafeSlow(sizeOf(entries))
    encodeEntries(value, 0, entries)
    return new Run(value, 0, entries[0]!.seq, entries.length)
  }

  get count(): number {
    return this.last - this.first + 1
  }

  /** Decoded when first asked for. */
  get entries(): readonly LogEntry[] {
    return (this.#entries ??= decodeEntries(this.value, this.at, this.first, this.count))
  }

  /** Whether more may have to be known of an entry than its bytes: it expires, or is gone. */
  get marked(): boolean {
    let { at } = this
    for (let left = this.count; left > 0; left--) {
      if (isMarked(this.value, at)) return true
      at = entryEnd(this.value, at)
    }
    return false
  }

  /** What of it comes after `seq`, which is in it and not its last. */
  after(seq: number): Run {
    let { at } = this
    for (let passed = this.first; passed <= seq; passed++) at = entryEnd(this.value, at)
    return new Run(this.value, at, seq + 1, this.last - seq)
  }
}

/** Reads runs that follow each other, as bytes. */
export class RunReader {
  readonly #runs: readonly Run[]
  #index = 0
  /** Of the entry to read next: its place in its run's value, and its number. */
  #at: number
  next: number

  constructor(runs: readonly Run[]) {
    this.#runs = runs
    this.#at = runs[0]!.at
    this.next = runs[0]!.first
  }

  get done(): boolean {
    return this.#index === this.#runs.length
  }

  /** The bytes of what comes next, all of one run: at most so many entries and bytes, and at least so many entries. */
  take(most: number, bytes: number, least: number): Uint8Array | null {
    const { value, last } = this.#runs[this.#index]!
    const start = this.#at
    let end = start
    let taken = 0
    while (taken < most && this.next <= last) {
      const after = entryEnd(value, end)
      if (after - start > bytes && taken >= least) break
      end = after
      taken++
      this.next++
    }
    this.#at = end
    if (this.next > last) this.#turn()
    return taken > 0 ? new Uint8Array(value.buffer, value.byteOffset + start, end - start) : null
  }

  #turn(): void {
    this.#index++
    const run = this.#runs[this.#index]
    if (run) this.#at = run.at
  }
}

/** The one of a list in ascending order that holds the entry `seq`. */
export function holding<P extends { readonly first: number; readonly last: number }>(
  pieces: readonly P[],
  seq: number,
): P | undefined {
  let low = 0
  let high = pieces.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const piece = pieces[middle]!
    if (seq < piece.first) high = middle - 1
    else if (seq > piece.last) low = middle + 1
    else return piece
  }
  return undefined
}
