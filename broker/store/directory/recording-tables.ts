/** Tables, with each record read on demand as a guard. A range is none: what is in it is read once more, or guarded by its owner. */
import type { RecordRange, StoredRecord, Table, Tables } from '../tables.js'
import type { Reads } from './reads.js'

export class RecordingTables implements Tables {
  readonly #tables: Tables
  readonly #reads: Reads

  constructor(tables: Tables, reads: Reads) {
    this.#tables = tables
    this.#reads = reads
  }

  get(table: Table, key: string): Promise<Buffer | undefined> {
    this.#reads.record(table, key)
    return this.#tables.get(table, key)
  }

  list(table: Table, range: RecordRange): Promise<StoredRecord[]> {
    return this.#tables.list(table, range)
  }

  entries(table: Table, range?: RecordRange): AsyncIterable<StoredRecord> {
    return this.#tables.entries(table, range)
  }

  scan(table: Table, visit: (key: string, value: Buffer) => void): Promise<void> {
    return this.#tables.scan(table, visit)
  }
}
