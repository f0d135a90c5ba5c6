/**
 * The order of a queue that several nodes fill. A node hears of what they queue in the order of the commits, but each message itself comes from the node
 * that took it, before or after those of others.
 */
export class QueueOrder {
  /** Numbers that were not sent, ascending. */
  readonly #waiting: number[] = []
  /** The highest number that was queued. */
  #newest = 0
  /** The highest number whose message came before it was known to be queued. */
  #early = 0

  /** A message was queued. Returns whether it came already, and was not sent. */
  add(number: number): boolean {
    this.#newest = number
    this.#waiting.push(number)
    return number <= this.#early
  }

  /** Whether memory lacks a message, and perhaps others before it. */
  isEarly(number: number): boolean {
    if (number <= this.#newest) return false
    if (number > this.#early) this.#early = number
    return true
  }

  /** Whether there are messages from `next` on which come before that one. */
  hasBetween(next: number, number: number): boolean {
    while (this.#waiting.length > 0 && this.#waiting[0]! < next) this.#waiting.shift()
    return this.#waiting.length > 0 && this.#waiting[0]! < number
  }

  /** A message is not to be sent. */
  remove(number: number): void {
    const at = this.#waiting.indexOf(number)
    if (at >= 0) this.#waiting.splice(at, 1)
  }

  /** All were sent. */
  clear(): void {
    this.#waiting.length = 0
  }
}
