/** Settings of users: one small record per user who changed them. */
import { type Op, put, wipe } from '../op.js'
import { keyOf, type Table } from '../tables.js'
import type { UserSettings } from '../user-settings.js'
import { parse, SingleTable } from './memory-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class UserSettingsTable<T extends { user: string }> implements UserSettings<T> {
  readonly #table: Table
  readonly #slot: TableSlot<SingleTable<T>>
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(slots: TableSlots, table: Table, reads: Reads | null) {
    this.#table = table
    this.#reads = reads
    this.#slot = slots.of(table, () => new SingleTable((value, user) => ({ user, ...parse<object>(value) }) as T))
  }

  get(user: string): T | undefined {
    this.#reads?.record(this.#table, keyOf(user))
    return this.#slot.now.records.get(user)
  }

  putOp({ user, ...settings }: T): Op {
    return put(this.#table, keyOf(user), JSON.stringify(settings))
  }

  deleteOp(user: string): Op {
    return wipe(this.#table, keyOf(user))
  }
}
