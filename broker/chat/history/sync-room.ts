/** The update of one room in `sync`: new messages, changes to messages the client has, receipts, unread counts. */

import type { Place } from '../../../schemas/commands/sync.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { MemberRecord, RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { countFitting } from '../model/paging.js'
import { logs } from '../model/views.js'
import { publicReceipt, type Receipts } from '../presence/receipts.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import { describeRoom } from '../rooms/room-view.js'
import { FoldedMessages } from './folded.js'
import { renderAll } from './history-page.js'
import { scanMessages } from './history-scan.js'
import { changedTargets } from './sync-changes.js'
import type { Unread } from './unread.js'

/** Receipts up to this many ms older than the client's last sync are sent again, because they may not have been durable then. */
const RECEIPTS_AGAIN = 60_000

export interface RoomSyncDeps {
  readonly store: Store
  readonly unread: Unread
  readonly receipts: Receipts
  readonly largeRooms: LargeRoomPolicy
}

export interface RoomSyncQuery {
  /** Position of the client in the room; null: the room is new to the client. */
  readonly place: Place | null
  /** The client's positions are invalid, because the store is another one (`epoch`). */
  readonly void: boolean
  readonly limit: number
  /** Of the whole page. */
  readonly maxBytes: number
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

  constructor(deps: RoomSyncDeps) {
    this.#deps = deps
  }

  /** JSON; null: the room was deleted meanwhile. */
  async render(actor: Actor, member: MemberRecord, query: RoomSyncQuery): Promise<string | null> {
    const { store, unread, receipts } = this.#deps
    const { room } = member
    const ts = Date.now()
    const log = await this.#open(member)
    const events = (await store.log.open(logs.roomEvents(room))).head
    const record = store.directory.room(room)
    if (!record) return null
    const known = await this.#known(log, record, query)
    const folded = new FoldedMessages(store, log.name, member.user)
    const changes = known ? await this.#changes(log, known.seq, folded, query.maxBytes / 4) : null
    const since = known && changes ? known.seq : 0
    const messages = await this.#messages(log, since, folded, { ...query, maxBytes: query.maxBytes / 2 })
    const fresh = since === 0 ? 0 : (known?.ts ?? 0)
    const deps = {
      room,
      at: { seq: log.head, ...(await this.#idAt(log, log.head)), events, created: record.createdAt, ts },
      reset: query.place !== null && query.place.seq > 0 && since === 0,
      ...gapOf(log, since),
      tail: log.first,
      head: log.head,
      ...(await unread.of(member)),
      delivered: receipts.of(member).delivered,
      ...this.#receipts(member, fresh, query.maxBytes / 8),
    }
    const news = known?.events === events ? '' : `,"info":${await describeRoom(this.#deps, actor, record)}`
    return `${JSON.stringify(deps).slice(0, -1)},${messages},"changed":[${(changes ?? []).join(',')}]${news}}`
  }

  async #open({ room, joined }: MemberRecord): Promise<Log> {
    const name = logs.messages(room)
    const { head, tail } = await this.#deps.store.log.open(name)
    // A user of a deleted and re-registered name does not see the past of a direct conversation.
    return { name, head, tail, first: Math.max(tail, isDirectRoom(room) ? joined.messages + 1 : 1) }
  }

  /** The client's position, if it is one of this incarnation of the log. */
  async #known(log: Log, record: RoomRecord, { place, void: isVoid }: RoomSyncQuery): Promise<Place | null> {
    if (!place || isVoid || place.seq > log.head) return null
    if (place.created !== undefined && place.created !== record.createdAt) return null
    if (place.id === undefined) return place
    const { id } = await this.#idAt(log, place.seq)
    return id === undefined || id === place.id ? place : null
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
    const shown = visible.filter(({ at }) => at >= since - RECEIPTS_AGAIN).map(publicReceipt)
    return JSON.stringify(shown).length > maxBytes ? {} : { receipts: shown }
  }
}

/** The range that retention removed after the client's position. */
function gapOf({ tail, first }: Log, since: number) {
  return since > 0 && tail > since + 1 && tail === first ? { gap: { from: since + 1, to: tail - 1 } } : {}
}
