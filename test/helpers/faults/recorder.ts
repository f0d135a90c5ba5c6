/** Writes the history of a run. */
import type { Event, History } from '../../models/history/events.js'
import type { GiveUp } from '../patience.js'

export class Recorder {
  readonly #events: (Event & { ms: number })[] = []
  readonly #heads = new Map<string, number>()
  #acks = 0
  #connections = 0

  get history(): History {
    return this.#events
  }

  /** Acknowledged messages. */
  get acks(): number {
    return this.#acks
  }

  nextConnection(): number {
    return ++this.#connections
  }

  /** The highest seq of a log that somebody got. */
  head(log: string): number {
    return this.#heads.get(log) ?? 0
  }

  /** Whether nothing has come while it was asked so many times. */
  stillFor(looks: number): GiveUp {
    let before = -1
    let still = 0
    return () => {
      const { length } = this.#events
      still = length === before ? still + 1 : 0
      before = length
      return still > looks
    }
  }

  addAll(events: readonly Event[]): void {
    for (const event of events) this.add(event)
  }

  add(event: Event): void {
    this.#events.push({ ...event, ms: performance.now() })
    if (event.type === 'acked') this.#acks++
    if (event.type === 'delivered' && event.log && event.entry)
      this.#heads.set(event.log, Math.max(this.head(event.log), event.entry.seq))
  }
}
