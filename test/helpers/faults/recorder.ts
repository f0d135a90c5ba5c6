/** Writes the history of a run. */
import type { Event, History } from '../../models/history/events.js'

export class Recorder {
  readonly #events: (Event & { ms: number })[] = []
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

  add(event: Event): void {
    this.#events.push({ ...event, ms: performance.now() })
    if (event.type === 'acked') this.#acks++
  }
}
