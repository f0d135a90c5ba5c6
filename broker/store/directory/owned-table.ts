/** Records of owners, such as the bans of rooms: each stored whole, as JSON. */
import { del, type Op, put, wipe } from '../op.js'
import type { OwnedRecords } from '../owned-records.js'
import { keyOf, type Table } from '../tables.js'
import { PairTable, parse } from './memory-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class OwnedTable<T extends object> implements OwnedRecords<T> {
  readonly #table: Table
  readonly #reads: Reads | null
  readonly #keyOf: (record: T) => string
  readonly #slot: TableSlot<PairTable<T>>

  /** @param reads Records what is read */
  constructor(slots: TableSlots, table: Table, keyOfRecord: (record: T) => string, reads: Reads | null) {
    this.#reads = reads
    this.#table = table
    this.#keyOf = keyOfRecord
    this.#slot = slots.of(table, () => new PairTable<T>(parse))
  }

  get(owner: string, name: string): T | undefined {
    this.#reads?.record(this.#table, keyOf(owner, name))
    return this.#slot.now.byOwner.get(owner, name)
  }

  of(owner: string): ReadonlyMap<string, T> {
    this.#reads?.owner(this.#table, owner)
    return this.#slot.now.byOwner.of(owner)
  }

  /** By owner. */
  named(name: string): ReadonlyMap<string, T> {
    this.#reads?.name(this.#table, name)
    return this.#slot.now.byName.of(name)
  }

  all(): Iterable<T> {
    return this.#slot.now.byOwner.all()
  }

  putOp(record: T): Op {
    return put(this.#table, this.#keyOf(record), JSON.stringify(record))
  }

  deleteOp(owner: string, name: string): Op {
    return del(this.#table, keyOf(owner, name))
  }

  wipeOp(owner: string, name: string): Op {
    return wipe(this.#table, keyOf(owner, name))
  }
}
