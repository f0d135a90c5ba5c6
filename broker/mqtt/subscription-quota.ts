/** Limits on the number and size of a session's filters. Existing ones remain, and may be changed. */
import { Refusal } from '../../schemas/errors.js'
import { filterCost } from '../store/filter-cost.js'
import type { ConnectedClient } from './connected-client.js'

/** The remaining quota for the filters of one SUBSCRIBE. */
export class SubscriptionQuota {
  readonly #client: ConnectedClient
  /** Granted in this SUBSCRIBE, and new. */
  readonly #taken = new Set<string>()
  #takenBytes = 0
  /** Of the other sessions of its user. */
  readonly #elsewhere: number

  constructor(client: ConnectedClient) {
    this.#client = client
    this.#elsewhere = client.actor.principal.anonymous ? 0 : bytesElsewhere(client)
  }

  /** Throws a refusal that names the limit a filter exceeds. */
  require(filter: string): void {
    if (this.has(filter)) return
    const { filterBytes, topicLevels, subscriptions, subscriptionBytes, subscriptionBytesPerUser } =
      this.#client.services.limits
    if (Buffer.byteLength(filter) > filterBytes)
      throw new Refusal('too_large', `a filter may have at most ${filterBytes} bytes (limits.filterBytes)`)
    if (isDeeper(filter, topicLevels))
      throw new Refusal('bad_request', `a filter may have at most ${topicLevels} levels (limits.topicLevels)`)
    const { size, bytes } = this.#client.session.subscriptions
    const wanted = bytes + this.#takenBytes + filterCost(filter)
    if (size + this.#taken.size >= subscriptions) throw tooMany('limits.subscriptions')
    if (wanted > subscriptionBytes) throw tooMany('limits.subscriptionBytes')
    if (this.#elsewhere + wanted > subscriptionBytesPerUser) throw tooMany('limits.subscriptionBytesPerUser')
  }

  /** The filter is granted. True: the session did not have it before. */
  take(filter: string): boolean {
    if (this.has(filter)) return false
    this.#taken.add(filter)
    this.#takenBytes += filterCost(filter)
    return true
  }

  /** The session has it, or will have it after this SUBSCRIBE. */
  has(filter: string): boolean {
    return this.#taken.has(filter) || this.#client.session.subscriptions.has(filter)
  }
}

function bytesElsewhere({ session, services }: ConnectedClient): number {
  const { user, subscriptions } = session
  const { store, registry } = services
  return store.subscriptions.bytesOfUser(user) + registry.filterBytesOf(user) - subscriptions.bytes
}

function tooMany(limit: string): Refusal {
  return new Refusal('too_large', `too many subscriptions (${limit})`)
}

function isDeeper(filter: string, most: number): boolean {
  let levels = 1
  for (let at = filter.indexOf('/'); at !== -1; at = filter.indexOf('/', at + 1)) if (++levels > most) return true
  return false
}
