import type { Logger } from 'pino'

/** Milliseconds in which what repeats itself is counted. */
const WINDOW = 60_000
/** Lines of one kind within a window: of one origin, and of all together. */
const PER_ORIGIN = 10
const PER_KIND = 1000
/** Origins that are told apart; beyond it a kind has only its own bound. */
const MAX_ORIGINS = 10_000

interface Seen {
  lines: number
  repeated: number
}

interface SeenKind extends Seen {
  readonly origins: Map<string, Seen>
}

/**
 * Logs what clients were refused. Who is refused all the time (a guesser, a broken script) costs a few lines a minute and a line that says how many
 * more there were, so that nobody fills the disk, or buries the rest, by asking for what they may not have.
 */
export class RefusalLog {
  readonly #log: Logger
  readonly #kinds = new Map<string, SeenKind>()
  /** Of all kinds. */
  #origins = 0
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
    const seen = this.#kind(kind)
    // Its own bound first: who is over it takes no line of the others.
    if (hasRoom(this.#origin(seen, origin), PER_ORIGIN) && hasRoom(seen, PER_KIND)) this.#log.info(facts, kind)
  }

  /** Says what was counted and not said yet. */
  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#sum()
  }

  #kind(kind: string): SeenKind {
    let seen = this.#kinds.get(kind)
    if (!seen) {
      seen = { lines: 0, repeated: 0, origins: new Map() }
      this.#kinds.set(kind, seen)
      this.#timer ??= setTimeout(() => this.#sum(), WINDOW).unref()
    }
    return seen
  }

  /** Null: it is not told apart. */
  #origin({ origins }: SeenKind, origin: string): Seen | null {
    let seen = origins.get(origin) ?? null
    if (!seen && this.#origins < MAX_ORIGINS) {
      seen = { lines: 0, repeated: 0 }
      origins.set(origin, seen)
      this.#origins++
    }
    return seen
  }

  #sum(): void {
    this.#timer = null
    const kinds = [...this.#kinds]
    this.#kinds.clear()
    this.#origins = 0
    for (const [kind, { repeated, origins }] of kinds) {
      if (repeated > 0) this.#log.info({ repeated }, `${kind}, repeatedly`)
      for (const [origin, { repeated }] of origins)
        if (repeated > 0) this.#log.info({ origin, repeated }, `${kind}, repeatedly`)
    }
  }
}

/** Takes a line, where there is one left; else it is counted. */
function hasRoom(seen: Seen | null, most: number): boolean {
  if (!seen) return true
  if (seen.lines < most) {
    seen.lines++
    return true
  }
  seen.repeated++
  return false
}
