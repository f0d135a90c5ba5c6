/** Topics that are subscribed to while somebody looks at what comes on them. */
import type { Stop } from '../base/platform.js'
import { REFUSED } from '../requests/wire-calls.js'
import { textOf } from '../wire/utf8.js'
import type { Incoming, Wire } from '../wire/wire.js'

/** Topics of one packet. */
const MOST = 100

/** Gets what came; null: the broker does not allow it. What is not text is empty. */
type Taker = (text: string | null, topic: string) => void

/** Of the topics of a device, the filter by which they are followed. */
const OF_DEVICE = /^(devices\/[^/]+\/).*/

export class Subscriptions {
  #wire: Wire | null = null
  /** By topic, or filter of a device. */
  readonly #takers = new Map<string, Taker>()
  /** What was subscribed to on this connection. */
  readonly #made = new Set<string>()
  #isBusy = false

  /** One topic, or all of a device (`devices/{device}/#`), by the last who wanted to. */
  follow(topic: string, take: Taker): Stop {
    this.#takers.set(topic, take)
    const isDevice = topic.endsWith('#')
    // Whoever follows a device anew is told what is retained.
    if (isDevice) this.#made.delete(topic)
    void this.#update()
    return () => {
      if (this.#takers.get(topic) === take) {
        this.#takers.delete(topic)
        // It may be subscribed to from before.
        if (isDevice) this.#made.add(topic)
      }
      void this.#update()
    }
  }

  /** Also on the same connection: what was refused may be allowed, and what was subscribed to may have ended with a membership. */
  begin(wire: Wire): void {
    if (wire !== this.#wire) this.#made.clear()
    this.#wire = wire
    this.again()
  }

  ended(): void {
    this.#wire = null
  }

  /** Subscribes to all of it anew. */
  again(): void {
    for (const topic of this.#takers.keys()) this.#made.delete(topic)
    void this.#update()
  }

  /** False: nobody follows this topic. */
  take({ topic, payload }: Incoming): boolean {
    const take = this.#takers.get(topic) ?? this.#takers.get(topic.replace(OF_DEVICE, '$1#'))
    take?.(textOf(payload) ?? '', topic)
    return take !== undefined
  }

  /** What changes in one tick goes together. */
  async #update(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    await null
    for (let isDone = false; this.#wire && !isDone; ) {
      const wire = this.#wire
      isDone = await this.#step(wire).catch(() => wire === this.#wire)
    }
    this.#isBusy = false
  }

  /** True: nothing is left to do. */
  async #step(wire: Wire): Promise<boolean> {
    const added = [...this.#takers.keys()].filter((topic) => !this.#made.has(topic)).slice(0, MOST)
    const over = [...this.#made].filter((topic) => !this.#takers.has(topic)).slice(0, MOST)
    for (const topic of added) this.#made.add(topic)
    for (const topic of over) this.#made.delete(topic)
    if (over.length > 0) await wire.unsubscribe(over)
    const reasons = added.length > 0 ? await wire.subscribe(added.map((filter) => ({ filter, qos: 0 }))) : []
    for (const [i, reason] of reasons.entries()) if (reason >= REFUSED) this.#takers.get(added[i]!)?.(null, added[i]!)
    return added.length + over.length === 0
  }
}
