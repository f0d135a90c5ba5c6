/** The open event streams, by user. Applies changes of membership and logouts to them. */
import { Refusal } from '../../schemas/errors.js'
import { isOwn, type SessionEnding } from '../chat/model/session-endings.js'
import type { MembershipChange } from '../following/membership-change.js'
import type { Counters } from '../util/counters.js'
import type { TimerWheel } from '../util/timer-wheel.js'
import type { EventStream } from './event-stream.js'

export interface StreamLimits {
  readonly eventStreams: number
  readonly eventStreamsPerUser: number
}

export class Streams {
  readonly #limits: StreamLimits
  readonly #byUser = new Map<string, Set<EventStream>>()
  #count = 0
  readonly #wheel: TimerWheel
  readonly #counters: Counters
  readonly #failed: (error: unknown) => void

  constructor(limits: StreamLimits, wheel: TimerWheel, counters: Counters, failed: (error: unknown) => void) {
    this.#limits = limits
    this.#wheel = wheel
    this.#counters = counters
    this.#failed = failed
  }

  requireCapacity(user: string): void {
    const { eventStreams, eventStreamsPerUser } = this.#limits
    if (this.#count >= eventStreams)
      throw new Refusal('unavailable', 'too many streams are open (limits.eventStreams)', { retryAfter: 30 })
    if ((this.#byUser.get(user)?.size ?? 0) < eventStreamsPerUser) return
    const why = `${user} has ${eventStreamsPerUser} streams open already (limits.eventStreamsPerUser)`
    throw new Refusal('rate_limited', why, { retryAfter: 30 })
  }

  /** Calls `ended` when the stream ends for any reason. Throws a refusal if the limit is reached. */
  add(stream: EventStream, ended: () => void): void {
    this.requireCapacity(stream.user)
    const mine = this.#byUser.get(stream.user) ?? new Set()
    this.#byUser.set(stream.user, mine.add(stream))
    this.#count++
    this.#wheel.set(stream, stream.deadline(Date.now()))
    stream.onFailure = this.#failed
    stream.onEnd = (why) => {
      this.#counters.add(`streams.${why.replaceAll(' ', '_')}`)
      this.#wheel.delete(stream)
      mine.delete(stream)
      this.#count--
      if (mine.size === 0) this.#byUser.delete(stream.user)
      ended()
    }
  }

  membership({ room, user, member, last }: MembershipChange): void {
    for (const { feedSet } of this.#of(user)) {
      if (member) feedSet.roomJoined(room).catch(this.#failed)
      else feedSet.roomLeft(room, last)
    }
  }

  channel(channel: string): void {
    for (const mine of this.#byUser.values()) for (const { feedSet } of mine) feedSet.channelAdded(channel)
  }

  logout({ user, session, login, others }: SessionEnding): void {
    if (session !== undefined) return
    for (const stream of this.#of(user)) {
      const isMeant = login === undefined || login === stream.login
      if (isMeant && !(others && isOwn(others, { login: stream.login }))) stream.end('logged out')
    }
  }

  /** Ends streams whose login is over, or that may not show all of their filters any more: the client reconnects, and gets the refusal. */
  async accountChanged(user: string): Promise<void> {
    await Promise.all(this.#of(user).map((stream) => stream.followAccount()))
  }

  /** Any account may have changed. */
  async accountsChanged(): Promise<void> {
    for (const user of [...this.#byUser.keys()]) await this.accountChanged(user)
  }

  /** The same after a change of `acl.rules`. */
  rulesChanged(): void {
    for (const mine of [...this.#byUser.values()]) for (const stream of [...mine]) stream.followRules()
  }

  /** What is in memory is known to be up to date again. */
  resume(): void {
    for (const stream of this.all()) stream.resume()
  }

  /** Those that are open now. */
  all(): EventStream[] {
    return [...this.#byUser.values()].flatMap((mine) => [...mine])
  }

  /** The store has lost the end of some logs, and what their readers know is void: each begins anew with what its last id says. */
  storeLost(): void {
    for (const stream of this.all()) stream.end('store lost commits')
  }

  close(): void {
    for (const stream of this.all()) stream.end('broker stopping')
  }

  #of(user: string): EventStream[] {
    return [...(this.#byUser.get(user) ?? [])]
  }
}
