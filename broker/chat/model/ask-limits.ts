/** How often one person may ask another for something: invitations, contact requests, shares and offers, each a stored event for who is asked. */
import { Refusal } from '../../../schemas/errors.js'
import { type Ownership, personBehind } from '../../store/persons.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import { type Actor, isAdmin } from './actor.js'

/** About one thing, again and again: so small a part of all. */
const REPEATS = 1 / 20
/** About anything: of `limits.asksPerPair` that may come at once so many become free a second. */
const SECONDS_TO_REFILL = 1000

export class AskLimits {
  readonly #directory: Ownership
  readonly #repeats: TokenBuckets
  readonly #pairs: TokenBuckets

  /** `perPair`: how often one person may ask another at once. */
  constructor(directory: Ownership, perPair: number) {
    this.#directory = directory
    this.#repeats = new TokenBuckets((perPair * REPEATS) / SECONDS_TO_REFILL, perPair * REPEATS)
    this.#pairs = new TokenBuckets(perPair / SECONDS_TO_REFILL, perPair)
  }

  /** Counts an event that is to tell `user` of something about `what`: a room, a device, being contacts. Admins are not counted. */
  require(actor: Actor, user: string, what: string): void {
    if (isAdmin(actor)) return
    const pair = `${personBehind(this.#directory, actor.principal.user)} ${user}`
    const wait = this.#take(pair, `${pair} ${what}`)
    if (wait === 0) return
    throw new Refusal('rate_limited', `you have asked ${user} too often (limits.asksPerPair)`, {
      retryAfter: Math.ceil(wait / 1000),
      final: true,
    })
  }

  /** Of both or of neither; ms to wait. */
  #take(pair: string, repeat: string): number {
    const early = this.#repeats.take(repeat)
    if (early > 0) return early
    const wait = this.#pairs.take(pair)
    if (wait > 0) this.#repeats.giveBack(repeat)
    return wait
  }
}
