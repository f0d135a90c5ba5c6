/** Unread counts, computed when asked for: nothing is written per recipient. */
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { hiddenFrom, logs } from '../model/views.js'
import type { Receipts } from '../presence/receipts.js'
import type { NotificationRules } from '../rooms/notification-rules.js'
import { type BoundedCount, countMentions, isMentioned } from './mentions.js'
import { isOfOthers, Notified, type NotifiedBounds } from './notified.js'
import { isInThread, repliesBefore, threadOf } from './threads.js'

/** Upper bound of a count. */
const MAX_UNREAD = 100
/** Entries and bytes per read. */
const PAGE = 200
const PAGE_BYTES = 1024 * 1024
/** Replies of a thread per read; each is read by itself. */
const REPLIES = 50

export interface UnreadCounts {
  /** Seq of the last message the member has read, or of the head at the join. */
  readonly read: number
  readonly unread: number
  readonly mentions: number
  /** The work limit was reached: there may be more. */
  readonly atLeast?: true
}

/** Of a room. */
export interface RoomUnreadCounts extends UnreadCounts {
  /** Those that notify the member. */
  readonly notify: number
}

/** Limits of work for one count, from the newest message on: entries and bytes scanned; for mentions, notes read. */
export interface UnreadBounds extends Omit<NotifiedBounds, 'most'> {
  readonly unreadBytes: number
}

/** First and last seq. */
type Range = readonly [number, number]

/** Entries, newest first, and the lowest seq scanned. */
interface Slice {
  readonly entries: readonly LogEntry[]
  readonly position: number
}

type ReadSlice = (before: number, limit: number, maxBytes: number) => Promise<Slice>

export class Unread {
  readonly #store: Store
  readonly #receipts: Receipts
  readonly #bounds: UnreadBounds
  readonly #rules: NotificationRules
  readonly #notified: Notified

  constructor(store: Store, receipts: Receipts, rules: NotificationRules, bounds: UnreadBounds) {
    this.#rules = rules
    this.#notified = new Notified(store, { ...bounds, most: MAX_UNREAD })
    this.#store = store
    this.#receipts = receipts
    this.#bounds = bounds
  }

  /** `upTo`: counts as if this were the newest message, for who says that it was; left out: the newest one is. */
  async of(member: MemberRecord, upTo?: number): Promise<RoomUnreadCounts> {
    const { room, user } = member
    const log = logs.messages(room)
    const head = upTo ?? (await this.#store.log.open(log)).head
    const read = this.#readBy(member)
    if (read >= head) return { read, unread: 0, mentions: 0, notify: 0 }
    const range: Range = [read + 1, head]
    const slice: ReadSlice = (before, limit, maxBytes) => this.#newest(log, before, limit, maxBytes)
    const unread = await this.#count(range, slice, (entry) => isOfOthers(entry, user) && !isInThread(entry))
    const bounds = { count: MAX_UNREAD, scanned: this.#bounds.unreadMentions }
    const mentions = await countMentions(this.#store.notes, log, user, range, bounds)
    const notify = await this.#notified.count({ log, user, range, unread, mentions }, this.#rules.of(member))
    const { atLeast = notify.partial, ...shown } = counts(read, unread, mentions)
    return { ...shown, notify: notify.count, ...(atLeast ? { atLeast } : {}) }
  }

  /** Unread replies in a thread, after the member's receipt in the thread; without one, after the receipt in the room. */
  async ofThread(member: MemberRecord, thread: number): Promise<UnreadCounts> {
    const { room, user, joined } = member
    const log = logs.messages(room)
    const { head } = await this.#store.log.open(log)
    const record = this.#receipts.of(member)
    const placed = record.threads?.[thread] ?? Math.max(record.read, joined.messages)
    const read = Math.max(placed, hiddenFrom(member))
    const range: Range = [read + 1, head]
    const slice: ReadSlice = (before, limit) => this.#newestIn(log, thread, [read + 1, before - 1], limit)
    const unread = await this.#count(range, slice, (entry) => isOfOthers(entry, user))
    return counts(read, unread, await this.#mentionsIn(log, thread, user, range))
  }

  /** Whether the member has read the message: in the room, or in the thread it is in. */
  hasRead(member: MemberRecord, { seq, payload }: Pick<LogEntry, 'seq' | 'payload'>): boolean {
    if (seq <= this.#readBy(member)) return true
    const thread = threadOf(payload)
    return thread !== undefined && seq <= (this.#receipts.of(member).threads?.[thread] ?? 0)
  }

  /** The read receipt, or an earlier mark as unread, but never before the join to a direct conversation. */
  #readBy(member: MemberRecord): number {
    const { joined, settings } = member
    const read = Math.max(this.#receipts.of(member).read, joined.messages)
    if (!settings?.unreadFrom) return read
    return Math.max(Math.min(read, settings.unreadFrom - 1), hiddenFrom(member))
  }

  /** Counts from the newest entry backwards: the newest are likely in memory. */
  async #count([first, last]: Range, slice: ReadSlice, counts: (entry: LogEntry) => boolean): Promise<BoundedCount> {
    let [entriesLeft, bytesLeft] = [this.#bounds.unreadEntries, this.#bounds.unreadBytes]
    let count = 0
    for (let before = last + 1; before > first; ) {
      if (entriesLeft <= 0 || bytesLeft <= 0) return { count, partial: true }
      const { entries, position } = await slice(before, Math.min(PAGE, entriesLeft), Math.min(PAGE_BYTES, bytesLeft))
      for (const entry of entries) if (entry.seq >= first && counts(entry)) count++
      if (count >= MAX_UNREAD) return { count: MAX_UNREAD, partial: false }
      entriesLeft -= entries.length
      bytesLeft -= entries.reduce((sum, { payload }) => sum + payload.length, 0)
      before = position
    }
    return { count, partial: false }
  }

  async #newest(log: LogName, before: number, limit: number, maxBytes: number): Promise<Slice> {
    const page = await this.#store.log.readBefore(log, before, limit, maxBytes, 'shown')
    return { entries: page.toReversed(), position: page[0]?.seq ?? 0 }
  }

  async #newestIn(log: LogName, thread: number, range: Range, limit: number): Promise<Slice> {
    const seqs = await repliesBefore(this.#store.notes, log, thread, range, Math.min(limit, REPLIES))
    const entries: LogEntry[] = []
    for (const seq of seqs) {
      const [entry] = await this.#store.log.read(log, seq - 1, 1, 1, 'shown')
      if (entry?.seq === seq) entries.push(entry)
    }
    return { entries, position: seqs.at(-1) ?? 0 }
  }

  /** Counts by the notes of the replies, without reading these. */
  async #mentionsIn(log: LogName, thread: number, user: string, [first, last]: Range): Promise<BoundedCount> {
    const { notes } = this.#store
    let left = this.#bounds.unreadMentions
    let count = 0
    for (let before = last + 1; before > first && count < MAX_UNREAD; ) {
      if (left <= 0) return { count, partial: true }
      const seqs = await repliesBefore(notes, log, thread, [first, before - 1], PAGE)
      const found = await notes.getMany(log, 'mention', seqs)
      count += found.filter((note) => note !== null && isMentioned(user, note)).length
      left -= seqs.length
      before = seqs.at(-1) ?? 0
    }
    return { count: Math.min(count, MAX_UNREAD), partial: false }
  }
}

function counts(read: number, unread: BoundedCount, mentions: BoundedCount): UnreadCounts {
  const shown = { read, unread: unread.count, mentions: mentions.count }
  return unread.partial || mentions.partial ? { ...shown, atLeast: true } : shown
}
