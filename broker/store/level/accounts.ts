/** Second factors, which are removed with their account (`deleteUserOps`), and removals in progress. Read on demand. */
import type { AccountStore, RemovalRecord, SecondFactorRecord } from '../accounts.js'
import type { Op } from '../op.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import { put, wipe } from './operation.js'

export class LevelAccounts implements AccountStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async secondFactor(user: string): Promise<SecondFactorRecord | null> {
    const value = await this.#database.get(keys.secondFactor(user))
    return value ? JSON.parse(value.toString()) : null
  }

  secondFactorOp(record: SecondFactorRecord): Op {
    return put(keys.secondFactor(record.user), JSON.stringify(record))
  }

  deleteSecondFactorOp(user: string): Op {
    return wipe(keys.secondFactor(user), Date.now())
  }

  async removal(user: string): Promise<RemovalRecord | null> {
    const value = await this.#database.get(keys.removal(user))
    return value ? JSON.parse(value.toString()) : null
  }

  async *removals(): AsyncGenerator<RemovalRecord> {
    for await (const [, value] of this.#database.entries(ranges.removals)) yield JSON.parse(value.toString())
  }

  removalOp(record: RemovalRecord): Op {
    return put(keys.removal(record.user), JSON.stringify(record))
  }

  deleteRemovalOp(user: string): Op {
    return wipe(keys.removal(user), Date.now())
  }
}
