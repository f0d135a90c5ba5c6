/**
 * Consecutive entries of one log within a journal value. A log keeps entries that are not in chunks yet as runs: few
 * long-lived objects, however many messages.
 */
import type { LogEntry } from '../logs.js'
import { decodeEntries, encodeEntries, entryEnd, isMarked, isNoChange, sizeOf } from './entry-codec.js'

export class Run {
  readonly first: number
  readonly last: number
  readonly value: Buffer
  /** Offset of the first entry. */
  readonly at: number
  #entries: readonly LogEntry[] | null = null

  constructor(value: Buffer, at: number, first: number, count: number) {
    this.value = value
    this.at = at
    this.first = first
    this.last = first + count - 1
  }

  /** A run with a value of its own, for entries that changed. */
  static of(entries: readonly LogEntry[]): Run {
    const value = Buffer.allocUnsafeSlow(sizeOf(entries))
    encodeEntries(value, 0, entries)
    return new Run(value, 0, entries[0]!.seq, entries.length)
  }

  get count(): number {
    return this.last - this.first + 1
  }

  /** Decoded on first use. */
  get entries(): readonly LogEntry[] {
    return (this.#entries ??= decodeEntries(this.value, this.at, this.first, this.count))
  }

  /** Whether an entry may expire or is gone, so that its bytes alone do not suffice. */
  get marked(): boolean {
    return this.#has(isMarked)
  }

  /** Whether an entry changes no other one. */
  get speaks(): boolean {
    return this.#has(isNoChange)
  }

  /** Whether there is such an entry; none is decoded. */
  #has(is: (value: Buffer, at: number) => boolean): boolean {
    let { at } = this
    for (let left = this.count; left > 0; left--) {
      if (is(this.value, at)) return true
      at = entryEnd(this.value, at)
    }
    return false
  }

  /** The part after `seq`, which is in the run and not its last. */
  after(seq: number): Run {
    let { at } = this
    for (let passed = this.first; passed <= seq; passed++) at = entryEnd(this.value, at)
    return new Run(this.value, at, seq + 1, this.last - seq)
  }
}

/** Reads a sequence of runs as bytes. */
export class RunReader {
  readonly #runs: readonly Run[]
  #index = 0
  /** Offset of the next entry in its run's value, and its number. */
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

  /**
   * The bytes of the next entries, all from one run: at most `most` entries and `bytes` bytes, but at least `least`
   * entries.
   */
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

/** Finds the piece that holds entry `seq` in an ascending list, by binary search. */
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
