/** How many are typing in large rooms: told as a number, at most once a second, while it changes. */
import { topics } from '../../schemas/topics.js'
import type { Bus } from '../store/bus.js'
import type { Deadline, Wheel } from '../wheel.js'
import type { Signal } from './signals.js'

/** Milliseconds between two numbers of one room. */
const AT_MOST_EVERY = 1000
/** Milliseconds after which someone who said nothing more does not type any more. */
const TYPING_LASTS = 6000

interface Typists {
  /** By user: Unix ms until which they type. */
  readonly until: Map<string, number>
  told: number
}

export class TypingCounts implements Deadline {
  readonly #bus: Bus<Signal>
  readonly #wheel: Wheel
  readonly #rooms = new Map<string, Typists>()

  constructor(bus: Bus<Signal>, wheel: Wheel) {
    this.#bus = bus
    this.#wheel = wheel
  }

  set(room: string, user: string, typing: boolean): void {
    let typists = this.#rooms.get(room)
    if (!typists && !typing) return
    if (this.#rooms.size === 0) this.#wheel.set(this, this.#wheel.now)
    if (!typists) this.#rooms.set(room, (typists = { until: new Map(), told: 0 }))
    if (typing) typists.until.set(user, Date.now() + TYPING_LASTS)
    else typists.until.delete(user)
  }

  due(now: number): number {
    for (const [room, typists] of this.#rooms) {
      for (const [user, until] of typists.until) if (until <= now) typists.until.delete(user)
      this.#tell(room, typists)
      if (typists.until.size === 0) this.#rooms.delete(room)
    }
    return this.#rooms.size === 0 ? 0 : now + AT_MOST_EVERY
  }

  #tell(room: string, typists: Typists): void {
    const count = typists.until.size
    if (count === typists.told) return
    typists.told = count
    const payload = Buffer.from(JSON.stringify({ typing: count, ts: Date.now() }))
    this.#bus.send({ kind: 'moment', topic: topics.room(room, 'typing'), payload, qos: 0 })
  }
}
