/**
 * Limits how often one person may ask another for something (invitations, contact requests, shares, offers), because each request is an
 * event stored for the person asked. What is asked counts in the change that asks it, so that of two requests at the same time, on whatever
 * nodes, the later one sees the earlier, and one that is refused or fails does not count.
 */
import { Refusal } from '../../../schemas/errors.js'
import type { Op } from '../../store/op.js'
import { personBehind } from '../../store/persons.js'
import type { RecordReader } from '../../store/transaction.js'
import { type BucketLimits, msToToken, taken } from '../../util/stored-bucket.js'
import { type Actor, isAdmin } from './actor.js'

/** Share of the limit that requests about one and the same thing may use. */
const REPEAT_SHARE = 1 / 20
/** Time in which the full limit (`limits.asksPerPair`) becomes available again. */
const MS_TO_REFILL = 1_000_000

export class AskLimits {
  readonly #repeats: BucketLimits
  readonly #pairs: BucketLimits
  readonly #now: () => number

  /** `perPair`: requests from one person to another that are allowed at once. */
  constructor(perPair: number, now: () => number = Date.now) {
    const repeats = perPair * REPEAT_SHARE
    this.#repeats = { most: Math.max(1, repeats), perMs: repeats / MS_TO_REFILL }
    this.#pairs = { most: perPair, perMs: perPair / MS_TO_REFILL }
    this.#now = now
  }

  /**
   * Counts a request to `user` about `what` (a room, a device, or becoming contacts), in the decision on it. Admins are not counted.
   * @throws Refusal `rate_limited`.
   */
  async ops(
    { directory, expiring }: Pick<RecordReader, 'directory' | 'expiring'>,
    actor: Actor,
    user: string,
    what: string,
  ): Promise<Op[]> {
    if (isAdmin(actor)) return []
    const now = this.#now()
    const person = personBehind(directory, actor.principal.user)
    const counts = [
      { asked: user, limits: this.#pairs },
      { asked: `${user} ${what}`, limits: this.#repeats },
    ]
    let wait = 0
    const ops: Op[] = []
    for (const { asked, limits } of counts) {
      const before = await expiring.get('asked', [person, asked], now)
      wait = Math.max(wait, msToToken(before, limits, now))
      ops.push(expiring.putOp('asked', [person, asked], taken(before, limits, now)))
    }
    if (wait > 0) throw tooOften(user, wait)
    return ops
  }
}

function tooOften(user: string, wait: number): Refusal {
  const why = `you have asked ${user} too often (limits.asksPerPair)`
  return new Refusal('rate_limited', why, { retryAfter: Math.ceil(wait / 1000), final: true })
}
