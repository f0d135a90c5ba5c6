/** The numbers queued for one session, ascending, with their size. */

/**
 * Numbers are mostly acknowledged in order: so many removed ones may accumulate in front before the array is compacted.
 */
const MOST_GONE = 1024

export class WaitingList {
  #numbers: number[] = []
  /** Index of the first number that waits. */
  #from = 0
  #bytes = 0
  /** Messages and bytes that are not committed yet, and not counted as waiting. */
  readonly expected = { messages: 0, bytes: 0 }

  get size(): { messages: number; bytes: number } {
    return { messages: this.#count, bytes: this.#bytes }
  }

  get #count(): number {
    return this.#numbers.length - this.#from
  }

  get isUnused(): boolean {
    return this.#count === 0 && this.expected.messages === 0
  }

  expect(messages: number, bytes: number): void {
    this.expected.messages += messages
    this.expected.bytes += bytes
  }

  /** Forgets what waits. */
  reset(): this {
    this.#numbers = []
    this.#from = 0
    this.#bytes = 0
    return this
  }

  add(number: number, bytes: number): void {
    this.#numbers.splice(this.#place(number), 0, number)
    this.#bytes += bytes
  }

  has(number: number): boolean {
    return this.#numbers[this.#place(number)] === number
  }

  /** Returns false if the number is not in the list. */
  remove(number: number, bytes: number): boolean {
    const place = this.#place(number)
    if (this.#numbers[place] !== number) return false
    if (place === this.#from) this.#removeFirst()
    else this.#numbers.splice(place, 1)
    this.#bytes -= bytes
    return true
  }

  #removeFirst(): void {
    this.#from++
    if (this.#from < this.#numbers.length && this.#from < MOST_GONE) return
    this.#numbers = this.#numbers.slice(this.#from)
    this.#from = 0
  }

  all(): number[] {
    return this.#numbers.slice(this.#from)
  }

  /** Numbers above `after`, up to the limits, but at least one if there is one. */
  after(after: number, limit: number, maxBytes: number, bytesOf: (number: number) => number): number[] {
    const start = this.#place(after + 1)
    let end = start
    let bytes = 0
    while (end < this.#numbers.length && end - start < limit) {
      bytes += bytesOf(this.#numbers[end]!)
      if (end > start && bytes > maxBytes) break
      end++
    }
    return this.#numbers.slice(start, end)
  }

  /** The index of a number, or where it would be inserted. */
  #place(number: number): number {
    const { length } = this.#numbers
    // New numbers come last, acknowledged ones are mostly the first.
    if (length === this.#from || number > this.#numbers[length - 1]!) return length
    if (number <= this.#numbers[this.#from]!) return this.#from
    let low = this.#from
    let high = length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#numbers[middle]! < number) low = middle + 1
      else high = middle
    }
    return low
  }
}
