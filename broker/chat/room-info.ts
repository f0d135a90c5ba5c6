import { topics } from '../../schemas/topics.js'
import type { Bus } from '../store/bus.js'
import type { DirectoryStore } from '../store/store.js'
import { roomInfo } from './access.js'
import type { Signal } from './signals.js'

/** Milliseconds between two live updates of one room. */
const AT_MOST_EVERY = 1000

/** Keeps `rooms/{room}/info` live: at most once a second, however many join. */
export class RoomInfo {
  readonly #directory: DirectoryStore
  readonly #bus: Bus<Signal>
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | null = null

  constructor(directory: DirectoryStore, bus: Bus<Signal>) {
    this.#directory = directory
    this.#bus = bus
  }

  changed(room: string): void {
    this.#changed.add(room)
    this.#timer ??= setTimeout(() => this.#send(), AT_MOST_EVERY).unref()
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer)
  }

  #send(): void {
    this.#timer = null
    for (const room of this.#changed) {
      const record = this.#directory.room(room)
      if (!record || record.direct) continue
      const payload = roomInfo(record, this.#directory.members(room).size)
      this.#bus.send({ kind: 'moment', topic: topics.room(room, 'info'), payload, qos: 1 })
    }
    this.#changed.clear()
  }
}
