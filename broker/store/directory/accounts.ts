/** Second factors, which are removed with their account, and removals in progress. Read on demand. */
import type { AccountStore, RemovalRecord, SecondFactorRecord } from '../accounts.js'
import { type Op, put, wipe } from '../op.js'
import { keyOf, type Tables } from '../tables.js'
import { readAll, readRecord } from './on-demand.js'

export class Accounts implements AccountStore {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
  }

  secondFactor(user: string): Promise<SecondFactorRecord | null> {
    return readRecord(this.#tables, 'secondFactor', keyOf(user))
  }

  secondFactorOp(record: SecondFactorRecord): Op {
    return put('secondFactor', keyOf(record.user), JSON.stringify(record))
  }

  deleteSecondFactorOp(user: string): Op {
    return wipe('secondFactor', keyOf(user))
  }

  removal(user: string): Promise<RemovalRecord | null> {
    return readRecord(this.#tables, 'removal', keyOf(user))
  }

  removals(): AsyncIterable<RemovalRecord> {
    return readAll(this.#tables, 'removal')
  }

  removalOp(record: RemovalRecord): Op {
    return put('removal', keyOf(record.user), JSON.stringify(record))
  }

  deleteRemovalOp(user: string): Op {
    return wipe('removal', keyOf(user))
  }
}
