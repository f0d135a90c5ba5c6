/** Who is typing in a room, and that the user is. */
import { topics } from '../../schemas/topics.js'
import type { Stop } from '../base/platform.js'
import { isChange } from '../engine/folding.js'
import type { Item } from '../engine/inbox.js'
import type { Link, Looker } from './link.js'
import { Pool } from './pool.js'

/** Ms after which somebody who gave no further sign does not type any more. */
const LASTS = 6000
/** Users who are shown at most. */
const MOST = 20
/** Ms between two signs of one's own. */
const REPEAT = 4000
/** Ms without a call after which the user has stopped. */
const STOPS = 5000

/** In large rooms the broker tells a number and no names. */
interface Notice {
  readonly user?: string
  readonly typing: boolean | number
}

/** By room: the users who are typing. */
export class TypingUsers extends Pool<readonly string[]> {
  /** Timers, by room and user. */
  readonly #timers = new Map<string, Stop>()

  constructor(link: Link) {
    super(link, [])
  }

  heard(item: Item): void {
    if (item.kind === 'message' && !isChange(item.message)) this.#over(item.room, item.message.from)
  }

  down(): void {
    for (const key of [...this.#timers.keys()]) this.#over(...(key.split('/') as [string, string]))
  }

  protected override renew(): void {}

  protected override begin(room: string): Stop {
    const take = (text: string | null): void => this.#take(room, JSON.parse(text ?? '{}') as Notice)
    const stop = this.link.subscriptions.follow(topics.room(room, 'typing'), take)
    return () => {
      stop()
      for (const user of this.get(room).current) this.#over(room, user)
    }
  }

  #take(room: string, { user, typing }: Notice): void {
    if (user === undefined || user === this.link.replica.user) return
    if (!typing) return this.#over(room, user)
    const users = this.get(room).current
    const isNew = !users.includes(user)
    if (isNew && users.length >= MOST) return
    const key = `${room}/${user}`
    this.#timers.get(key)?.()
    this.#timers.set(
      key,
      this.link.clock.timer(LASTS, () => this.#over(room, user)),
    )
    if (isNew) this.put(room, [...users, user])
  }

  #over(room: string, user: string): void {
    const key = `${room}/${user}`
    this.#timers.get(key)?.()
    if (this.#timers.delete(key))
      this.put(
        room,
        this.get(room).current.filter((one) => one !== user),
      )
  }
}

/** The signs that the user types. */
export class OwnTyping implements Looker {
  readonly #link: Link
  /** By room: when the last sign was sent, Unix ms. */
  readonly #rooms = new Map<string, { readonly at: number; readonly stopTimer: Stop }>()

  constructor(link: Link) {
    this.#link = link
    link.add(this)
  }

  set(room: string, isTyping: boolean): void {
    const { clock, isUp } = this.#link
    const known = this.#rooms.get(room)
    if (!isUp || (!known && !isTyping)) return
    this.sent(room)
    const now = clock.now()
    const isDue = !known || !isTyping || Math.abs(now - known.at) >= REPEAT
    if (isDue) this.#link.publish(topics.room(room, 'typing'), { typing: isTyping })
    if (!isTyping) return
    const stopTimer = clock.timer(STOPS, () => this.set(room, false))
    this.#rooms.set(room, { at: isDue ? now : known.at, stopTimer })
  }

  /** A message to the room ends it, without a sign. */
  sent(room: string): void {
    this.#rooms.get(room)?.stopTimer()
    this.#rooms.delete(room)
  }

  down(): void {
    for (const room of [...this.#rooms.keys()]) this.sent(room)
  }
}
