/** Second factors, which are removed with their account, and removals in progress. Read on demand. */
import type { AccountStore, RemovalRecord, SecondFactorRecord } from '../accounts.js'
import { type Op, put, wipe } from '../op.js'
import { keyOf, type Tables } from '../tables.js'
import { parse } from './memory-table.js'
import type { Reads } from './reads.js'

export class Accounts implements AccountStore {
  readonly #tables: Tables
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(tables: Tables, reads: Reads | null) {
    this.#tables = tables
    this.#reads = reads
  }

  async secondFactor(user: string): Promise<SecondFactorRecord | null> {
    this.#reads?.record('secondFactor', keyOf(user))
    const value = await this.#tables.get('secondFactor', keyOf(user))
    return value ? parse(value) : null
  }

  secondFactorOp(record: SecondFactorRecord): Op {
    return put('secondFactor', keyOf(record.user), JSON.stringify(record))
  }

  deleteSecondFactorOp(user: string): Op {
    return wipe('secondFactor', keyOf(user))
  }

  async removal(user: string): Promise<RemovalRecord | null> {
    this.#reads?.record('removal', keyOf(user))
    const value = await this.#tables.get('removal', keyOf(user))
    return value ? parse(value) : null
  }

  async *removals(): AsyncGenerator<RemovalRecord> {
    for await (const [, value] of this.#tables.entries('removal')) yield parse(value)
  }

  removalOp(record: RemovalRecord): Op {
    return put('removal', keyOf(record.user), JSON.stringify(record))
  }

  deleteRemovalOp(user: string): Op {
    return wipe('removal', keyOf(user))
  }
}
