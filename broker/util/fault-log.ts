import type { Logger } from 'pino'

/** Milliseconds in which the same fault is logged only once. */
const QUIET = 10_000
const MAX_KINDS = 100

/**
 * Logs failures of background work, each kind once in ten seconds: a full disk fails every commit, and one line is
 * enough.
 */
export class FaultLog {
  readonly #log: Logger
  readonly #what: string
  readonly #seen = new Map<string, { at: number; repeated: number }>()

  /** @param what The message of the log line. */
  constructor(log: Logger, what = 'background work failed') {
    this.#log = log
    this.#what = what
  }

  /**
   * @param error Anything thrown.
   * @param now Unix ms.
   */
  report(error: unknown, now = Date.now()): void {
    const kind = (error instanceof Error ? error.message : String(error)).replaceAll(/\d+/g, 'N')
    const seen = this.#seen.get(kind)
    if (seen && now - seen.at < QUIET) {
      seen.repeated++
      return
    }
    if (this.#seen.size >= MAX_KINDS) this.#seen.clear()
    this.#seen.set(kind, { at: now, repeated: 0 })
    this.#log.error({ err: error, ...(seen?.repeated ? { repeated: seen.repeated } : {}) }, this.#what)
  }
}
