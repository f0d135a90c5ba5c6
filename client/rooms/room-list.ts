/** The rooms of the user, as a list shows them. */
import type { LoggedMessage } from '../../schemas/commands/shown-message.js'
import { type Live, LiveValue } from '../base/live.js'
import type { Replica } from '../engine/replica.js'
import type { RoomState } from '../engine/room-state.js'

export interface RoomSummary {
  readonly room: string
  /** Name, topic, settings, `peer` of a conversation, the role of the user. */
  readonly info: RoomState['info']
  /** The user's own settings for the room. */
  readonly mine: RoomState['mine']
  /** The newest message, as it is now; null: none, or it is not known. */
  readonly last: LoggedMessage | null
  /** When something was said last, or else the room began; Unix ms. */
  readonly activeAt: number
  /** The last message that the user has read. */
  readonly read: number
  /** Up to 100, which stands for 100 or more. */
  readonly unread: number
  /** Of these and of replies, how many mention the user or everyone; up to 100. */
  readonly mentions: number
}

export interface Unread {
  /** Rooms in which something is unread. */
  readonly rooms: number
  readonly messages: number
  readonly mentions: number
}

export class RoomList {
  readonly #replica: Replica
  readonly #rooms = new LiveValue<readonly RoomSummary[]>([])
  readonly #unread = new LiveValue<Unread>({ rooms: 0, messages: 0, mentions: 0 })
  /** Those that are listed, by room: what is shown of one that has not changed stays the same object. */
  #summaries: ReadonlyMap<string, RoomSummary> = new Map()

  constructor(replica: Replica) {
    this.#replica = replica
    replica.subscribe((changed) => this.#show(changed))
  }

  /** The most active one first. */
  get rooms(): Live<readonly RoomSummary[]> {
    return this.#rooms
  }

  get unread(): Live<Unread> {
    return this.#unread
  }

  /** A client with thousands of rooms hears of them page by page: only those that have changed are compared. */
  #show(changed: ReadonlySet<string>): void {
    const rooms = [...this.#replica.rooms].map(([room, state]) => {
      const known = this.#summaries.get(room)
      if (known && !changed.has(room)) return known
      const { info, mine, last, activeAt, read, unread, mentions } = state
      const summary: RoomSummary = { room, info, mine, last, activeAt, read, unread, mentions }
      return known && isSame(summary, known) ? known : summary
    })
    this.#summaries = new Map(rooms.map((one) => [one.room, one]))
    rooms.sort((a, b) => b.activeAt - a.activeAt || (a.room < b.room ? -1 : 1))
    const shown = this.#rooms.current
    if (rooms.length !== shown.length || !isSame(rooms, shown)) this.#rooms.set(rooms)
    const unread = {
      rooms: rooms.filter((one) => one.unread > 0).length,
      messages: rooms.reduce((sum, one) => sum + one.unread, 0),
      mentions: rooms.reduce((sum, one) => sum + one.mentions, 0),
    }
    if (!isSame(unread, this.#unread.current)) this.#unread.set(unread)
  }
}

function isSame<T extends object>(one: T, other: T): boolean {
  return (Object.keys(one) as (keyof T)[]).every((key) => one[key] === other[key])
}
