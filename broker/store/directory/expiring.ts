/** Records with a time to live. Read on demand. */
import { type Expiring, type ExpiringKind, type ExpiringRecords, type ExpiringStore, OF_USERS } from '../expiring.js'
import { type Op, put, wipe } from '../op.js'
import { keyOf, type Tables } from '../tables.js'
import { parse } from './memory-table.js'
import type { Reads } from './reads.js'

export class ExpiringTable implements ExpiringStore {
  readonly #tables: Tables
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(tables: Tables, reads: Reads | null) {
    this.#tables = tables
    this.#reads = reads
  }

  async get<Kind extends ExpiringKind>(kind: Kind, name: string, now: number): Promise<ExpiringRecords[Kind] | null> {
    const record = await this.#read<ExpiringRecords[Kind]>(keyOf(kind, name))
    return record && record.until > now ? record : null
  }

  putOp<Kind extends ExpiringKind>(kind: Kind, name: string, record: ExpiringRecords[Kind]): Op {
    return put('expiring', keyOf(kind, name), JSON.stringify(record))
  }

  deleteOp(kind: ExpiringKind, name: string): Op {
    return wipe('expiring', keyOf(kind, name))
  }

  async sweepOps(after: string, limit: number, now: number): Promise<{ ops: Op[]; next: string | null }> {
    const page = await this.#tables.list('expiring', { after, limit })
    const ops: Op[] = []
    // Read again for a guard: it may just be renewed.
    for (const [key, value] of page)
      if (isOver(parse(value), now) && isOver(await this.#read(key), now)) ops.push(wipe('expiring', key))
    return { ops, next: page.length < limit ? null : page.at(-1)![0] }
  }

  async #read<T>(key: string): Promise<T | null> {
    this.#reads?.record('expiring', key)
    const value = await this.#tables.get('expiring', key)
    return value ? parse(value) : null
  }
}

function isOver(record: Expiring | null, now: number): boolean {
  return record !== null && record.until <= now
}

/** Removes the records that are named by a user. */
export function deleteExpiringOps(user: string): Op[] {
  return OF_USERS.map((kind) => wipe('expiring', keyOf(kind, user)))
}
