/** The open streams by user, and what membership and logouts mean for them. */
import { Refusal } from '../../schemas/errors.js'
import type { Logout, Signal } from '../chat/signals.js'
import type { Counters } from '../metrics.js'
import type { Wheel } from '../wheel.js'
import type { EventStream } from './event-stream.js'

/** Streams of one user at the same time. */
const MOST_OF_USER = 32

export class Streams {
  readonly #byUser = new Map<string, Set<EventStream>>()
  readonly #wheel: Wheel
  readonly #counters: Counters
  readonly #failed: (error: unknown) => void

  constructor(wheel: Wheel, counters: Counters, failed: (error: unknown) => void) {
    this.#wheel = wheel
    this.#counters = counters
    this.#failed = failed
  }

  requireRoomFor(user: string): void {
    if ((this.#byUser.get(user)?.size ?? 0) >= MOST_OF_USER)
      throw new Refusal('rate_limited', `${user} has ${MOST_OF_USER} streams open already`, { retryAfter: 30 })
  }

  /** `ended` is told when it is over, whyever. */
  add(stream: EventStream, ended: () => void): void {
    const mine = this.#byUser.get(stream.user) ?? new Set()
    this.#byUser.set(stream.user, mine.add(stream))
    this.#wheel.set(stream, stream.deadline(Date.now()))
    stream.onFailure = this.#failed
    stream.onEnd = (why) => {
      this.#counters.add(`streams.${why.replaceAll(' ', '_')}`)
      this.#wheel.delete(stream)
      mine.delete(stream)
      if (mine.size === 0) this.#byUser.delete(stream.user)
      ended()
    }
  }

  membership({ room, user, member, last }: Signal & { kind: 'membership' }): void {
    for (const { interests } of this.#of(user)) {
      if (member) interests.roomJoined(room).catch(this.#failed)
      else interests.roomLeft(room, last)
    }
  }

  channel({ channel }: Signal & { kind: 'channel' }): void {
    for (const mine of this.#byUser.values()) for (const { interests } of mine) interests.channelAdded(channel)
  }

  logout({ user, session, login }: Logout): void {
    if (session !== undefined) return
    for (const stream of this.#of(user)) if (login === undefined || login === stream.login) stream.end('logged out')
  }

  /** A stream that may not have all it shows any more ends: its client asks anew, and hears why. */
  async rolesChanged(user: string): Promise<void> {
    await Promise.all(this.#of(user).map((stream) => stream.followRoles()))
  }

  close(): void {
    for (const mine of [...this.#byUser.values()]) for (const stream of [...mine]) stream.end('broker stopping')
  }

  #of(user: string): EventStream[] {
    return [...(this.#byUser.get(user) ?? [])]
  }
}
