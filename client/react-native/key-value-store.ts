/** The store of apps: rows in a storage of texts by name. Keys are held in memory, values are read when they are asked for. */
import { ChatError } from '../base/chat-error.js'
import { datedPuts, withoutEarlier } from '../store/as-of.js'
import { beginsWith, checkKeys } from '../store/keys.js'
import { SortedRows } from '../store/memory-store.js'
import type { Change, Key, OpenStore, Range, Row, Store, Table } from '../store/store.js'
import { StoreCalls } from '../store/store-calls.js'

/** `AsyncStorage` has these, and over a database they are four statements. A call of `multiSet` or `multiRemove` need not be atomic. */
export interface KeyValueStorage {
  getAllKeys(): Promise<readonly string[]>
  /** Null: there is none. */
  multiGet(names: readonly string[]): Promise<readonly (readonly [name: string, text: string | null])[]>
  multiSet(pairs: [name: string, text: string][]): Promise<unknown>
  multiRemove(names: string[]): Promise<unknown>
}

/** As JSON. */
interface StoredRow {
  readonly value: unknown
  readonly asOf?: number
}

/** By name; null: removed. */
type Texts = Map<string, string | null>

/** Holds a write until all of it is made. Begins like no table. */
const JOURNAL = 'journal'

/** One client at a time: nothing guards against a second one. */
export function keyValueStore(storage: KeyValueStorage): OpenStore {
  return (owner) => {
    const place = [owner.broker, owner.user].map(encodeURIComponent).join('/')
    return new KeyValueStore(storage, `topictalk/${place}/`)
  }
}

export class KeyValueStore implements Store {
  readonly #storage: KeyValueStorage
  readonly #prefix: string
  readonly #calls = new StoreCalls()
  /** The keys that there are; null: not known. */
  #index: Map<Table, SortedRows> | null = null
  /** Of the journal, what could not be made yet, such as on a full storage: it counts in place of what the storage has under these names. */
  #pending: Texts = new Map()
  /** Resolves when the call before is done: a write is seen as a whole. */
  #turn: Promise<unknown> = Promise.resolve()

  /** `prefix`: begins all names of this store, and none of others. */
  constructor(storage: KeyValueStorage, prefix: string) {
    this.#storage = storage
    this.#prefix = prefix
  }

  get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]> {
    return this.#calls.read(() =>
      this.#inTurn(async () => {
        const rows = await this.#read(keys.map((key) => this.#nameOf(table, key)))
        return rows.map((row) => row?.value)
      }),
    )
  }

  range(table: Table, { limit, reverse = false, ...bounds }: Range = {}): Promise<readonly Row[]> {
    return this.#calls.read(() =>
      this.#inTurn(async (index) => {
        const found = rowsOf(index, table).slice(bounds)
        if (reverse) found.reverse()
        const keys = found.slice(0, limit).map(({ key }) => key)
        const rows = await this.#read(keys.map((key) => this.#nameOf(table, key)))
        return keys.map((key, at) => ({ key, value: rows[at]?.value }))
      }),
    )
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#calls.write(() => this.#inTurn((index) => this.#write(index, changes)))
  }

  async close(): Promise<void> {
    await this.#calls.end()
  }

  async destroy(): Promise<void> {
    await this.close()
    const names = await this.#storage.getAllKeys()
    await this.#storage.multiRemove(names.filter((name) => name.startsWith(this.#prefix)))
  }

  #inTurn<T>(act: (index: Map<Table, SortedRows>) => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => act((this.#index ??= await this.#open())))
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #open(): Promise<Map<Table, SortedRows>> {
    const [journal] = await this.#storage.multiGet([this.#prefix + JOURNAL])
    this.#pending = new Map(journal?.[1] ? (JSON.parse(journal[1]) as [string, string | null][]) : [])
    // Tried again with the next write.
    await this.#apply(this.#pending).catch(() => {})
    const index = new Map<Table, SortedRows>()
    const names = new Set(await this.#storage.getAllKeys())
    for (const [name, text] of this.#pending) {
      if (text === null) names.delete(name)
      else names.add(name)
    }
    for (const name of names) {
      const place = name.startsWith(this.#prefix) ? this.#placeOf(name) : null
      if (place) rowsOf(index, place.table).put({ key: place.key, value: null })
    }
    return index
  }

  async #write(index: Map<Table, SortedRows>, changes: readonly Change[]): Promise<void> {
    checkKeys(changes)
    for (const change of changes)
      if ('put' in change && change.put === 'files')
        throw new ChatError('storage', 'a key-value storage keeps no bytes of files')
    const dated = await this.#read(datedPuts(changes).map(({ put, key }) => this.#nameOf(put, key)))
    const counting = withoutEarlier(
      changes,
      dated.map((row) => row?.asOf),
    )
    const texts = this.#textsOf(index, counting)
    if (texts.size === 0) return
    // There is one journal.
    const all: Texts = new Map([...this.#pending, ...texts])
    try {
      if (all.size > 1) await this.#storage.multiSet([[this.#prefix + JOURNAL, JSON.stringify([...all])]])
      await this.#apply(all)
    } catch (error) {
      // What was written of it is not known: the next call looks, and makes the rest if it can.
      this.#index = null
      throw error
    }
    for (const change of counting) {
      if ('put' in change) rowsOf(index, change.put).put({ key: change.key, value: null })
      else if ('delete' in change) rowsOf(index, change.delete).delete(change.key)
      else rowsOf(index, change.clear).clear(change.prefix)
    }
  }

  #textsOf(index: Map<Table, SortedRows>, changes: readonly Change[]): Texts {
    const texts: Texts = new Map()
    /** Rows of this write, with their keys, for a `clear` behind them. */
    const put = new Map<string, { readonly table: Table; readonly key: Key }>()
    for (const change of changes) {
      if ('put' in change) {
        const { put: table, key, value, asOf } = change
        const name = this.#nameOf(table, key)
        texts.set(name, JSON.stringify({ value, asOf } satisfies { [K in keyof StoredRow]: unknown }))
        put.set(name, { table, key })
      } else if ('delete' in change) texts.set(this.#nameOf(change.delete, change.key), null)
      else {
        const { clear: table, prefix } = change
        for (const { key } of rowsOf(index, table).slice({ prefix })) texts.set(this.#nameOf(table, key), null)
        for (const [name, row] of put) if (row.table === table && beginsWith(row.key, prefix)) texts.set(name, null)
      }
    }
    return texts
  }

  /** Also of a journal: what was made already is made again. */
  async #apply(texts: Texts): Promise<void> {
    const set: [string, string][] = []
    const removed: string[] = []
    for (const [name, text] of texts) {
      if (text === null) removed.push(name)
      else set.push([name, text])
    }
    // First what makes space.
    if (removed.length > 0) await this.#storage.multiRemove(removed)
    if (set.length > 0) await this.#storage.multiSet(set)
    if (texts.size > 1) await this.#storage.multiRemove([this.#prefix + JOURNAL])
    this.#pending = new Map()
  }

  async #read(names: readonly string[]): Promise<(StoredRow | undefined)[]> {
    if (names.length === 0) return []
    // Each once, and in whatever order: storages differ in what they make of the rest.
    const texts = new Map(await this.#storage.multiGet([...new Set(names)]))
    return names.map((name) => {
      const text = this.#pending.has(name) ? this.#pending.get(name) : texts.get(name)
      return text ? (JSON.parse(text) as StoredRow) : undefined
    })
  }

  /** Numbers as texts in a list, because JSON has no infinite ones. */
  #nameOf(table: Table, key: Key): string {
    return `${this.#prefix}${table}${JSON.stringify(key.map((part) => (typeof part === 'number' ? [String(part + 0)] : part)))}`
  }

  /** Null: it is no row. */
  #placeOf(name: string): { table: Table; key: Key } | null {
    const place = name.slice(this.#prefix.length)
    const at = place.indexOf('[')
    if (at < 0) return null
    const parts = JSON.parse(place.slice(at)) as (string | [string])[]
    return {
      table: place.slice(0, at) as Table,
      key: parts.map((part) => (typeof part === 'string' ? part : Number(part[0]))),
    }
  }
}

function rowsOf(index: Map<Table, SortedRows>, table: Table): SortedRows {
  let rows = index.get(table)
  if (!rows) index.set(table, (rows = new SortedRows()))
  return rows
}
