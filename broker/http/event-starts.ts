/**
 * Where an event stream starts in each log: at the position in `Last-Event-ID`, or now; and the gaps that cannot be
 * replayed.
 */
import type { SubscriberServices } from '../following/services.js'
import type { View } from '../hub.js'
import { isPositionIn } from '../store/logs.js'
import type { Store } from '../store/store.js'
import { isOfEpoch, type Position, type SentUpTo, TOLERANCE } from './event-id.js'

/** `reset`: the client's position belongs to a former log of that name. */
export type Gap = { topic: string; after: number; next: number; reset?: true }

/** Most entries of a log that are replayed. */
const MOST_REPLAYED = 1000
/** Entries, and bytes, read at once. */
const PAGE = 100
const PAGE_BYTES = 1024 * 1024

export class ReplayStarts {
  readonly #services: SubscriberServices
  readonly #user: string
  /** Null: the stream starts now. */
  readonly #position: Position | null
  readonly #gaps = new Map<string, Gap>()
  /** Cursors of logs with a very recent entry: its timestamp does not tell whether the stream had it. */
  readonly recent = new Set<string>()

  /** @param filters Key of the current filters; a position with another key counts only for the logs it names. */
  constructor(services: SubscriberServices, user: string, position: Position | null, filters: string) {
    this.#services = services
    this.#user = user
    this.#position = position
    this.#sameFilters = position?.filters === filters
  }

  readonly #sameFilters: boolean

  get gaps(): Gap[] {
    return [...this.#gaps.values()]
  }

  /** The number after which the stream continues in a log that ends at `head`. */
  async of(view: View, head: number): Promise<number> {
    const { store, views } = this.#services
    if (await isRecent(store, view, head)) this.recent.add(view.cursor)
    if (!this.#position) return head
    const joined = views.start(view, this.#user)
    const asked = Math.max(await this.#wanted(view, head, joined), joined)
    const { tail } = await store.log.open(view.log)
    const start = Math.max(asked, head - MOST_REPLAYED, tail - 1)
    const known = this.#gaps.get(view.cursor)
    if (start > asked || known?.reset)
      this.#gaps.set(view.cursor, { ...known, topic: view.topic, after: asked, next: start + 1 })
    return start
  }

  async #wanted(view: View, head: number, joined: number): Promise<number> {
    const { time, cursors, complete } = this.#position!
    const last = cursors.get(view.cursor)
    if (last !== undefined) {
      if (last.seq <= head && (await this.#isOfThisLog(view, last))) return last.seq
      this.#gaps.set(view.cursor, { topic: view.topic, after: 0, next: 1, reset: true })
      return 0
    }
    // The log was not covered by the former filters.
    if (!this.#sameFilters) return head
    if (time !== null) return await lastBefore(this.#services.store, view, head, time - TOLERANCE)
    if (complete) return joined
    // A truncated id of an older version: entries may have been missed.
    this.#gaps.set(view.cursor, { topic: view.topic, after: joined, next: head + 1 })
    return head
  }

  /** Whether a number of the position is one of the log as it is. */
  async #isOfThisLog(view: View, { seq, incarnation }: SentUpTo): Promise<boolean> {
    const { store } = this.#services
    if (!isOfEpoch(this.#position!, store.epoch)) return seq === 0
    // An id of an older version, or of a log that had no entry.
    if (incarnation === 0 && (await this.#isNewLog(view))) return false
    return isPositionIn(await store.log.open(view.log), seq, incarnation)
  }

  /** Whether the log is newer than the position: its room or user was created since. */
  async #isNewLog({ room, log }: View): Promise<boolean> {
    const { time } = this.#position!
    const { directory } = this.#services.store
    const owned = log.startsWith('n:') || log.startsWith('u:')
    const record = room !== null ? directory.room(room) : owned ? await directory.user(this.#user) : undefined
    return time !== null && (record?.createdAt ?? 0) > time
  }
}

/** Also true if the last entry is gone already. */
async function isRecent(store: Store, { log }: View, head: number): Promise<boolean> {
  if (head === 0) return false
  const [entry] = await store.log.read(log, head - 1, 1, 1)
  return entry === undefined || entry.ts > Date.now() - TOLERANCE
}

/** The number of the last entry up to `time`, within the replay limit; 0: all entries read are newer. */
async function lastBefore(store: Store, { log }: View, head: number, time: number): Promise<number> {
  // If the clock was set back, timestamps do not tell what came since.
  if (Date.now() < time) return 0
  for (let next = head + 1, limit = 1; next > 1 && next > head - MOST_REPLAYED; limit = PAGE) {
    const page = await store.log.readBefore(log, next, limit, PAGE_BYTES)
    const older = page.findLast(({ ts }) => ts <= time)
    // Entries behind it that were withheld then stay withheld.
    if (older) return next === head + 1 && older === page.at(-1) ? head : older.seq
    if (page.length === 0) return 0
    next = page[0]!.seq
  }
  return 0
}
