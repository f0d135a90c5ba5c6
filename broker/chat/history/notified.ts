/**
 * How many unread messages notify a member. Counted when asked for, by the settings as they are then: a message costs nothing for it, whatever the
 * number of members with keywords, and a change of settings holds for what was said before, too.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MessageInput } from '../../../schemas/message.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import type { Keywords } from '../../util/keywords.js'
import type { NotificationRule } from '../rooms/notification-rules.js'
import { type BoundedCount, countMentions, isMentioned } from './mentions.js'
import { readState } from './message-state.js'
import { isInThread } from './threads.js'

/** Entries and bytes per read; the event loop goes on between two. */
const PAGE = 200
const PAGE_BYTES = 32 * 1024

export interface NotifiedQuery {
  readonly log: LogName
  readonly user: string
  /** First and last seq. */
  readonly range: readonly [number, number]
  /** What is counted of the range already. */
  readonly unread: BoundedCount
  readonly mentions: BoundedCount
}

export interface NotifiedBounds {
  /** Highest count. */
  readonly most: number
  readonly unreadEntries: number
  readonly unreadMentions: number
  readonly keywordBytes: number
}

export class Notified {
  readonly #store: Pick<Store, 'log' | 'notes'>
  readonly #bounds: NotifiedBounds

  constructor(store: Pick<Store, 'log' | 'notes'>, bounds: NotifiedBounds) {
    this.#store = store
    this.#bounds = bounds
  }

  async count(query: NotifiedQuery, { level, keywords }: NotificationRule): Promise<BoundedCount> {
    if (level === 'none') return { count: 0, partial: false }
    const byLevel = level === 'mentions' ? query.mentions : sumOf(query.unread, await this.#mentionsInThreads(query))
    if (!keywords || byLevel.count >= this.#bounds.most) return this.#capped(byLevel)
    const room = this.#bounds.most - byLevel.count
    return this.#capped(sumOf(byLevel, await this.#withKeywords(query, level, keywords, room)))
  }

  /** Those of `mentions` that are in threads: `unread` leaves these out. Reads nothing where they cannot change the count. */
  async #mentionsInThreads({ log, user, range, unread, mentions }: NotifiedQuery): Promise<BoundedCount> {
    if (mentions.count === 0 || unread.count >= this.#bounds.most) return { count: 0, partial: mentions.partial }
    const bounds = { count: this.#bounds.most, scanned: this.#bounds.unreadMentions, inThreads: true }
    return countMentions(this.#store.notes, log, user, range, bounds)
  }

  /** Messages with a keyword that do not notify by the level anyway, newest first. */
  async #withKeywords(
    { log, user, range: [first, last] }: NotifiedQuery,
    level: 'all' | 'mentions',
    keywords: Keywords,
    most: number,
  ): Promise<BoundedCount> {
    let [entriesLeft, bytesLeft, count] = [this.#bounds.unreadEntries, this.#bounds.keywordBytes, 0]
    for (let before = last + 1; before > first && count < most; ) {
      if (entriesLeft <= 0 || bytesLeft <= 0) return { count, partial: true }
      await nextTurn()
      const limits = [Math.min(PAGE, entriesLeft), Math.min(PAGE_BYTES, bytesLeft)] as const
      const page = await this.#store.log.readBefore(log, before, ...limits, 'shown')
      const candidates = page.filter((entry) => entry.seq >= first && isOfOthers(entry, user))
      const wanted = level === 'all' ? candidates.filter(isInThread) : candidates
      count += await this.#matching(log, user, keywords, wanted)
      entriesLeft -= page.length
      bytesLeft -= page.reduce((sum, { payload }) => sum + payload.length, 0)
      before = page[0]?.seq ?? 0
    }
    return { count, partial: false }
  }

  /** Of ascending entries, those with a keyword that do not mention the user. */
  async #matching(log: LogName, user: string, keywords: Keywords, entries: readonly LogEntry[]): Promise<number> {
    if (entries.length === 0) return 0
    const { notes } = this.#store
    const targets = [entries[0]!.seq, entries.at(-1)!.seq] as const
    const states = await notes.list(log, { kind: 'state', targets, limit: targets[1] - targets[0] + 1 })
    const edited = new Map(states.map(({ target, value }) => [target, readState(value).edited]))
    const found: number[] = []
    for (const entry of entries)
      if (keywords.isIn(await this.#textOf(log, entry, edited.get(entry.seq) ?? 0))) found.push(entry.seq)
    const mentions = await notes.getMany(log, 'mention', found)
    return mentions.filter((note) => note === null || !isMentioned(user, note)).length
  }

  /** As it is now. @param edited The last edit; 0: none. An edit that expired before the message does not count */
  async #textOf(log: LogName, entry: LogEntry, edited: number): Promise<string> {
    const [edit] = edited > 0 ? await this.#store.log.read(log, edited - 1, 1, 1) : []
    const { payload } = edit?.seq === edited ? edit : entry
    return (JSON.parse(payload.toString('utf8')) as MessageInput).text ?? ''
  }

  #capped({ count, partial }: BoundedCount): BoundedCount {
    return { count: Math.min(count, this.#bounds.most), partial: partial && count < this.#bounds.most }
  }
}

function sumOf(one: BoundedCount, other: BoundedCount): BoundedCount {
  return { count: one.count + other.count, partial: one.partial || other.partial }
}

/** Neither the user's own, nor a change, nor deleted. */
export function isOfOthers({ isChange, gone, from }: LogEntry, user: string): boolean {
  return !isChange && !gone && from !== user
}
