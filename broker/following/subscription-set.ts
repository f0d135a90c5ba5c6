import { type Filter, isPlainFilter } from '../../schemas/topics.js'
import { filterCost } from '../store/filter-cost.js'
import { LazyMap, LazySet } from '../util/lazy.js'
import type { Subscription } from './subscription.js'

/** Of filters whose second level is a wildcard. */
const ANYWHERE = ''

/** The subscriptions of a follower, by filter. There may be ten thousand: what is asked for each message, or each filter, looks at few of them. */
export class SubscriptionSet extends LazyMap<string, Subscription> {
  /** Of all filters, with what each costs beside. */
  bytes = 0
  /** Those that ask for more than messages at a QoS: an identifier, RETAIN as published, nothing of one's own. */
  readonly particular = new LazySet<Subscription>()
  /** Those that show views, by the first two levels of what they match. */
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

  /** Those whose filter may show a view on the topic. */
  near(topic: string): readonly Subscription[] {
    const place = neighbourhood(topic)
    const wide = this.#near.get(ANYWHERE) ?? []
    return place === ANYWHERE ? wide : [...(this.#near.get(place) ?? []), ...wide]
  }
}

/** Filters of plain topics show none, those of devices may, beside plain topics. What a shared filter shows its group follows. */
export function showsViews(parsed: Filter): boolean {
  return parsed.kind === 'device' || (parsed.kind !== 'shared' && !isPlainFilter(parsed))
}

/** The first two levels of a topic, or of a filter that names them. */
function neighbourhood(topic: string): string {
  const [first, second = ''] = topic.split('/', 2)
  return second === '+' || second === '#' ? ANYWHERE : `${first}/${second}`
}
