/** Whether records are as guards demand: on disk, or as the commit that is being built leaves them. */
import type { SameRecord } from '../guards.js'
import { ownerOf, type TableChange } from '../tables.js'
import type { Database } from './database.js'
import { recordKey } from './record-keys.js'

export class SameRecords {
  readonly #database: Pick<Database, 'getSync'>

  constructor(database: Pick<Database, 'getSync'>) {
    this.#database = database
  }

  /** `changes`: of the commit that is being built, so far. */
  hold(same: readonly SameRecord[], changes: readonly TableChange[]): boolean {
    return same.every((record) => this.#valueOf(record, changes) === record.value)
  }

  #valueOf({ table, key }: SameRecord, changes: readonly TableChange[]): string | null {
    for (let i = changes.length - 1; i >= 0; i--) {
      const change = changes[i]!
      if (change.table !== table) continue
      if ('owner' in change) {
        if (change.owner === ownerOf(key)) return null
      } else if (change.key === key) return change.value?.toString() ?? null
    }
    return this.#database.getSync(recordKey(table, key))?.toString() ?? null
  }
}
