/** How much one user with their bots and devices, or all users in one room, may ask of the broker (`limits.rates`). */
import type { RateClass } from '../../schemas/commands.js'
import { type Config, RATES, type RateFigures } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import type { Actor } from './actor.js'
import { Buckets } from './buckets.js'

/** So many seconds' worth may come at once. */
const BURST_SECONDS = 10

export class Rates {
  /** Null: no limits. */
  #buckets: Record<keyof RateFigures, Buckets> | null = null
  readonly #accountOf: (user: string) => string

  /** `accountOf`: for whom a user counts. */
  constructor(rates: Config['limits']['rates'], accountOf = (user: string): string => user) {
    this.#accountOf = accountOf
    this.set(rates)
  }

  /** Other figures from now on. */
  set(rates: Config['limits']['rates']): void {
    const figures = { ...RATES, ...(typeof rates === 'object' ? rates : {}) }
    if (rates === 'off') this.#buckets = null
    else if (this.#buckets) refit(this.#buckets, figures)
    else this.#buckets = bucketsOf(figures)
  }

  /** Counts a publish of a user. Answers how many ms nothing more should be taken from them; 0: go on. */
  published(user: string): number {
    return this.#buckets?.publish.charge(this.#accountOf(user)) ?? 0
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
    const { principal, address, sessionId } = actor
    const who = principal.anonymous ? `@${address ?? sessionId ?? ''}` : this.#accountOf(principal.user)
    const wait = this.#buckets[rate].take(who)
    if (wait > 0) throw tooMany(`requests of class ${rate}`, wait)
  }
}

function tooMany(what: string, wait: number): Refusal {
  return new Refusal('rate_limited', `too many ${what} (limits.rates)`, {
    retryAfter: Math.ceil(wait / 1000),
    final: true,
  })
}

function bucketsOf(figures: RateFigures): Record<keyof RateFigures, Buckets> {
  const bucket = (perSecond: number): Buckets => new Buckets(perSecond, perSecond * BURST_SECONDS)
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

function refit(buckets: Record<keyof RateFigures, Buckets>, figures: RateFigures): void {
  for (const name of Object.keys(figures) as (keyof RateFigures)[])
    buckets[name].refit(figures[name], figures[name] * BURST_SECONDS)
}
