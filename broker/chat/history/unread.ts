/** What a member has not read, counted when it is asked for: nothing is written per recipient. */
import { isDirectRoom } from '../../../schemas/ids.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { logs } from '../model/views.js'
import type { Receipts } from '../presence/receipts.js'
import { repliesBefore } from './history-scan.js'
import { type Counted, countMentions, isMentioned } from './mentions.js'

/** Counted at most: it stands for as many or more. */
const MOST_UNREAD = 100
/** Entries read at once, and their bytes. */
const PAGE = 200
const PAGE_BYTES = 1024 * 1024
/** Replies of a thread read at once, each by itself. */
const REPLIES = 50

export interface UnreadCounts {
  /** The last message the member has read, or the last one from before they came. */
  readonly read: number
  readonly unread: number
  readonly mentions: number
  /** More may be there than was looked at. */
  readonly atLeast?: true
}

/** What is looked at for one count, from the newest on: entries and their bytes; for mentions, messages that mention anyone. */
export interface UnreadBounds {
  readonly unreadEntries: number
  readonly unreadBytes: number
  readonly unreadMentions: number
}

/** Numbers, the first and the last. */
type Range = readonly [number, number]

/** Entries, newest first, and the lowest number looked at. */
interface Slice {
  readonly entries: readonly LogEntry[]
  readonly reached: number
}

type Slices = (before: number, limit: number, maxBytes: number) => Promise<Slice>

export class Unread {
  readonly #store: Store
  readonly #receipts: Receipts
  readonly #bounds: UnreadBounds

  constructor(store: Store, receipts: Receipts, bounds: UnreadBounds) {
    this.#store = store
    this.#receipts = receipts
    this.#bounds = bounds
  }

  async of(member: MemberRecord): Promise<UnreadCounts> {
    const { room, user } = member
    const log = logs.messages(room)
    const { head } = await this.#store.log.open(log)
    const read = this.#readBy(member)
    if (read >= head) return { read, unread: 0, mentions: 0 }
    const range: Range = [read + 1, head]
    const slice: Slices = (before, limit, maxBytes) => this.#newest(log, before, limit, maxBytes)
    const unread = await this.#count(range, slice, (entry) => isUnread(entry, user) && !isInThread(entry))
    const most = { counted: MOST_UNREAD, lookedAt: this.#bounds.unreadMentions }
    return counts(read, unread, await countMentions(this.#store.notes, log, user, range, most))
  }

  /** Replies in a thread, since what the member read there; where that is not known, since what they read of the room. */
  async ofThread(member: MemberRecord, thread: number): Promise<UnreadCounts> {
    const { room, user, joined } = member
    const log = logs.messages(room)
    const { head } = await this.#store.log.open(log)
    const record = this.#receipts.of(member)
    const placed = record.threads?.[thread] ?? Math.max(record.read, joined.messages)
    const read = Math.max(placed, isDirectRoom(room) ? joined.messages : 0)
    const range: Range = [read + 1, head]
    const slice: Slices = (before, limit) => this.#newestIn(log, thread, [read + 1, before - 1], limit)
    const unread = await this.#count(range, slice, (entry) => isUnread(entry, user))
    return counts(read, unread, await this.#mentionsIn(log, thread, user, range))
  }

  /** What the member marked as unread counts from there; not what was before them in a direct conversation. */
  #readBy(member: MemberRecord): number {
    const { room, joined, settings } = member
    const read = Math.max(this.#receipts.of(member).read, joined.messages)
    if (!settings?.unreadFrom) return read
    return Math.max(Math.min(read, settings.unreadFrom - 1), isDirectRoom(room) ? joined.messages : 0)
  }

  /** From the newest back: those are in memory, and the same for all who have been away. */
  async #count([first, last]: Range, slice: Slices, counts: (entry: LogEntry) => boolean): Promise<Counted> {
    let [entriesLeft, bytesLeft] = [this.#bounds.unreadEntries, this.#bounds.unreadBytes]
    let count = 0
    for (let before = last + 1; before > first; ) {
      if (entriesLeft <= 0 || bytesLeft <= 0) return { count, cut: true }
      const { entries, reached } = await slice(before, Math.min(PAGE, entriesLeft), Math.min(PAGE_BYTES, bytesLeft))
      for (const entry of entries) if (entry.seq >= first && counts(entry)) count++
      if (count >= MOST_UNREAD) return { count: MOST_UNREAD, cut: false }
      entriesLeft -= entries.length
      bytesLeft -= entries.reduce((sum, { payload }) => sum + payload.length, 0)
      before = reached
    }
    return { count, cut: false }
  }

  async #newest(log: LogName, before: number, limit: number, maxBytes: number): Promise<Slice> {
    const page = await this.#store.log.readBefore(log, before, limit, maxBytes, 'shown')
    return { entries: page.toReversed(), reached: page[0]?.seq ?? 0 }
  }

  async #newestIn(log: LogName, thread: number, range: Range, limit: number): Promise<Slice> {
    const seqs = await repliesBefore(this.#store.notes, log, thread, range, Math.min(limit, REPLIES))
    const entries: LogEntry[] = []
    for (const seq of seqs) {
      const [entry] = await this.#store.log.read(log, seq - 1, 1, 1, 'shown')
      if (entry?.seq === seq) entries.push(entry)
    }
    return { entries, reached: seqs.at(-1) ?? 0 }
  }

  /** By the notes of the replies, whatever those say. */
  async #mentionsIn(log: LogName, thread: number, user: string, [first, last]: Range): Promise<Counted> {
    const { notes } = this.#store
    let left = this.#bounds.unreadMentions
    let count = 0
    for (let before = last + 1; before > first && count < MOST_UNREAD; ) {
      if (left <= 0) return { count, cut: true }
      const seqs = await repliesBefore(notes, log, thread, [first, before - 1], PAGE)
      const found = await notes.getMany(log, 'mention', seqs)
      count += found.filter((note) => note !== null && isMentioned(user, note)).length
      left -= seqs.length
      before = seqs.at(-1) ?? 0
    }
    return { count: Math.min(count, MOST_UNREAD), cut: false }
  }
}

function counts(read: number, unread: Counted, mentions: Counted): UnreadCounts {
  const shown = { read, unread: unread.count, mentions: mentions.count }
  return unread.cut || mentions.cut ? { ...shown, atLeast: true } : shown
}

/** Neither one's own, nor about another, nor gone. */
function isUnread({ aside, gone, from }: LogEntry, user: string): boolean {
  return !aside && !gone && from !== user
}

function isInThread({ payload }: LogEntry): boolean {
  return payload.includes('"thread":') && JSON.parse(payload.toString('utf8')).thread !== undefined
}
