import { type Filter, filterMatches, isPlainFilter } from '../../schemas/topics.js'
import { filterCost } from '../store/filter-cost.js'
import { LazyMap, LazySet } from '../util/lazy.js'
import type { Subscription } from './subscription.js'

/** Key of filters whose second level is a wildcard. */
const ANYWHERE = ''

/**
 * The subscriptions of a subscriber, by filter. There may be ten thousand, so lookups per message or per filter go
 * through indexes.
 */
export class SubscriptionSet extends LazyMap<string, Subscription> {
  /** The total cost of all filters (filter-cost.ts). */
  bytes = 0
  /** Subscriptions with options beyond a QoS: an identifier, Retain As Published, or No Local. */
  readonly particular = new LazySet<Subscription>()
  /** Stored filters that a hook refused when the session came back: messages are queued for them all the same. */
  readonly refused = new LazySet<string>()
  /** Subscriptions that cover views, by the first two levels of their filter. */
  readonly #near = new LazyMap<string, Subscription[]>()

  override set(filter: string, subscription: Subscription): this {
    this.#forget(filter)
    this.bytes += filterCost(filter)
    const { identifier, retainAsPublished, noLocal, parsed } = subscription
    if (identifier !== undefined || retainAsPublished || noLocal) this.particular.add(subscription)
    if (showsViews(parsed)) {
      const place = neighbourhood(filter)
      const near = this.#near.get(place)
      if (near) near.push(subscription)
      else this.#near.set(place, [subscription])
    }
    return super.set(filter, subscription)
  }

  override delete(filter: string): boolean {
    this.#forget(filter)
    return super.delete(filter)
  }

  #forget(filter: string): void {
    const subscription = this.get(filter)
    if (!subscription) return
    this.bytes -= filterCost(filter)
    this.particular.delete(subscription)
    const place = neighbourhood(filter)
    const near = this.#near.get(place)
    const at = near?.indexOf(subscription) ?? -1
    if (at !== -1) near!.splice(at, 1)
    if (near?.length === 0) this.#near.delete(place)
  }

  /** Whether a queued message is of refused filters alone. */
  isRefused(topic: string): boolean {
    if (this.refused.size === 0) return false
    for (const filter of this.keys()) if (filterMatches(filter, topic)) return false
    for (const filter of this.refused) if (filterMatches(filter, topic)) return true
    return false
  }

  /** Subscriptions whose filter may cover a view on this topic. */
  near(topic: string): readonly Subscription[] {
    const place = neighbourhood(topic)
    const wide = this.#near.get(ANYWHERE) ?? []
    return place === ANYWHERE ? wide : [...(this.#near.get(place) ?? []), ...wide]
  }
}

/**
 * Filters on plain topics cover no views; device filters may, beside plain topics. For a shared filter the group has
 * the feeds.
 */
export function showsViews(parsed: Filter): boolean {
  return parsed.kind === 'device' || (parsed.kind !== 'shared' && !isPlainFilter(parsed))
}

/** The first two levels of a topic, or of a filter without wildcards there. */
function neighbourhood(topic: string): string {
  const [first, second = ''] = topic.split('/', 2)
  return second === '+' || second === '#' ? ANYWHERE : `${first}/${second}`
}
