/** The tables that are held in memory, each in a slot: loaded anew beside the old ones, then put in their place at once. */
import type { Table, TableChange, TableFollower, Tables } from '../tables.js'
import type { MemoryTable } from './memory-table.js'

export interface TableSlot<T> {
  /** What the table holds as of the last commit applied. Another object after a reload. */
  readonly now: T
}

class Slot<T extends MemoryTable> implements TableSlot<T> {
  now: T
  readonly #make: () => T

  constructor(make: () => T) {
    this.#make = make
    this.now = make()
  }

  async load(table: Table, tables: Tables): Promise<() => void> {
    const fresh = this.#make()
    await tables.scan(table, (key, value) => fresh.apply(key, value))
    return () => {
      this.now = fresh
    }
  }
}

export class TableSlots implements TableFollower {
  readonly #slots = new Map<Table, Slot<MemoryTable>>()
  /** Of the last commit applied. */
  position = 0

  /** The slot of a table, made when it is first asked for. */
  of<T extends MemoryTable>(table: Table, make: () => T): TableSlot<T> {
    const known = this.#slots.get(table)
    if (known) return known as TableSlot<MemoryTable> as TableSlot<T>
    const slot = new Slot(make)
    this.#slots.set(table, slot)
    return slot
  }

  async load(tables: Tables): Promise<() => void> {
    const applies: (() => void)[] = []
    for (const [table, slot] of this.#slots) applies.push(await slot.load(table, tables))
    return () => {
      for (const apply of applies) apply()
    }
  }

  apply(position: number, changes: readonly TableChange[]): void {
    for (const change of changes) {
      const table = this.#slots.get(change.table)?.now
      if (table) applyTo(table, change)
    }
    this.position = position
  }
}

export function applyTo(table: MemoryTable, change: TableChange): void {
  if ('owner' in change) table.clear(change.owner)
  else table.apply(change.key, change.value)
}
