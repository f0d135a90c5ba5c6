/** Private data of users, for their applications. Read on demand; removed with the account. */
import type { Op } from './op.js'

export interface AccountDataRecord {
  name: string
  /** Any JSON. */
  value: unknown
  version: number
  /** Unix ms. */
  updatedAt: number
}

/** Of all values of one user. */
export interface AccountDataTotal {
  /** The highest ever given. */
  version: number
  count: number
  bytes: number
}

export interface AccountDataStore {
  get(user: string, name: string): Promise<AccountDataRecord | null>
  /** By name. */
  list(user: string, after: string, limit: number): Promise<AccountDataRecord[]>
  total(user: string): Promise<AccountDataTotal>
  totalOp(user: string, total: AccountDataTotal): Op
  putOp(user: string, record: AccountDataRecord): Op
  deleteOp(user: string, name: string): Op
  /** All of the user. */
  clearOp(user: string): Op
}
