/** How much one user with their bots and devices, or all users in one room, may ask of the broker (`limits.rates`). */
import type { RateClass } from '../../../schemas/commands.js'
import { RATES, type RateFigures } from '../../../schemas/config/limits.js'
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import type { Actor } from './actor.js'

/** So many seconds' worth may come at once. */
const BURST_SECONDS = 10

type BucketName = Exclude<keyof RateFigures, 'publishBytes'>

export class Rates {
  /** Null: no limits. */
  #buckets: Record<BucketName, TokenBuckets> | null = null
  /** What a byte of a publish takes of its bucket, where one publish takes 1. */
  #perByte = 0
  readonly #accountOf: (user: string) => string

  /** `accountOf`: for whom a user counts. */
  constructor(rates: Config['limits']['rates'], accountOf = (user: string): string => user) {
    this.#accountOf = accountOf
    this.set(rates)
  }

  /** Other figures from now on. */
  set(rates: Config['limits']['rates']): void {
    const figures = { ...RATES, ...(typeof rates === 'object' ? rates : {}) }
    this.#perByte = figures.publish / figures.publishBytes
    if (rates === 'off') this.#buckets = null
    else if (this.#buckets) refit(this.#buckets, figures)
    else this.#buckets = bucketsOf(figures)
  }

  /**
   * Counts a publish of a user: as one, or as its part of the bytes where that is more, so that one bucket bounds both. Answers how many ms
   * nothing more should be taken from them; 0: go on. Hot path.
   */
  published(user: string, bytes: number): number {
    if (!this.#buckets) return 0
    return this.#buckets.publish.charge(this.#accountOf(user), Date.now(), Math.max(1, bytes * this.#perByte))
  }

  /** The bytes of a request over HTTP, for which `requireCommand` counts: it cannot be made to wait. */
  requireBytes(actor: Actor, bytes: number): void {
    if (!this.#buckets) return
    const wait = this.#buckets.publish.spend(this.#whoFor(actor), Date.now(), bytes * this.#perByte)
    if (wait > 0) throw tooMany('bytes', wait)
  }

  /** Counts filters that a user subscribes to or gives up; the same. */
  subscribed(user: string, filters: number): number {
    return this.#buckets?.subscribe.charge(this.#accountOf(user), Date.now(), filters) ?? 0
  }

  /** For who cannot be made to wait. */
  requireFilters(user: string, filters: number): void {
    const wait = this.subscribed(user, filters)
    if (wait > 0) throw tooMany('filters', wait)
  }

  /** The same of a message into a room. */
  sent(room: string): number {
    return this.#buckets?.room.charge(room) ?? 0
  }

  /** It was a retry, and is no message. */
  giveBack(room: string): void {
    this.#buckets?.room.giveBack(room)
  }

  /** For who cannot be made to wait: a message into a room is refused instead. */
  requireRoom(room: string): void {
    const wait = this.#buckets?.room.take(room) ?? 0
    if (wait > 0) throw tooMany(`messages into ${room}`, wait)
  }

  /** A command of its class. Who has no name is counted by address. */
  requireCommand(actor: Actor, rate: RateClass): void {
    if (!this.#buckets) return
    const wait = this.#buckets[rate].take(this.#whoFor(actor))
    if (wait > 0) throw tooMany(`requests of class ${rate}`, wait)
  }

  #whoFor({ principal, address, sessionId }: Actor): string {
    return principal.anonymous ? `@${address ?? sessionId ?? ''}` : this.#accountOf(principal.user)
  }
}

function tooMany(what: string, wait: number): Refusal {
  return new Refusal('rate_limited', `too many ${what} (limits.rates)`, {
    retryAfter: Math.ceil(wait / 1000),
    final: true,
  })
}

function bucketsOf(figures: RateFigures): Record<BucketName, TokenBuckets> {
  const bucket = (perSecond: number): TokenBuckets => new TokenBuckets(perSecond, perSecond * BURST_SECONDS)
  return {
    publish: bucket(figures.publish),
    room: bucket(figures.room),
    read: bucket(figures.read),
    write: bucket(figures.write),
    create: bucket(figures.create),
    login: bucket(figures.login),
    subscribe: bucket(figures.subscribe),
  }
}

function refit(buckets: Record<BucketName, TokenBuckets>, figures: RateFigures): void {
  for (const name of Object.keys(buckets) as BucketName[])
    buckets[name].refit(figures[name], figures[name] * BURST_SECONDS)
}
