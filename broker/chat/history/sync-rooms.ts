/** Chooses the rooms that `sync` tells of, and their order. Reads no messages: what is in memory of each room of the user. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Place } from '../../../schemas/commands/sync.js'
import type { CommandParams } from '../../../schemas/commands.js'
import type { LogGrowth } from '../../store/logs.js'
import { movedAt } from '../../store/receipts.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { logs } from '../model/views.js'
import type { Receipts } from '../presence/receipts.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import { Growth, OVERLAP } from './log-growth.js'
import type { SyncKey, SyncPoint } from './sync-token.js'
import type { UserNews } from './sync-user.js'

/** Rooms that are looked at in one turn of the event loop. */
const ROOMS_PER_TURN = 500
/** Above the rank of any commit: rooms in which somebody spoke since the first page come last, lest they move from page to page. */
const LAST = 0

export interface SyncedRoom extends SyncKey {
  readonly member: MemberRecord
  readonly messages: LogGrowth
  readonly events: LogGrowth
}

export interface Selection {
  readonly order: NonNullable<CommandParams<'sync'>['order']>
  /** Of the first page. */
  readonly start: Pick<SyncPoint, 'commit'>
  /** Since when; null: all rooms. */
  readonly since: SyncPoint | null
  readonly news: UserNews
  /** What the client says it knows, by room. */
  readonly places: Readonly<Record<string, Place>>
}

export interface SyncRoomsDeps {
  readonly store: Store
  readonly receipts: Receipts
  readonly largeRooms: LargeRoomPolicy
}

export class SyncRooms {
  readonly #deps: SyncRoomsDeps
  readonly #growth: Growth

  constructor(deps: SyncRoomsDeps, growth = new Growth(deps.store.log)) {
    this.#deps = deps
    this.#growth = growth
  }

  /** The rooms behind `after`, in their order. */
  async select(user: string, after: SyncKey | null, selection: Selection): Promise<SyncedRoom[]> {
    const { store } = this.#deps
    const members = [...store.directory.memberships(user).values()]
    const found: SyncedRoom[] = []
    for (let i = 0; i < members.length; i += ROOMS_PER_TURN) {
      if (i > 0) await nextTurn()
      const page = members.slice(i, i + ROOMS_PER_TURN)
      const names = page.flatMap(({ room }) => [logs.messages(room), logs.roomEvents(room)])
      const growth = await store.log.openAll(names)
      for (const [j, member] of page.entries()) {
        const [messages, events] = [growth[2 * j]!, growth[2 * j + 1]!]
        const room = { room: member.room, rank: rankOf(messages, events, selection), member, messages, events }
        if (after !== null && compare(room, after) <= 0) continue
        const hasNews = this.#hasNews(room, selection)
        // Mostly without a promise, as there may be thousands of rooms.
        if (hasNews === true || (hasNews !== false && (await hasNews))) found.push(room)
      }
    }
    return found.sort(compare)
  }

  #hasNews({ room, member, messages, events }: SyncedRoom, selection: Selection): boolean | Promise<boolean> {
    const { since, news, places } = selection
    if (since === null) return true
    const place = Object.hasOwn(places, room) ? places[room]! : null
    if (isNewSince(member, since) || news.settings.has(room)) return true
    if (this.#hasReceipts(member, Math.max(since.ts, place?.ts ?? 0) - OVERLAP)) return true
    const hasMessages = place ? place.seq !== messages.head : this.#growth.hasGrown(messages, since)
    const hasEvents = place?.events === undefined ? this.#growth.hasGrown(events, since) : place.events !== events.head
    // A promise is awaited whatever the other one says: it may reject.
    return typeof hasMessages === 'boolean' && typeof hasEvents === 'boolean'
      ? hasMessages || hasEvents
      : either(hasMessages, hasEvents)
  }

  /** Whether the user has read something, or may know of the receipt of another one. Unix ms. */
  #hasReceipts(member: MemberRecord, since: number): boolean {
    const { store, receipts, largeRooms } = this.#deps
    const { room, user } = member
    if (movedAt(receipts.of(member)) >= since) return true
    if (store.receipts.latest(room) < since || largeRooms.suppresses(room, 'receipts')) return false
    for (const other of store.directory.members(room).values())
      if ((receipts.storedFor(other, user)?.at ?? 0) >= since) return true
    return false
  }
}

async function either(...ones: readonly (boolean | Promise<boolean>)[]): Promise<boolean> {
  return (await Promise.all(ones)).includes(true)
}

/** Whether the user joined, or came back, since; with some overlap. */
export function isNewSince({ since: joined }: MemberRecord, { ts }: SyncPoint): boolean {
  return joined >= ts - OVERLAP
}

function rankOf(messages: LogGrowth, events: LogGrowth, { order, start }: Selection): number {
  if (order === 'room') return LAST
  const spoken = Math.max(messages.spokenIn || messages.incarnation, events.incarnation)
  return spoken > start.commit ? LAST : spoken
}

function compare(a: SyncKey, b: SyncKey): number {
  if (a.rank !== b.rank) return b.rank - a.rank
  return a.room < b.room ? -1 : a.room > b.room ? 1 : 0
}
