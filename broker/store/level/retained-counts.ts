/** Retained messages and bytes per publisher, in memory. */
import type { RetainedLimit } from '../guards.js'

interface Sum {
  messages: number
  bytes: number
}

interface Kept {
  readonly owner: string
  readonly bytes: number
}

const NOTHING: Readonly<Sum> = { messages: 0, bytes: 0 }

export class RetainedCounts {
  /** By topic. Messages published by the broker itself are not counted. */
  readonly #kept = new Map<string, Kept>()
  readonly #sums = new Map<string, Sum>()

  of(owner: string): Readonly<Sum> {
    return this.#sums.get(owner) ?? NOTHING
  }

  /** What a message would exceed; null: nothing. */
  beyond({ owners, topic, bytes, most }: RetainedLimit): 'messages' | 'bytes' | null {
    const before = this.#kept.get(topic)
    const isOwn = before !== undefined && owners.includes(before.owner)
    if (isOwn && bytes <= before.bytes) return null
    const total = { messages: isOwn ? 0 : 1, bytes: isOwn ? bytes - before.bytes : bytes }
    for (const owner of owners) {
      const sum = this.of(owner)
      total.messages += sum.messages
      total.bytes += sum.bytes
    }
    if (!isOwn && total.messages > most.messages) return 'messages'
    return total.bytes > most.bytes ? 'bytes' : null
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
