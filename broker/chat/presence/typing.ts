/**
 * Typing indicators. They expire, because a client that vanishes cannot end them; they end at once when its session is known to have ended. Large rooms get the number of typing users
 * instead of names, at most once a second, when it changes. Every node hears who types, and tells those who are connected to it: so the numbers are of
 * all nodes, and a notice ends even if the node that it comes from has ended.
 */
import { TYPING_LASTS } from '../../../schemas/message.js'
import { topics } from '../../../schemas/topics.js'
import type { Bus } from '../../store/bus.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import type { Signal } from '../model/signals.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'

/** Milliseconds between two checks for expiry, and between two numbers in one room. */
const INTERVAL = 1000

interface TypingUsers {
  /** By user: expiry in Unix ms. */
  readonly until: Map<string, number>
  /** The number sent last. */
  sentCount: number
}

/** A session that types in a room. */
interface Typist {
  readonly session: string
  readonly room: string
  /** Expiry in Unix ms. */
  readonly until: number
}

export class Typing implements Deadline {
  readonly #bus: Bus<Signal>
  readonly #wheel: TimerWheel
  readonly #largeRooms: Pick<LargeRoomPolicy, 'suppresses'>
  readonly #rooms = new Map<string, TypingUsers>()
  /** Sessions that type here, by user. */
  readonly #typists = new Map<string, readonly Typist[]>()

  constructor(bus: Bus<Signal>, wheel: TimerWheel, largeRooms: Pick<LargeRoomPolicy, 'suppresses'>) {
    this.#bus = bus
    this.#wheel = wheel
    this.#largeRooms = largeRooms
  }

  /** @param session Null: there is none whose end would end it */
  set(room: string, user: string, typing: boolean, session: string | null): void {
    if (session !== null) this.#note(user, { session, room, until: typing ? Date.now() + TYPING_LASTS * 1000 : 0 })
    this.#bus.send({ kind: 'typing', room, user, typing })
  }

  /** The session ended: so does its typing, unless another session of the user types in the same room. */
  left(user: string, session: string): void {
    const now = Date.now()
    const typists = (this.#typists.get(user) ?? []).filter(({ until }) => until > now)
    const others = typists.filter((typist) => typist.session !== session)
    this.#keep(user, others)
    for (const { session: ended, room } of typists)
      if (ended === session && !others.some((typist) => typist.room === room))
        this.#bus.send({ kind: 'typing', room, user, typing: false })
  }

  #note(user: string, typist: Typist): void {
    const now = Date.now()
    const others = (this.#typists.get(user) ?? []).filter(
      ({ session, room, until }) => until > now && (session !== typist.session || room !== typist.room),
    )
    this.#keep(user, typist.until > now ? [...others, typist] : others)
  }

  #keep(user: string, typists: readonly Typist[]): void {
    if (typists.length === 0) this.#typists.delete(user)
    else this.#typists.set(user, typists)
  }

  /** Somebody types, or stops, on whatever node. */
  heard(room: string, user: string, typing: boolean): void {
    let typingUsers = this.#rooms.get(room)
    if (!this.#largeRooms.suppresses(room, 'typing')) this.#send(room, { user, typing })
    if (!typingUsers && !typing) return
    if (this.#rooms.size === 0) this.#wheel.set(this, this.#wheel.now)
    if (!typingUsers) this.#rooms.set(room, (typingUsers = { until: new Map(), sentCount: 0 }))
    if (typing) typingUsers.until.set(user, Date.now() + TYPING_LASTS * 1000)
    else typingUsers.until.delete(user)
  }

  due(now: number): number {
    for (const [room, typingUsers] of this.#rooms) {
      const counted = this.#largeRooms.suppresses(room, 'typing')
      for (const [user, until] of typingUsers.until) {
        if (until > now) continue
        typingUsers.until.delete(user)
        if (!counted) this.#send(room, { user, typing: false })
      }
      if (counted) this.#sendCount(room, typingUsers)
      if (typingUsers.until.size === 0) this.#rooms.delete(room)
    }
    for (const [user, typists] of this.#typists)
      this.#keep(
        user,
        typists.filter(({ until }) => until > now),
      )
    return this.#rooms.size === 0 ? 0 : now + INTERVAL
  }

  #sendCount(room: string, typingUsers: TypingUsers): void {
    const sendCount = typingUsers.until.size
    if (sendCount === typingUsers.sentCount) return
    typingUsers.sentCount = sendCount
    this.#send(room, { typing: sendCount })
  }

  #send(room: string, notice: { user?: string; typing: boolean | number }): void {
    const payload = Buffer.from(JSON.stringify({ ...notice, ts: Date.now() }))
    this.#bus.sendHere({ kind: 'ephemeral', topic: topics.room(room, 'typing'), payload, qos: 0 })
  }
}
