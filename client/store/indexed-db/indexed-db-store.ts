/** The store of browsers. */
import { ChatError } from '../../base/chat-error.js'
import { datedPuts, withoutEarlier } from '../as-of.js'
import { checkKeys } from '../keys.js'
import type { Change, Key, Range, Row, Store, Table } from '../store.js'
import { StoreCalls } from '../store-calls.js'
import { deleteDatabase, openDatabase } from './database.js'
import { keyRange } from './key-range.js'
import { answer, done } from './requests.js'

interface StoredRow extends Row {
  readonly asOf?: number
}

/** What a lost connection to the database, or one that was closed by the browser, is told by: another one is made, once. */
const LOST: ReadonlySet<string> = new Set(['InvalidStateError', 'UnknownError', 'AbortError'])

/**
 * One database, which several tabs may have open. It is opened with the first call. When another tab deletes it, or has a later version of it,
 * all calls reject from then on: the page has to be loaded again.
 */
export class IndexedDbStore implements Store {
  readonly #name: string
  readonly #calls = new StoreCalls()
  #database: Promise<IDBDatabase> | null = null

  constructor(name: string) {
    this.#name = name
  }

  get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]> {
    return this.#read(async (database) => {
      const rows = database.transaction(table).objectStore(table)
      const found = await Promise.all(keys.map((key) => answer<StoredRow | undefined>(rows.get(key as IDBValidKey))))
      return found.map((row) => row?.value)
    })
  }

  range(table: Table, { limit, reverse = false, ...bounds }: Range = {}): Promise<readonly Row[]> {
    return this.#read(async (database) => {
      const range = keyRange(bounds)
      if (!range || limit === 0) return []
      const rows = database.transaction(table).objectStore(table)
      const found =
        reverse && limit !== undefined
          ? await lastOf(rows, range, limit)
          : await answer<StoredRow[]>(rows.getAll(range, limit))
      if (reverse && limit === undefined) found.reverse()
      return found.map(({ key, value }) => ({ key, value }))
    })
  }

  write(changes: readonly Change[], { durable = false }: { readonly durable?: boolean } = {}): Promise<void> {
    const durability = durable ? 'strict' : 'relaxed'
    return this.#calls.write(async () => {
      checkKeys(changes)
      if (changes.length > 0) await this.#tryTwice((database) => writeAll(database, changes, durability))
    })
  }

  async close(): Promise<void> {
    await this.#calls.end()
    const database = await this.#database?.catch(() => null)
    this.#database = null
    database?.close()
  }

  async destroy(): Promise<void> {
    await this.close()
    await deleteDatabase(this.#name)
  }

  #read<T>(act: (database: IDBDatabase) => Promise<T>): Promise<T> {
    return this.#calls.read(() => this.#tryTwice(act))
  }

  async #tryTwice<T>(act: (database: IDBDatabase) => Promise<T>): Promise<T> {
    const used = this.#open()
    try {
      return await act(await used)
    } catch (error) {
      if (!(error instanceof DOMException && LOST.has(error.name))) throw error
      this.#drop(used)
      return await act(await this.#open())
    }
  }

  #open(): Promise<IDBDatabase> {
    return (this.#database ??= this.#opened())
  }

  #opened(): Promise<IDBDatabase> {
    const opening = openDatabase(this.#name, {
      lost: () => this.#drop(opening),
      outdated: () => {
        void this.#calls.end(new ChatError('storage', 'another tab deleted or upgraded the store: reload the page'))
      },
    })
    opening.catch(() => this.#drop(opening))
    return opening
  }

  /** The next call opens it again. */
  #drop(database: Promise<IDBDatabase>): void {
    if (this.#database !== database) return
    this.#database = null
    database.then(
      (lost) => lost.close(),
      () => {},
    )
  }
}

async function writeAll(
  database: IDBDatabase,
  changes: readonly Change[],
  durability: IDBTransactionDurability,
): Promise<void> {
  const tables = new Set(changes.map((change) => tableOf(change)))
  const transaction = database.transaction([...tables], 'readwrite', { durability })
  const written = done(transaction)
  try {
    const dated = datedPuts(changes).map(({ put, key }) =>
      answer<StoredRow | undefined>(transaction.objectStore(put).get(key as IDBValidKey)),
    )
    const stored = dated.length === 0 ? [] : await Promise.all(dated)
    const rows = stored.map((row) => row?.asOf)
    for (const change of withoutEarlier(changes, rows)) apply(transaction.objectStore(tableOf(change)), change)
  } catch (error) {
    written.catch(() => {})
    abort(transaction)
    throw error
  }
  await written
}

function apply(rows: IDBObjectStore, change: Change): void {
  if ('put' in change) {
    const { key, value, asOf } = change
    rows.put({ key, value, ...(asOf !== undefined && { asOf }) } satisfies StoredRow, key as IDBValidKey)
  } else if ('delete' in change) rows.delete(change.key as IDBValidKey)
  else rows.delete(keyRange({ prefix: change.prefix })!)
}

function tableOf(change: Change): Table {
  return 'put' in change ? change.put : 'delete' in change ? change.delete : change.clear
}

/** It may have ended by itself. */
function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort()
  } catch {}
}

/** The last ones first: `getAll` begins with the first. */
function lastOf(rows: IDBObjectStore, range: IDBKeyRange, limit: number): Promise<StoredRow[]> {
  const found: StoredRow[] = []
  const request = rows.openCursor(range, 'prev')
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const cursor = request.result
      if (cursor) found.push(cursor.value)
      if (cursor && found.length < limit) cursor.continue()
      else resolve(found)
    }
  })
}
