/** What those who keep order leave: read once and kept in memory, which changes after the disk did. */
import type { Filter } from '../../../schemas/moderation.js'
import type { ModerationStore } from '../moderation.js'
import type { Op } from '../store.js'
import type { Database } from './database.js'
import { keys } from './keys.js'
import { put } from './operation.js'

export class LevelModeration implements ModerationStore {
  filters: readonly Filter[] = []
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Reads everything; what it returns makes that what memory says, at once. */
  async load(): Promise<() => void> {
    const filters = await this.#database.get(keys.filters)
    return () => {
      this.filters = filters ? JSON.parse(filters.toString()) : []
    }
  }

  filtersOp(filters: readonly Filter[]): Op {
    const kept = structuredClone(filters)
    return put(keys.filters, JSON.stringify(kept), () => {
      this.filters = kept
    })
  }
}
