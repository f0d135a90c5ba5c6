/** Retained messages and bytes per publisher, in memory. */
import type { RetainedLimit } from './guards.js'
import type { RetainedAmount, RetainedRoom } from './queues.js'

interface Sum {
  messages: number
  bytes: number
}

interface Kept {
  readonly owner: string
  readonly bytes: number
}

const NOTHING: RetainedAmount = { messages: 0, bytes: 0 }

export class RetainedCounts {
  /** By topic. Messages published by the broker itself are not counted. */
  readonly #kept = new Map<string, Kept>()
  readonly #sums = new Map<string, Sum>()

  of(owner: string): RetainedAmount {
    return this.#sums.get(owner) ?? NOTHING
  }

  /** What it would mean to retain a message beside what is under way. */
  room({ owners, topic, bytes, most }: RetainedLimit, underWay: RetainedAmount = NOTHING): RetainedRoom {
    const before = this.#kept.get(topic)
    const isOwn = before !== undefined && owners.includes(before.owner)
    const adds = isOwn ? { messages: 0, bytes: Math.max(0, bytes - before.bytes) } : { messages: 1, bytes }
    if (adds.messages + adds.bytes === 0) return { adds, beyond: null }
    const total = { messages: underWay.messages + adds.messages, bytes: underWay.bytes + adds.bytes }
    for (const owner of owners) {
      const sum = this.of(owner)
      total.messages += sum.messages
      total.bytes += sum.bytes
    }
    if (!isOwn && total.messages > most.messages) return { adds, beyond: 'messages' }
    return { adds, beyond: total.bytes > most.bytes ? 'bytes' : null }
  }

  set(topic: string, owner: string, bytes: number): void {
    this.delete(topic)
    let sum = this.#sums.get(owner)
    if (!sum) this.#sums.set(owner, (sum = { messages: 0, bytes: 0 }))
    sum.messages++
    sum.bytes += bytes
    this.#kept.set(topic, { owner, bytes })
  }

  delete(topic: string): void {
    const kept = this.#kept.get(topic)
    if (!kept) return
    this.#kept.delete(topic)
    const sum = this.#sums.get(kept.owner)!
    sum.messages--
    sum.bytes -= kept.bytes
    if (sum.messages === 0) this.#sums.delete(kept.owner)
  }

  clear(): void {
    this.#kept.clear()
    this.#sums.clear()
  }
}
