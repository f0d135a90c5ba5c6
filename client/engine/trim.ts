/** Bounds what the device keeps; the broker has the rest. */
import type { Replica, Transaction } from './replica.js'
import { forgetBefore, oldestOf, type RoomState, sizeOf } from './room-state.js'

/** Bounds of what stays on the device. Rooms that somebody looks at are left alone meanwhile. */
export interface Keep {
  /** Numbers of one room, the newest ones; a quarter more until they are dropped. Left out: 2000. */
  readonly messages?: number
  /** Rooms, the most active ones; of others only the last message stays. Left out: 500. */
  readonly rooms?: number
  /** Of the JSON of messages in all rooms, about: those of the rooms that were active least recently are dropped. Left out: 50,000,000. */
  readonly bytes?: number
}

/** Of a bound that is passed so much is left, so that it is not passed again at once. */
const LEFT = 0.8

export class Trim {
  readonly #replica: Replica
  readonly #keep: Required<Keep>

  constructor(replica: Replica, { messages = 2000, rooms = 500, bytes = 50_000_000 }: Keep) {
    this.#replica = replica
    this.#keep = { messages, rooms, bytes }
  }

  /** Drops the oldest messages of a room. */
  async room(tx: Transaction, room: string): Promise<void> {
    const { messages } = this.#keep
    const state = tx.room(room)!
    const first = state.seq - messages
    if (oldestOf(state) > first - messages / 4 || this.#replica.isWatched(room)) return
    await drop(tx, state, first, sizeOf(await this.#replica.messages(room, [first, state.seq])))
  }

  /** Drops messages of the rooms that were active least recently. */
  async all(): Promise<void> {
    const { rooms, bytes } = this.#keep
    if (this.#over(rooms, bytes).length === 0) return
    await this.#replica.transact(async (tx) => {
      for (const state of this.#over(Math.ceil(rooms * LEFT), bytes * LEFT))
        await drop(tx, state, state.last?.seq ?? state.seq + 1, 0)
    })
  }

  /** Rooms beyond these bounds. */
  #over(rooms: number, bytes: number): RoomState[] {
    const kept = [...this.#replica.rooms.values()].filter((state) => state.bytes)
    kept.sort((a, b) => b.activeAt - a.activeAt)
    let sum = 0
    const isOver = (state: RoomState, at: number): boolean => (sum += state.bytes!) > bytes || at >= rooms
    return kept.filter((state, at) => isOver(state, at) && !this.#replica.isWatched(state.room))
  }
}

/** Drops what is before `first`; `bytes` of JSON are left. */
async function drop(tx: Transaction, state: RoomState, first: number, bytes: number): Promise<void> {
  tx.put({ ...forgetBefore(state, first), bytes })
  await tx.keepMessages(state.room, [first, Number.MAX_SAFE_INTEGER])
}
