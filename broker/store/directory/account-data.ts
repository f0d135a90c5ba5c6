import type { AccountDataRecord, AccountDataStore, AccountDataTotal } from '../account-data.js'
import { clear, type Op, put, wipe } from '../op.js'
import { keyOf, type Tables } from '../tables.js'
import { readRange, readRecord } from './on-demand.js'

const TABLE = 'accountData'
/** In place of a name. */
const TOTAL = ''

export class AccountData implements AccountDataStore {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
  }

  get(user: string, name: string): Promise<AccountDataRecord | null> {
    return readRecord(this.#tables, TABLE, keyOf(user, name))
  }

  list(user: string, after: string, limit: number): Promise<AccountDataRecord[]> {
    return readRange(this.#tables, TABLE, { owner: user, after: keyOf(user, after || TOTAL), limit })
  }

  async total(user: string): Promise<AccountDataTotal> {
    return (await readRecord(this.#tables, TABLE, keyOf(user, TOTAL))) ?? { version: 0, count: 0, bytes: 0 }
  }

  totalOp(user: string, total: AccountDataTotal): Op {
    return put(TABLE, keyOf(user, TOTAL), JSON.stringify(total))
  }

  putOp(user: string, record: AccountDataRecord): Op {
    return { ...put(TABLE, keyOf(user, record.name), JSON.stringify(record)), wipe: true }
  }

  deleteOp(user: string, name: string): Op {
    return wipe(TABLE, keyOf(user, name))
  }

  clearOp(user: string): Op {
    return { ...clear(TABLE, user), wipe: true }
  }
}
