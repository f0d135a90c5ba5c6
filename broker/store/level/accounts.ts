/** Second factors: read when asked for. They go with their account (`deleteUserOps`). */
import type { AccountStore, SecondFactorRecord } from '../accounts.js'
import type { Op } from '../store.js'
import type { Database } from './database.js'
import { keys } from './keys.js'
import { del, put } from './operation.js'

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
    return del(keys.secondFactor(user))
  }
}
