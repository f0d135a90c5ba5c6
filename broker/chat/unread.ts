/** What a member has not read, counted when it is asked for: nothing is written per recipient. */
import { isDirectRoom } from '../../schemas/ids.js'
import type { LogEntry, MemberRecord, Store } from '../store/store.js'
import { scanThread } from './history-scan.js'
import { countMentions, isMentioned } from './mentions.js'
import type { Receipts } from './receipts.js'
import { logs } from './views.js'

/** Counted at most: it stands for as many or more. */
export const MOST_UNREAD = 100
/** Entries looked at for one count, from the newest on. */
const MOST_LOOKED_AT = 2000
/** Entries read at once, and their bytes. */
const PAGE = 200
const PAGE_BYTES = 1024 * 1024

export interface UnreadCounts {
  /** The last message the member has read, or the last one from before they came. */
  readonly read: number
  readonly unread: number
  readonly mentions: number
}

export class Unread {
  readonly #store: Store
  readonly #receipts: Receipts

  constructor(store: Store, receipts: Receipts) {
    this.#store = store
    this.#receipts = receipts
  }

  async of(member: MemberRecord): Promise<UnreadCounts> {
    const { room, user } = member
    const log = logs.messages(room)
    const { head } = await this.#store.log.open(log)
    const read = this.#readBy(member)
    if (read >= head) return { read, unread: 0, mentions: 0 }
    const unread = await this.#messages(log, user, read, head)
    const mentions = await countMentions(this.#store.notes, log, user, [read + 1, head])
    return { read, unread, mentions: Math.min(mentions, MOST_UNREAD) }
  }

  /** Replies in a thread, since what the member read there; where that is not known, since what they read of the room. */
  async ofThread(member: MemberRecord, thread: number): Promise<UnreadCounts> {
    const { room, user, joined } = member
    const log = logs.messages(room)
    const { head } = await this.#store.log.open(log)
    const record = this.#receipts.of(member)
    const placed = record.threads?.[thread] ?? Math.max(record.read, joined.messages)
    const read = Math.max(placed, isDirectRoom(room) ? joined.messages : 0)
    const scan = {
      direction: 'back',
      first: read + 1,
      last: head,
      limit: 2 * MOST_UNREAD,
      maxBytes: PAGE_BYTES,
    } as const
    const { entries } = await scanThread(this.#store, log, thread, scan)
    const fresh = entries.filter(({ from, gone }) => from !== user && !gone).slice(0, MOST_UNREAD)
    const seqs = fresh.map(({ seq }) => seq)
    const notes = await this.#store.notes.getMany(log, 'mention', seqs)
    const mentions = notes.filter((note) => note !== null && isMentioned(user, note)).length
    return { read, unread: fresh.length, mentions }
  }

  /** What the member marked as unread counts from there; not what was before them in a direct conversation. */
  #readBy(member: MemberRecord): number {
    const { room, joined, settings } = member
    const read = Math.max(this.#receipts.of(member).read, joined.messages)
    if (!settings?.unreadFrom) return read
    return Math.max(Math.min(read, settings.unreadFrom - 1), isDirectRoom(room) ? joined.messages : 0)
  }

  /** From the head back: the newest entries are in memory, and the same for all who have been away. */
  async #messages(log: string, user: string, read: number, head: number): Promise<number> {
    let count = 0
    for (let before = head + 1, looked = 0; before > read + 1 && looked < MOST_LOOKED_AT; looked += PAGE) {
      const page = await this.#store.log.readBefore(log, before, PAGE, PAGE_BYTES, 'shown')
      if (page.length === 0) break
      before = page[0]!.seq
      count += page.filter((entry) => entry.seq > read && isUnread(entry, user)).length
      if (count >= MOST_UNREAD) return MOST_UNREAD
    }
    return count
  }
}

/** Neither one's own, nor about another, nor in a thread, nor gone. */
function isUnread({ aside, gone, from, payload }: LogEntry, user: string): boolean {
  if (aside || gone || from === user) return false
  return !payload.includes('"thread":') || JSON.parse(payload.toString('utf8')).thread === undefined
}
