/** What those who keep order leave in the store. */
import type { Filter } from '../../schemas/moderation.js'
import type { Op } from './store.js'

/** Held in memory. */
export interface ModerationStore {
  /** What messages may not say, beside the configuration; the same list until it changes. */
  readonly filters: readonly Filter[]
  /** Replaces the list. */
  filtersOp(filters: readonly Filter[]): Op
}
