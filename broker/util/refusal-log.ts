import type { Logger } from 'pino'

/** Milliseconds over which repeated refusals are counted. */
const WINDOW = 60_000
/** Lines of one kind within a window: of one origin, and in total. */
const PER_ORIGIN = 10
const PER_KIND = 1000
/** Most origins counted separately; beyond it only the limit per kind applies. */
const MAX_ORIGINS = 10_000

interface LineCount {
  lines: number
  repeated: number
}

interface KindCount extends LineCount {
  readonly origins: Map<string, LineCount>
}

/**
 * Logs refused requests. A client that is refused over and over (password guessing, a broken script) gets a few lines a
 * minute and one line with the number of the others, so that it can neither fill the disk nor hide other lines.
 */
export class RefusalLog {
  readonly #log: Logger
  readonly #kinds = new Map<string, KindCount>()
  /** Origins counted separately, of all kinds. */
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
    // The origin's limit is checked first: an origin over it must not use up the lines of the kind.
    if (takeLine(this.#origin(seen, origin), PER_ORIGIN) && takeLine(seen, PER_KIND)) this.#log.info(facts, kind)
  }

  /** Logs the counts that are not logged yet. */
  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#logCounts()
  }

  #kind(kind: string): KindCount {
    let seen = this.#kinds.get(kind)
    if (!seen) {
      seen = { lines: 0, repeated: 0, origins: new Map() }
      this.#kinds.set(kind, seen)
      this.#timer ??= setTimeout(() => this.#logCounts(), WINDOW).unref()
    }
    return seen
  }

  /** Null: this origin is not counted separately. */
  #origin({ origins }: KindCount, origin: string): LineCount | null {
    let seen = origins.get(origin) ?? null
    if (!seen && this.#origins < MAX_ORIGINS) {
      seen = { lines: 0, repeated: 0 }
      origins.set(origin, seen)
      this.#origins++
    }
    return seen
  }

  #logCounts(): void {
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

/** Uses up one line if there is one left, else counts a repetition. */
function takeLine(seen: LineCount | null, most: number): boolean {
  if (!seen) return true
  if (seen.lines < most) {
    seen.lines++
    return true
  }
  seen.repeated++
  return false
}
