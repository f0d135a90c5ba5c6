import type { NotificationSettings } from '../../schemas/commands/notification-settings.js'
import type { PrivacySettings } from '../../schemas/commands/privacy.js'
import type { Op } from './op.js'

/** Settings of users who changed them. In memory; removed with the account. */
export interface UserSettings<T> {
  get(user: string): T | undefined
  putOp(record: T): Op
  deleteOp(user: string): Op
}

export interface PrivacyRecord extends PrivacySettings {
  user: string
}

export interface NotificationRecord extends NotificationSettings {
  user: string
}
