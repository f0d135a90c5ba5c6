/** The store of programs: a LevelDB in a directory, of one process at a time. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { ChatError } from '../base/chat-error.js'
import { datedPuts, withoutEarlier } from '../store/as-of.js'
import { checkKeys } from '../store/keys.js'
import type { Change, Key, OpenStore, Range, Row, Store, Table } from '../store/store.js'
import { StoreCalls } from '../store/store-calls.js'
import { BlobDirectory, type StoredBlob } from './blob-directory.js'
import { BEHIND, decodeKey, encodeKey } from './key-codec.js'

type Database = Level<Buffer, string>

/** As JSON; of the table `files` a `StoredBlob`. */
interface StoredRow {
  readonly value: unknown
  readonly asOf?: number
}

/** Begins the keys of a table. Never given to another one. */
const LETTERS: Readonly<Record<Table, string>> = {
  meta: 'm',
  rooms: 'r',
  messages: 'M',
  profiles: 'p',
  drafts: 'd',
  outbox: 'o',
  files: 'f',
}

/** Opened with the first call, which makes the directory; that others cannot read it. */
export class DirectoryStore implements Store {
  readonly #path: string
  readonly #blobs: BlobDirectory
  readonly #calls = new StoreCalls()
  #database: Promise<Database> | null = null
  /** Resolves when the database before is closed. */
  #closed: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
    this.#blobs = new BlobDirectory(join(path, 'files'))
  }

  get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]> {
    return this.#calls.read(async () => {
      const rows = await rowsOf(
        await this.#open(),
        keys.map((key) => [table, key]),
      )
      return Promise.all(rows.map((row) => this.#valueOf(table, row)))
    })
  }

  range(table: Table, { limit = Number.POSITIVE_INFINITY, reverse = false, ...bounds }: Range = {}): Promise<Row[]> {
    return this.#calls.read(async () => {
      const database = await this.#open()
      const found = await database.iterator({ ...bytesOf(table, bounds), limit, reverse }).all()
      const rows = found.map(async ([key, row]) => {
        return { key: decodeKey(key.subarray(1)), value: await this.#valueOf(table, parsed(row)) }
      })
      return Promise.all(rows)
    })
  }

  write(changes: readonly Change[], { durable = false }: { readonly durable?: boolean } = {}): Promise<void> {
    return this.#calls.write(async () => {
      checkKeys(changes)
      if (changes.length === 0) return
      const opened = this.#open()
      const database = await opened
      const stored = await this.#withBlobs(database, changes, durable)
      try {
        await writeAll(database, stored, durable)
        if (changes.some(removesFiles)) await this.#sweep(database)
      } catch (error) {
        // LevelDB writes nothing more after that, until it is opened again.
        this.#drop(opened)
        throw error
      }
    })
  }

  async close(): Promise<void> {
    await this.#calls.end()
    if (this.#database) this.#drop(this.#database)
    await this.#closed
  }

  async destroy(): Promise<void> {
    await this.close()
    await rm(this.#path, { recursive: true, force: true })
  }

  async #valueOf(table: Table, row: StoredRow | undefined): Promise<unknown> {
    return row && table === 'files' ? this.#blobs.get(row.value as StoredBlob) : row?.value
  }

  /** A file that cannot be read, or has no space, is no fault of the database: nothing of the write stays. */
  async #withBlobs(database: Database, changes: readonly Change[], sync: boolean): Promise<Change[]> {
    const stored: Change[] = []
    try {
      for (const change of changes) stored.push(await this.#withBlob(change, sync))
      return stored
    } catch (error) {
      await this.#sweep(database)
      throw error
    }
  }

  async #withBlob(change: Change, sync: boolean): Promise<Change> {
    if (!('put' in change && change.put === 'files')) return change
    return { ...change, value: await this.#blobs.put(change.value as Blob, sync) }
  }

  /** Bytes that no row names were left by a crash, or their rows were removed. */
  async #sweep(database: Database): Promise<void> {
    const rows = await database.values(bytesOf('files', {})).all()
    await this.#blobs.keepOnly(rows.map((row) => parsed(row).value as StoredBlob))
  }

  #open(): Promise<Database> {
    if (this.#database) return this.#database
    const opening = this.#closed.then(async () => {
      const database = await openAt(this.#path)
      await this.#sweep(database)
      return database
    })
    this.#database = opening
    opening.catch(() => this.#drop(opening))
    return opening
  }

  /** The next call opens it again. */
  #drop(database: Promise<Database>): void {
    if (this.#database !== database) return
    this.#database = null
    this.#closed = database.then((opened) => opened.close()).catch(() => {})
  }
}

function removesFiles(change: Change): boolean {
  return !('put' in change) && ('delete' in change ? change.delete : change.clear) === 'files'
}

async function openAt(path: string): Promise<Database> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const database: Database = new Level(path, { keyEncoding: 'buffer', valueEncoding: 'utf8' })
  try {
    await database.open()
    return database
  } catch (cause) {
    if ((cause as { cause?: { code?: unknown } }).cause?.code !== 'LEVEL_LOCKED') throw cause
    throw new ChatError('storage', `${path} is in use: one client at a time`, { cause })
  }
}

async function writeAll(database: Database, changes: readonly Change[], sync: boolean): Promise<void> {
  const dated = await rowsOf(
    database,
    datedPuts(changes).map(({ put, key }) => [put, key]),
  )
  const rows = dated.map((row) => row?.asOf)
  /** By key: the last of several counts. Null: deleted. */
  const writes = new Map<string, string | null>()
  for (const change of withoutEarlier(changes, rows)) {
    if ('put' in change) {
      const { put, key, value, asOf } = change
      writes.set(
        nameOf(rowKey(put, key)),
        JSON.stringify({ value, asOf } satisfies { [K in keyof StoredRow]: unknown }),
      )
    } else if ('delete' in change) writes.set(nameOf(rowKey(change.delete, change.key)), null)
    else await clear(database, writes, change.clear, change.prefix)
  }
  const operations = [...writes].map(([name, value]) => {
    const key = Buffer.from(name, 'latin1')
    return value === null ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const)
  })
  await database.batch(operations, { sync })
}

/** What is stored, and what was written before in the same write. */
async function clear(database: Database, writes: Map<string, string | null>, table: Table, prefix: Key): Promise<void> {
  for (const key of await database.keys(bytesOf(table, { prefix })).all()) writes.set(nameOf(key), null)
  const begin = nameOf(rowKey(table, prefix))
  for (const name of writes.keys()) if (name.startsWith(begin)) writes.set(name, null)
}

async function rowsOf(database: Database, keys: readonly [Table, Key][]): Promise<(StoredRow | undefined)[]> {
  const rows = await database.getMany(keys.map(([table, key]) => rowKey(table, key)))
  return rows.map((row) => (row === undefined ? undefined : parsed(row)))
}

function parsed(row: string): StoredRow {
  return JSON.parse(row) as StoredRow
}

function rowKey(table: Table, key: Key): Buffer {
  return Buffer.concat([Buffer.from(LETTERS[table]), encodeKey(key)])
}

/** Bytes as text, one character for each. */
function nameOf(key: Buffer): string {
  return key.toString('latin1')
}

function bytesOf(table: Table, { prefix = [], after, before }: Pick<Range, 'prefix' | 'after' | 'before'>) {
  const begin = rowKey(table, prefix)
  const end = Buffer.concat([begin, Buffer.from([BEHIND])])
  const above = after && rowKey(table, after)
  const below = before && rowKey(table, before)
  return {
    ...(above && above.compare(begin) >= 0 ? { gt: above } : { gte: begin }),
    lt: below && below.compare(end) < 0 ? below : end,
  }
}

/**
 * Keeps what has to survive in a directory, below it in one for each user of each broker: the option `store` of `createChat`. One client at a
 * time; another one gets a `ChatError` `storage` for what it wants to keep.
 */
export function directoryStore(directory: string): OpenStore {
  return ({ broker, user }) => new DirectoryStore(join(directory, ...[broker, user].map(encodeURIComponent)))
}
