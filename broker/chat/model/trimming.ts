/** Logs of which only the newest entries are kept. They are cut in whole chunks, so somewhat more may stay. */
import type { LogName } from '../../store/log-name.js'
import type { LogReader } from '../../store/logs.js'

/** Entries of a chunk, at most. */
const CHUNK = 64

export class Trimming {
  readonly #log: LogReader
  readonly #keep: number
  /** With more entries than are kept. */
  readonly #grown = new Set<LogName>()

  constructor(log: LogReader, keep: number) {
    this.#log = log
    this.#keep = keep
  }

  /** An entry with this number was appended. */
  grew(log: LogName, seq: number): void {
    if (seq > this.#keep) this.#grown.add(log)
  }

  /** To be called from time to time: what is not in chunks yet is cut the next time. */
  async run(): Promise<void> {
    for (const log of [...this.#grown]) {
      const info = await this.#log.open(log)
      await this.#log.trim(log, info.head - this.#keep)
      if (info.head - info.tail < this.#keep + CHUNK) this.#grown.delete(log)
    }
  }
}
