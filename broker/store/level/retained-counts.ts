/** Retained messages and bytes per publisher, in memory, pending changes included. */

interface Sum {
  messages: number
  bytes: number
  /** What changes not written yet would add. */
  reservedMessages: number
  reservedBytes: number
}

interface Kept {
  readonly owner: string
  readonly bytes: number
}

export class RetainedCounts {
  /** By topic. Messages published by the broker itself are not counted. */
  readonly #kept = new Map<string, Kept>()
  readonly #sums = new Map<string, Sum>()

  at(topic: string): Kept | undefined {
    return this.#kept.get(topic)
  }

  of(owner: string): { messages: number; bytes: number } {
    const sum = this.#sums.get(owner)
    if (!sum) return { messages: 0, bytes: 0 }
    return { messages: sum.messages + sum.reservedMessages, bytes: sum.bytes + sum.reservedBytes }
  }

  /** Counts a pending change. Returns what to release. */
  reserve(topic: string, owner: string, bytes: number): { messages: number; bytes: number } {
    const before = this.#kept.get(topic)
    const own = before?.owner === owner
    const messages = own ? 0 : 1
    const more = own ? Math.max(0, bytes - before.bytes) : bytes
    const sum = this.#sumOf(owner)
    sum.reservedMessages += messages
    sum.reservedBytes += more
    return { messages, bytes: more }
  }

  release(owner: string, { messages, bytes }: { messages: number; bytes: number }): void {
    const sum = this.#sumOf(owner)
    sum.reservedMessages -= messages
    sum.reservedBytes -= bytes
    this.#forgetEmpty(owner, sum)
  }

  set(topic: string, owner: string, bytes: number): void {
    this.delete(topic)
    const sum = this.#sumOf(owner)
    sum.messages++
    sum.bytes += bytes
    this.#kept.set(topic, { owner, bytes })
  }

  delete(topic: string): void {
    const kept = this.#kept.get(topic)
    if (!kept) return
    this.#kept.delete(topic)
    const sum = this.#sumOf(kept.owner)
    sum.messages--
    sum.bytes -= kept.bytes
    this.#forgetEmpty(kept.owner, sum)
  }

  /** Reservations remain. */
  clear(): void {
    this.#kept.clear()
    for (const [owner, sum] of this.#sums) {
      sum.messages = 0
      sum.bytes = 0
      this.#forgetEmpty(owner, sum)
    }
  }

  #sumOf(owner: string): Sum {
    let sum = this.#sums.get(owner)
    if (!sum) this.#sums.set(owner, (sum = { messages: 0, bytes: 0, reservedMessages: 0, reservedBytes: 0 }))
    return sum
  }

  #forgetEmpty(owner: string, sum: Sum): void {
    const { messages, bytes, reservedMessages, reservedBytes } = sum
    if (messages + bytes + reservedMessages + reservedBytes > 0) return
    // The key may hold a new sum by now.
    if (this.#sums.get(owner) === sum) this.#sums.delete(owner)
  }
}
