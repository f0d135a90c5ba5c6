import type { Logger } from 'pino'

/** Milliseconds in which what repeats itself is counted. */
const WINDOW = 60_000
/** Lines of one kind within a window: of one origin, and of all together. */
const PER_ORIGIN = 10
const PER_KIND = 1000
/** Origins that are told apart; beyond it a kind has only its own bound. */
const MAX_ORIGINS = 10_000

interface Seen {
  readonly kind: string
  readonly origin: string | null
  lines: number
  repeated: number
}

/**
 * Logs what clients were refused. Who is refused all the time (a guesser, a broken script) costs a few lines a minute and a line that says how many
 * more there were, so that nobody fills the disk, or buries the rest, by asking for what they may not have.
 */
export class RefusalLog {
  readonly #log: Logger
  readonly #seen = new Map<string, Seen>()
  #timer: NodeJS.Timeout | null = null

  constructor(log: Logger) {
    this.#log = log
  }

  /**
   * @param kind The message, such as `publish refused`.
   * @param origin Whose refusals are counted together: an address, or a session.
   * @param facts Fields of the line.
   */
  note(kind: string, origin: string, facts: Record<string, unknown>): void {
    if (!this.#log.isLevelEnabled('info')) return
    if (this.#hasRoom(kind, null, PER_KIND) && this.#hasRoom(kind, origin, PER_ORIGIN)) this.#log.info(facts, kind)
  }

  /** Says what was counted and not said yet. */
  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#sum()
  }

  #hasRoom(kind: string, origin: string | null, most: number): boolean {
    const key = JSON.stringify([kind, origin])
    let seen = this.#seen.get(key)
    if (!seen) {
      if (this.#seen.size >= MAX_ORIGINS) return true
      seen = { kind, origin, lines: 0, repeated: 0 }
      this.#seen.set(key, seen)
      this.#timer ??= setTimeout(() => this.#sum(), WINDOW).unref()
    }
    if (seen.lines < most) {
      seen.lines++
      return true
    }
    seen.repeated++
    return false
  }

  #sum(): void {
    this.#timer = null
    const seen = [...this.#seen.values()]
    this.#seen.clear()
    for (const { kind, origin, repeated } of seen)
      if (repeated > 0) this.#log.info({ ...(origin === null ? {} : { origin }), repeated }, `${kind}, repeatedly`)
  }
}
