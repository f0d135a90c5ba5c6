import { LazyMap } from '../lazy.js'
import { filterCost } from '../store/filter-cost.js'
import type { Subscription } from './subscription.js'

/** The subscriptions of a follower, by filter. */
export class Subscriptions extends LazyMap<string, Subscription> {
  /** Of all filters, with what each costs beside. */
  bytes = 0

  override set(filter: string, subscription: Subscription): this {
    if (!this.has(filter)) this.bytes += filterCost(filter)
    return super.set(filter, subscription)
  }

  override delete(filter: string): boolean {
    if (!super.delete(filter)) return false
    this.bytes -= filterCost(filter)
    return true
  }
}
