/**
 * Who is typing. It ends by itself, for whoever is cut off cannot say so. In large rooms only how many there are is told, at most once a
 * second, while it changes.
 */
import { TYPING_LASTS } from '../../../schemas/message.js'
import { topics } from '../../../schemas/topics.js'
import type { Bus } from '../../store/bus.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import type { Signal } from '../model/signals.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'

/** Milliseconds between two looks at who has stopped, and between two numbers of one room. */
const AT_MOST_EVERY = 1000

interface Typists {
  /** By user: Unix ms until which they type. */
  readonly until: Map<string, number>
  /** The number told last. */
  told: number
}

export class Typing implements Deadline {
  readonly #bus: Bus<Signal>
  readonly #wheel: TimerWheel
  readonly #largeRooms: Pick<LargeRoomPolicy, 'thins'>
  readonly #rooms = new Map<string, Typists>()

  constructor(bus: Bus<Signal>, wheel: TimerWheel, largeRooms: Pick<LargeRoomPolicy, 'thins'>) {
    this.#bus = bus
    this.#wheel = wheel
    this.#largeRooms = largeRooms
  }

  set(room: string, user: string, typing: boolean): void {
    let typists = this.#rooms.get(room)
    if (!this.#largeRooms.thins(room, 'typing')) this.#tell(room, { user, typing })
    if (!typists && !typing) return
    if (this.#rooms.size === 0) this.#wheel.set(this, this.#wheel.now)
    if (!typists) this.#rooms.set(room, (typists = { until: new Map(), told: 0 }))
    if (typing) typists.until.set(user, Date.now() + TYPING_LASTS * 1000)
    else typists.until.delete(user)
  }

  due(now: number): number {
    for (const [room, typists] of this.#rooms) {
      const counted = this.#largeRooms.thins(room, 'typing')
      for (const [user, until] of typists.until) {
        if (until > now) continue
        typists.until.delete(user)
        if (!counted) this.#tell(room, { user, typing: false })
      }
      if (counted) this.#count(room, typists)
      if (typists.until.size === 0) this.#rooms.delete(room)
    }
    return this.#rooms.size === 0 ? 0 : now + AT_MOST_EVERY
  }

  #count(room: string, typists: Typists): void {
    const count = typists.until.size
    if (count === typists.told) return
    typists.told = count
    this.#tell(room, { typing: count })
  }

  #tell(room: string, notice: { user?: string; typing: boolean | number }): void {
    const payload = Buffer.from(JSON.stringify({ ...notice, ts: Date.now() }))
    this.#bus.send({ kind: 'ephemeral', topic: topics.room(room, 'typing'), payload, qos: 0 })
  }
}
