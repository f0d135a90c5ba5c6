/** Reads records that are stored as JSON and not held in memory. */
import type { RecordRange, Table, Tables } from '../tables.js'
import { parse } from './memory-table.js'

/** Null: there is none. */
export async function readRecord<T>(tables: Tables, table: Table, key: string): Promise<T | null> {
  const value = await tables.get(table, key)
  return value ? parse<T>(value) : null
}

export async function readRange<T>(tables: Tables, table: Table, range: RecordRange): Promise<T[]> {
  return (await tables.list(table, range)).map(([, value]) => parse<T>(value))
}

export async function* readAll<T>(tables: Tables, table: Table): AsyncGenerator<T> {
  for await (const [, value] of tables.entries(table)) yield parse<T>(value)
}
