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
  /** A room that has not changed stays the same object. */
  readonly #summaries = new WeakMap<RoomState, RoomSummary>()

  constructor(replica: Replica) {
    this.#replica = replica
    replica.subscribe(() => this.#show())
  }

  /** The most active one first. */
  get rooms(): Live<readonly RoomSummary[]> {
    return this.#rooms
  }

  get unread(): Live<Unread> {
    return this.#unread
  }

  #show(): void {
    const rooms = [...this.#replica.rooms.values()].map((state) => this.#summary(state))
    rooms.sort((a, b) => b.activeAt - a.activeAt || (a.room < b.room ? -1 : 1))
    this.#rooms.set(rooms)
    const unread = {
      rooms: rooms.filter((one) => one.unread > 0).length,
      messages: rooms.reduce((sum, one) => sum + one.unread, 0),
      mentions: rooms.reduce((sum, one) => sum + one.mentions, 0),
    }
    const before = this.#unread.current
    const isSame = unread.rooms === before.rooms && unread.messages === before.messages
    if (!isSame || unread.mentions !== before.mentions) this.#unread.set(unread)
  }

  #summary(state: RoomState): RoomSummary {
    const known = this.#summaries.get(state)
    if (known) return known
    const { room, info, mine, last, activeAt, read, unread, mentions } = state
    const summary = { room, info, mine, last, activeAt, read, unread, mentions }
    this.#summaries.set(state, summary)
    return summary
  }
}
