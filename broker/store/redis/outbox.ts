/** Marks of logs that have not been read to their end: one hash, which is in memory too. */
import type { LogName } from '../log-name.js'
import type { OutboxStore } from '../outbox.js'
import type { LogEvent } from './events.js'
import type { Keys } from './keys.js'
import type { Reader } from './reader.js'

type Wants = (log: LogName) => boolean

export class RedisOutbox implements OutboxStore {
  readonly #reader: Reader
  readonly #keys: Keys
  #wants: Wants | null = null
  #marks = new Map<LogName, number>()

  constructor(reader: Reader, keys: Keys) {
    this.#reader = reader
    this.#keys = keys
  }

  /** Reads the marks; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const marks = new Map<LogName, number>()
    for await (const page of this.#reader.hashPages(this.#keys.marks))
      for (const [log, seq] of page) marks.set(log, Number(seq))
    return () => {
      this.#marks = marks
    }
  }

  apply(event: LogEvent): void {
    if (event.type === 'marked') this.#marks.set(event.log, event.seq)
    else if (event.type === 'unmarked') this.#marks.delete(event.log)
  }

  watch(wants: Wants | null): void {
    this.#wants = wants
  }

  watches(log: LogName): boolean {
    return this.#wants?.(log) ?? false
  }

  marked(): ReadonlyMap<LogName, number> {
    return this.#marks
  }
}
