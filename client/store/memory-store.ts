import { ChatError } from '../base/chat-error.js'
import { beginsWith, checkKeys, compareKeys } from './keys.js'
import type { Change, Key, OpenStore, Range, Row, Store, StoreOwner, Table } from './store.js'

interface StoredRow extends Row {
  readonly asOf: number | undefined
}

type Tables = Map<Table, SortedRows>

/** Stores that last as long as the program, each until another user has one: also when they are closed. */
export function memoryStores(): OpenStore {
  let last: StoreOwner | null = null
  let tables: Tables
  return (owner) => {
    if (owner.user !== last?.user || owner.broker !== last.broker) tables = new Map()
    last = owner
    return new MemoryStore(tables)
  }
}

/** Lasts as long as the program. */
export class MemoryStore implements Store {
  readonly #tables: Tables
  #isClosed = false

  constructor(tables: Tables = new Map()) {
    this.#tables = tables
  }

  async get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]> {
    const rows = this.#rows(table)
    return keys.map((key) => rows.find(key)?.value)
  }

  async range(table: Table, { limit, reverse = false, ...range }: Range = {}): Promise<readonly Row[]> {
    const rows = this.#rows(table).slice(range)
    if (reverse) rows.reverse()
    return rows.slice(0, limit).map(({ key, value }) => ({ key, value }))
  }

  async write(changes: readonly Change[]): Promise<void> {
    checkKeys(changes)
    for (const change of changes) {
      if ('put' in change) this.#rows(change.put).put(change)
      else if ('delete' in change) this.#rows(change.delete).delete(change.key)
      else this.#rows(change.clear).clear(change.prefix)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  async destroy(): Promise<void> {
    this.#isClosed = true
    this.#tables.clear()
  }

  #rows(table: Table): SortedRows {
    if (this.#isClosed) throw new ChatError('closed', 'the store was closed')
    let rows = this.#tables.get(table)
    if (!rows) this.#tables.set(table, (rows = new SortedRows()))
    return rows
  }
}

/** The rows of a table, by key. Most new ones are the last of their room, so that an array that others move up in is quick enough. */
export class SortedRows {
  readonly #rows: StoredRow[] = []

  find(key: Key): StoredRow | undefined {
    const row = this.#rows[this.#from(key)]
    return row && compareKeys(row.key, key) === 0 ? row : undefined
  }

  put({ key, value, asOf }: { key: Key; value: unknown; asOf?: number }): void {
    const at = this.#from(key)
    const old = this.find(key)
    if (asOf !== undefined && old?.asOf !== undefined && old.asOf > asOf) return
    this.#rows.splice(at, old ? 1 : 0, { key, value, asOf })
  }

  delete(key: Key): void {
    if (this.find(key)) this.#rows.splice(this.#from(key), 1)
  }

  clear(prefix: Key): void {
    const from = this.#from(prefix)
    this.#rows.splice(from, this.#after(prefix) - from)
  }

  slice({ prefix = [], after, before }: Pick<Range, 'prefix' | 'after' | 'before'>): StoredRow[] {
    const from = after ? this.#first((key) => compareKeys(key, after) > 0) : 0
    const to = before ? this.#from(before) : this.#rows.length
    return this.#rows.slice(Math.max(from, this.#from(prefix)), Math.min(to, this.#after(prefix)))
  }

  /** Where `key` is, or would be. */
  #from(key: Key): number {
    return this.#first((other) => compareKeys(other, key) >= 0)
  }

  /** Behind all that begin with `prefix`. */
  #after(prefix: Key): number {
    return this.#first((key) => compareKeys(key, prefix) > 0 && !beginsWith(key, prefix))
  }

  /** The place of the first key for which `holds`, as it does for all behind it. */
  #first(holds: (key: Key) => boolean): number {
    let low = 0
    let high = this.#rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.#rows[middle]!.key)) high = middle
      else low = middle + 1
    }
    return low
  }
}
