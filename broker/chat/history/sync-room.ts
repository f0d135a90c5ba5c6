/** The update of one room in `sync`: new messages, changes to messages the client has, receipts, unread counts. */

import type { Place } from '../../../schemas/commands/sync.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry, LogGrowth, LogInfo } from '../../store/logs.js'
import type { MemberRecord, RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { countFitting } from '../model/paging.js'
import { hiddenFrom, logs } from '../model/views.js'
import { publicReceipt, type Receipts } from '../presence/receipts.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import { shownSettings } from '../rooms/room-preferences.js'
import { describeRoom } from '../rooms/room-view.js'
import { FoldedMessages } from './folded.js'
import { renderAll } from './history-page.js'
import { scanMessages } from './history-scan.js'
import { type Growth, OVERLAP } from './log-growth.js'
import { changedTargets, lastBefore } from './sync-changes.js'
import { isNewSince } from './sync-rooms.js'
import type { SyncPoint } from './sync-token.js'
import type { Unread } from './unread.js'

export interface RoomSyncDeps {
  readonly store: Store
  readonly unread: Unread
  readonly receipts: Receipts
  readonly largeRooms: LargeRoomPolicy
}

export interface RoomSyncQuery {
  /** Position of the client in the room, as it says; null: it says nothing. */
  readonly place: Place | null
  /** The client's positions are invalid, because the store is another one (`epoch`). */
  readonly void: boolean
  /** Whatever it has is void. */
  readonly reset: boolean
  /** When the client was up to date, for a room in which it says no position; null: never. */
  readonly since: SyncPoint | null
  readonly limit: number
  /** Of the whole page. */
  readonly maxBytes: number
}

/** What the client has of a room. */
interface Position {
  readonly seq: number
  /** Unix ms: receipts up to then; 0: none. */
  readonly ts: number
  /** Whether it knows what the room is like. */
  readonly hasInfo: boolean
}

/** The state of a room's log. */
interface Log {
  readonly name: LogName
  readonly head: number
  /** The first seq the reader may see. */
  readonly first: number
  readonly tail: number
}

export class RoomSync {
  readonly #deps: RoomSyncDeps
  readonly #growth: Growth

  constructor(deps: RoomSyncDeps, growth: Growth) {
    this.#deps = deps
    this.#growth = growth
  }

  /** JSON; null: the room was deleted meanwhile. */
  async render(actor: Actor, member: MemberRecord, query: RoomSyncQuery): Promise<string | null> {
    const { store, unread, receipts } = this.#deps
    const { room } = member
    const ts = Date.now()
    const [messages, events] = await store.log.openAll([logs.messages(room), logs.roomEvents(room)])
    const log = openedBy(member, messages!)
    const record = store.directory.room(room)
    if (!record) return null
    const known = query.place
      ? await this.#known(log, events!, record, query.place, query)
      : await this.#knownSince(log, messages!, events!, member, query.since)
    const folded = new FoldedMessages(store, log.name, member.user)
    const changes = known ? await this.#changes(log, known.seq, folded, query.maxBytes / 4) : null
    const since = known && changes ? known.seq : 0
    const shown = await this.#messages(log, since, folded, { ...query, maxBytes: query.maxBytes / 2 })
    const hadAny = query.place ? query.place.seq > 0 : query.since !== null && known?.seq !== 0
    const isReset = since === 0 && (query.reset || hadAny)
    const deps = {
      room,
      at: { seq: log.head, ...(await this.#idAt(log, log.head)), events: events!.head, created: record.createdAt, ts },
      since,
      reset: isReset,
      ...gapOf(log, since),
      tail: log.first,
      head: log.head,
      ...(await unread.of(member, log.head)),
      delivered: receipts.of(member).delivered,
      mine: shownSettings(store.directory.member(room, member.user) ?? member, messages!),
      ...this.#receipts(member, isReset ? 0 : (known?.ts ?? 0), query.maxBytes / 8),
    }
    const news = known?.hasInfo && !isReset ? '' : `,"info":${await describeRoom(this.#deps, actor, record)}`
    return `${JSON.stringify(deps).slice(0, -1)},${shown},"changed":[${(changes ?? []).join(',')}]${news}}`
  }

  /** The client's position, if it is one of this incarnation of the log. */
  async #known(
    log: Log,
    events: LogGrowth,
    record: RoomRecord,
    place: Place,
    query: RoomSyncQuery,
  ): Promise<Position | null> {
    if (query.void || place.seq > log.head) return null
    if (place.created !== undefined && place.created !== record.createdAt) return null
    const { since } = query
    const hasInfo = place.events === undefined ? await this.#hasInfo(events, since) : place.events === events.head
    const position = { seq: place.seq, ts: place.ts ?? since?.ts ?? 0, hasInfo }
    if (place.id === undefined) return position
    const { id } = await this.#idAt(log, place.seq)
    return id === undefined || id === place.id ? position : null
  }

  async #hasInfo(events: LogGrowth, since: SyncPoint | null): Promise<boolean> {
    return since !== null && !(await this.#growth.hasGrown(events, since))
  }

  /**
   * What a client has that was up to date then. Of logs it is known in which commit they grew, of entries only when they were made: the client may
   * have more than that, and if it has less (a commit took long), it sees that from `since`.
   */
  async #knownSince(
    log: Log,
    messages: LogGrowth,
    events: LogGrowth,
    member: MemberRecord,
    since: SyncPoint | null,
  ): Promise<Position | null> {
    if (since === null || isNewSince(member, since)) return null
    const { ts, commit } = since
    const hasInfo = await this.#hasInfo(events, since)
    if (!(await this.#growth.hasGrown(messages, since))) return { seq: log.head, ts, hasInfo }
    // The log began since.
    if (messages.incarnation > commit) return { seq: 0, ts, hasInfo }
    const seq = await lastBefore(this.#deps.store.log, log, ts - OVERLAP)
    return seq === null ? null : { seq: Math.min(seq, log.head - 1), ts, hasInfo }
  }

  /** Id of the message at `seq`; empty if there is none. */
  async #idAt({ name, first }: Log, seq: number): Promise<{ id?: string }> {
    if (seq < first) return {}
    const [entry] = await this.#deps.store.log.read(name, seq - 1, 1, 1)
    return entry?.seq === seq ? { id: JSON.parse(entry.payload.toString('utf8')).id } : {}
  }

  /** Messages that the client has and that were changed since, in their present form. Null: too many; the client starts anew. */
  async #changes(log: Log, since: number, folded: FoldedMessages, maxBytes: number): Promise<string[] | null> {
    const { store } = this.#deps
    const targets = await changedTargets(store, log.name, Math.max(since, log.tail - 1), log.head)
    if (!targets) return null
    const changed = [...targets].filter((seq) => seq <= since && seq >= log.first).sort((a, b) => a - b)
    const entries: LogEntry[] = []
    for (const seq of changed) entries.push(...(await store.log.read(log.name, seq - 1, 1, 1, 'shown')))
    const deps = await renderAll(entries, (present) => folded.render(present))
    const bytes = deps.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
    return bytes > maxBytes ? null : deps
  }

  /** `"messages":[…],"more":…`: the newest that fit, in ascending order. */
  async #messages(
    { name, head, first }: Log,
    since: number,
    folded: FoldedMessages,
    { limit, maxBytes }: Pick<RoomSyncQuery, 'limit' | 'maxBytes'>,
  ): Promise<string> {
    const lowest = Math.max(first, since + 1)
    if (lowest > head) return '"messages":[],"more":false'
    const scan = { direction: 'back', first: lowest, last: head, limit, maxBytes } as const
    const { entries, more, position } = await scanMessages(this.#deps.store, name, scan)
    const deps = await renderAll(entries, (present) => folded.render(present))
    const count = countFitting(deps, (part) => Buffer.byteLength(part), maxBytes, 0)
    const cut = count < deps.length
    const at = cut ? (entries[count - 1]?.seq ?? head + 1) : position
    const shown = deps.slice(0, count).reverse()
    return `"messages":[${shown.join(',')}],"more":${cut || more}${cut || more ? `,"before":${at}` : ''}`
  }

  #receipts({ room, user }: MemberRecord, since: number, maxBytes: number) {
    const { store, receipts, largeRooms } = this.#deps
    if (largeRooms.suppresses(room, 'receipts')) return {}
    const visible = [...store.directory.members(room).values()].flatMap(
      (member) => receipts.storedFor(member, user) ?? [],
    )
    const shown = visible.filter(({ at }) => at >= since - OVERLAP).map(publicReceipt)
    return JSON.stringify(shown).length > maxBytes ? {} : { receipts: shown }
  }
}

/** The log as the member may read it. */
function openedBy(member: MemberRecord, { name, head, tail }: LogInfo): Log {
  return { name, head, tail, first: Math.max(tail, hiddenFrom(member) + 1) }
}

/** The range that retention removed after the client's position. */
function gapOf({ tail, first }: Log, since: number) {
  return since > 0 && tail > since + 1 && tail === first ? { gap: { from: since + 1, to: tail - 1 } } : {}
}
