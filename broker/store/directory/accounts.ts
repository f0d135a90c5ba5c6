/** Second factors, which are removed with their account, and removals in progress. Read on demand. */
import type { AccountStore, RemovalRecord, SecondFactorRecord } from '../accounts.js'
import { type Op, put, wipe } from '../op.js'
import { keyOf, type Tables } from '../tables.js'
import { parse } from './memory-table.js'

export class Accounts implements AccountStore {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
  }

  async secondFactor(user: string): Promise<SecondFactorRecord | null> {
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
