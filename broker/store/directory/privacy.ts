/** Privacy settings: one small record per user who changed them. */
import { del, type Op, put } from '../op.js'
import type { PrivacyRecord, PrivacyStore } from '../privacy.js'
import { keyOf } from '../tables.js'
import { parse, SingleTable } from './memory-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class Privacy implements PrivacyStore {
  readonly #table: TableSlot<SingleTable<PrivacyRecord>>
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(slots: TableSlots, reads: Reads | null) {
    this.#reads = reads
    this.#table = slots.of(
      'privacy',
      () => new SingleTable((value, user) => ({ user, ...parse<Omit<PrivacyRecord, 'user'>>(value) })),
    )
  }

  get(user: string): PrivacyRecord | undefined {
    this.#reads?.record('privacy', keyOf(user))
    return this.#table.now.records.get(user)
  }

  putOp({ user, ...settings }: PrivacyRecord): Op {
    return put('privacy', keyOf(user), JSON.stringify(settings))
  }

  deleteOp(user: string): Op {
    return del('privacy', keyOf(user))
  }
}
