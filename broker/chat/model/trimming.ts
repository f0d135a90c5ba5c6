/** Keeps only the newest entries of some logs. Logs are trimmed in whole chunks, so somewhat more may stay. */
import type { LogName } from '../../store/log-name.js'
import type { LogReader } from '../../store/logs.js'

/** Maximum number of entries in a chunk. */
const CHUNK = 64

export class Trimming {
  readonly #log: LogReader
  readonly #keep: number
  /** Logs that may have more entries than are kept. */
  readonly #maybeTooLong = new Set<LogName>()

  constructor(log: LogReader, keep: number) {
    this.#log = log
    this.#keep = keep
  }

  /** Call after an entry with this seq was appended. */
  appended(log: LogName, seq: number): void {
    if (seq > this.#keep) this.#maybeTooLong.add(log)
  }

  /** Trims; call periodically. Entries that are not in chunks yet are trimmed the next time. */
  async run(): Promise<void> {
    for (const log of [...this.#maybeTooLong]) {
      await this.#log.trim(log, (await this.#log.open(log)).head - this.#keep)
      const { head, tail } = await this.#log.open(log)
      if (head - tail < this.#keep + CHUNK) this.#maybeTooLong.delete(log)
    }
  }
}
