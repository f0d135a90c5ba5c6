/**
 * Limits how often one person may ask another for something (invitations, contact requests, shares, offers), because each request is an
 * event stored for the person asked.
 */
import { Refusal } from '../../../schemas/errors.js'
import { type Ownership, personBehind } from '../../store/persons.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import { type Actor, isAdmin } from './actor.js'

/** Share of the limit that requests about one and the same thing may use. */
const REPEAT_SHARE = 1 / 20
/** Time in which the full limit (`limits.asksPerPair`) becomes available again. */
const SECONDS_TO_REFILL = 1000

export class AskLimits {
  readonly #directory: Ownership
  readonly #repeats: TokenBuckets
  readonly #pairs: TokenBuckets

  /** `perPair`: requests from one person to another that are allowed at once. */
  constructor(directory: Ownership, perPair: number) {
    this.#directory = directory
    this.#repeats = new TokenBuckets((perPair * REPEAT_SHARE) / SECONDS_TO_REFILL, perPair * REPEAT_SHARE)
    this.#pairs = new TokenBuckets(perPair / SECONDS_TO_REFILL, perPair)
  }

  /**
   * Counts a request to `user` about `what` (a room, a device, or becoming contacts). Admins are not counted. @throws Refusal
   * `rate_limited`.
   */
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

  /** Counts the request when the function returned is called first, and not again: a transaction may decide several times. */
  once(actor: Actor, user: string, what: string): () => void {
    let isCounted = false
    return () => {
      if (!isCounted) this.require(actor, user, what)
      isCounted = true
    }
  }

  /** Takes a token from both buckets or from neither. Returns ms to wait; 0: taken. */
  #take(pair: string, repeat: string): number {
    const early = this.#repeats.take(repeat)
    if (early > 0) return early
    const wait = this.#pairs.take(pair)
    if (wait > 0) this.#repeats.giveBack(repeat)
    return wait
  }
}
