/** Records with a time to live. Read on demand, but for counts of attempts, which are in memory. */
import type { CountKind, Expiring, ExpiringKind, ExpiringName, ExpiringRecords, ExpiringStore } from '../expiring.js'
import { clear, type Op, put, wipe } from '../op.js'
import { keyOf, type Tables } from '../tables.js'
import { CountTable } from './counts.js'
import { parse } from './memory-table.js'
import { readRecord } from './on-demand.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class ExpiringTable implements ExpiringStore {
  readonly #tables: Tables
  readonly #reads: Reads | null
  readonly #counts: TableSlot<CountTable>

  /** @param reads Records what is read from memory */
  constructor(tables: Tables, slots: TableSlots, reads: Reads | null) {
    this.#tables = tables
    this.#reads = reads
    this.#counts = slots.of('expiring', () => new CountTable())
  }

  async get<Kind extends ExpiringKind>(
    kind: Kind,
    name: ExpiringName,
    now: number,
  ): Promise<ExpiringRecords[Kind] | null> {
    const record = await this.#read<ExpiringRecords[Kind]>(keyOfRecord(kind, name))
    return record && record.until > now ? record : null
  }

  count<Kind extends CountKind>(kind: Kind, name: ExpiringName, now: number): ExpiringRecords[Kind] | null {
    const key = keyOfRecord(kind, name)
    this.#reads?.record('expiring', key)
    const record = this.#counts.now.get(kind, key)
    return record && record.until > now ? (record as ExpiringRecords[Kind]) : null
  }

  countOps<Kind extends CountKind>(kind: Kind, name: ExpiringName, record: ExpiringRecords[Kind]): Op[] {
    const forgotten = this.#counts.now.forgotten(kind, keyOfRecord(kind, name))
    return [...forgotten.map((key) => wipe('expiring', key)), this.putOp(kind, name, record)]
  }

  putOp<Kind extends ExpiringKind>(kind: Kind, name: ExpiringName, record: ExpiringRecords[Kind]): Op {
    return put('expiring', keyOfRecord(kind, name), JSON.stringify(record))
  }

  deleteOp(kind: ExpiringKind, name: ExpiringName): Op {
    return wipe('expiring', keyOfRecord(kind, name))
  }

  async sweepOps(after: string, limit: number, now: number): Promise<{ ops: Op[]; next: string | null }> {
    const page = await this.#tables.list('expiring', { after, limit })
    const ops: Op[] = []
    // Read again for a guard: it may just be renewed.
    for (const [key, value] of page)
      if (isOver(parse(value), now) && isOver(await this.#read(key), now)) ops.push(wipe('expiring', key))
    return { ops, next: page.length < limit ? null : page.at(-1)![0] }
  }

  #read<T>(key: string): Promise<T | null> {
    return readRecord(this.#tables, 'expiring', key)
  }
}

function isOver(record: Expiring | null, now: number): boolean {
  return record !== null && record.until <= now
}

/** The name comes first, so that all of a user can be removed with the account. */
function keyOfRecord(kind: ExpiringKind, name: ExpiringName): string {
  return typeof name === 'string' ? keyOf(name, kind) : keyOf(name[0], kind, name[1])
}

/** Removes the records that are named by a user first. */
export function deleteExpiringOp(user: string): Op {
  return { ...clear('expiring', user), wipe: true }
}
