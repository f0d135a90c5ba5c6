/** The numbers that wait for one session, ascending, and what they take of its limits. */
import type { QueueLimits } from './queue.js'

export class WaitingList {
  #numbers: number[] = []
  #bytes = 0
  /** For changes that are built but not yet committed. */
  #reservedMessages = 0
  #reservedBytes = 0

  get size(): { messages: number; bytes: number } {
    return { messages: this.#numbers.length + this.#reservedMessages, bytes: this.#bytes + this.#reservedBytes }
  }

  get unused(): boolean {
    return this.#numbers.length === 0 && this.#reservedMessages === 0
  }

  /** False when the queue is full. */
  reserve(bytes: number, limits: QueueLimits): boolean {
    const size = this.size
    if (size.messages >= limits.queueMessages || size.bytes + bytes > limits.queueBytes) return false
    this.#reservedMessages++
    this.#reservedBytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#reservedMessages--
    this.#reservedBytes -= bytes
  }

  /** Forgets what is committed. */
  reset(): void {
    this.#numbers = []
    this.#bytes = 0
  }

  add(number: number, bytes: number): void {
    this.#numbers.splice(this.#place(number), 0, number)
    this.#bytes += bytes
  }

  /** False when the number does not wait. */
  remove(number: number, bytes: number): boolean {
    const place = this.#place(number)
    if (this.#numbers[place] !== number) return false
    this.#numbers.splice(place, 1)
    this.#bytes -= bytes
    return true
  }

  all(): number[] {
    return [...this.#numbers]
  }

  /** Numbers above `after`, up to the limits; one is always given. */
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

  /** Where a number is or would be. */
  #place(number: number): number {
    const { length } = this.#numbers
    // New numbers come last, acknowledged ones are mostly the first.
    if (length === 0 || number > this.#numbers[length - 1]!) return length
    let low = 0
    let high = length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#numbers[middle]! < number) low = middle + 1
      else high = middle
    }
    return low
  }
}
