/** Rate limits (`limits.rates`): per account (a user with their bots and devices) and per room. */
import type { RateClass } from '../../../schemas/commands.js'
import { RATES, type RateFigures } from '../../../schemas/config/limits.js'
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import type { Actor } from './actor.js'

/** Size of a bucket, in seconds of its rate. */
const BURST_SECONDS = 10

type BucketName = Exclude<keyof RateFigures, 'publishBytes'>

export class Rates {
  /** Null: no limits. */
  #buckets: Record<BucketName, TokenBuckets> | null = null
  /** Tokens that a byte costs in the publish bucket, where a publish costs 1. */
  #perByte = 0
  readonly #accountOf: (user: string) => string

  /** `accountOf`: the account whose limits a user counts against. */
  constructor(rates: Config['limits']['rates'], accountOf = (user: string): string => user) {
    this.#accountOf = accountOf
    this.set(rates)
  }

  /** Replaces the figures, keeping what the buckets have counted. */
  set(rates: Config['limits']['rates']): void {
    const figures = { ...RATES, ...(typeof rates === 'object' ? rates : {}) }
    this.#perByte = figures.publish / figures.publishBytes
    if (rates === 'off') this.#buckets = null
    else if (this.#buckets) refit(this.#buckets, figures)
    else this.#buckets = bucketsOf(figures)
  }

  /**
   * Charges a publish: 1, or the share of its bytes if that is more, so that one bucket bounds both. Returns ms for which nothing more
   * should be read from the client; 0: go on. Hot path.
   */
  chargePublish(user: string, bytes: number): number {
    if (!this.#buckets) return 0
    return this.#buckets.publish.charge(this.#accountOf(user), Date.now(), Math.max(1, bytes * this.#perByte))
  }

  /** Charges the bytes of a request over HTTP, which `requireCommand` counts. HTTP cannot be paused. @throws Refusal `rate_limited`. */
  requireBytes(actor: Actor, bytes: number): void {
    if (!this.#buckets) return
    const wait = this.#buckets.publish.spend(this.#bucketKey(actor), Date.now(), bytes * this.#perByte)
    if (wait > 0) throw tooMany('bytes', wait)
  }

  /** Charges filters of a SUBSCRIBE or UNSUBSCRIBE. Returns ms to pause, as `chargePublish` does. */
  chargeFilters(user: string, filters: number): number {
    return this.#buckets?.subscribe.charge(this.#accountOf(user), Date.now(), filters) ?? 0
  }

  /** The same for a client that cannot be paused. @throws Refusal `rate_limited`. */
  requireFilters(user: string, filters: number): void {
    const wait = this.chargeFilters(user, filters)
    if (wait > 0) throw tooMany('filters', wait)
  }

  /** Charges a message to its room. Returns ms to pause. */
  chargeRoom(room: string): number {
    return this.#buckets?.room.charge(room) ?? 0
  }

  /** Returns the token of a message that turned out to be a retry. */
  giveBack(room: string): void {
    this.#buckets?.room.giveBack(room)
  }

  /** The same as `chargeRoom` for a client that cannot be paused. @throws Refusal `rate_limited`. */
  requireRoomRate(room: string): void {
    const wait = this.#buckets?.room.take(room) ?? 0
    if (wait > 0) throw tooMany(`messages into ${room}`, wait)
  }

  /** Charges a command to its class; an anonymous client is counted by address. @throws Refusal `rate_limited`. */
  requireCommand(actor: Actor, rate: RateClass): void {
    if (!this.#buckets) return
    const wait = this.#buckets[rate].take(this.#bucketKey(actor))
    if (wait > 0) throw tooMany(`requests of class ${rate}`, wait)
  }

  #bucketKey({ principal, address, sessionId }: Actor): string {
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
