import { topics } from '../../../schemas/topics.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { LargeRoomPolicy } from './large-room-policy.js'

/** Minimum milliseconds between two live updates of one room. */
const UPDATE_INTERVAL = 1000

/**
 * The retained message on `rooms/{room}/info`, updated live at most once a second however many users join. Each node tells those who are
 * connected to it.
 */
export class RoomInfo {
  readonly #directory: DirectoryStore
  readonly #largeRooms: LargeRoomPolicy
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  /** Sends to the subscribers here. */
  send: (topic: string, payload: Buffer) => void = () => {}

  constructor(directory: DirectoryStore, largeRooms: LargeRoomPolicy) {
    this.#directory = directory
    this.#largeRooms = largeRooms
  }

  /** The current payload; null: no such room, or a direct conversation. */
  current(room: string): Buffer | null {
    const record = this.#directory.room(room)
    if (!record || record.direct) return null
    const { id, createdBy: _, createdAt: __, direct: ___, ...details } = record
    const counted = { members: this.#directory.members(id).size, thinned: this.#largeRooms.of(id) }
    return Buffer.from(JSON.stringify({ room: id, ...details, ...counted }))
  }

  changed(room: string): void {
    this.#changed.add(room)
    this.#timer ??= setTimeout(() => this.#sendChanged(), UPDATE_INTERVAL).unref()
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
  }

  #sendChanged(): void {
    this.#timer = null
    for (const room of this.#changed) {
      const payload = this.current(room)
      if (payload) this.send(topics.room(room, 'info'), payload)
    }
    this.#changed.clear()
  }
}
