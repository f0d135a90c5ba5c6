/** The tables, in the database. */
import type { RecordRange, StoredRecord, Table, Tables } from '../tables.js'
import type { Database } from './database.js'
import type { KeyRange } from './keys.js'
import { keyOfRecord, recordKey, recordRange, recordsFrom } from './record-keys.js'

export class LevelTables implements Tables {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  get(table: Table, key: string): Promise<Buffer | undefined> {
    return this.#database.get(recordKey(table, key))
  }

  async list(table: Table, range: RecordRange): Promise<StoredRecord[]> {
    const found = await this.#database.some(rangeOf(table, range), range.limit ?? -1, range.reverse)
    return found.map(([key, value]) => [keyOfRecord(table, key), value])
  }

  async *entries(table: Table, range: RecordRange = {}): AsyncGenerator<StoredRecord> {
    const { limit = -1, reverse = false } = range
    const found = this.#database.pages({ ...rangeOf(table, range), limit, reverse })
    for await (const page of found) for (const [key, value] of page) yield [keyOfRecord(table, key), value]
  }

  scan(table: Table, visit: (key: string, value: Buffer) => void): Promise<void> {
    return this.#database.scan(rangeOf(table, {}), (key, value) => visit(keyOfRecord(table, key), value))
  }
}

function rangeOf(table: Table, { owner, prefix = '', after, before }: RecordRange): KeyRange {
  let { gte, lt } = owner === undefined ? recordsFrom(table, prefix) : recordRange(table, owner)
  // The smallest key greater than another.
  if (after !== undefined && `${recordKey(table, after)}\0` > gte) gte = `${recordKey(table, after)}\0`
  if (before !== undefined && recordKey(table, before) < lt) lt = recordKey(table, before)
  return { gte, lt }
}
