import type { PrivacySettings } from '../../schemas/commands/privacy.js'
import type { Op } from './op.js'

export interface PrivacyRecord extends PrivacySettings {
  user: string
}

/** Privacy settings. In memory, for users who changed them; removed with the account. */
export interface PrivacyStore {
  get(user: string): PrivacyRecord | undefined
  putOp(record: PrivacyRecord): Op
  deleteOp(user: string): Op
}
