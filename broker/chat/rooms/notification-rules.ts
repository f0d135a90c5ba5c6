/** What notifies a member of a room: the member's settings for it, and the user's settings for all rooms. */
import type { NotificationSettings, NotifyLevel } from '../../../schemas/commands/notification-settings.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { NotificationRecord } from '../../store/user-settings.js'
import { Keywords } from '../../util/keywords.js'
import { settingsOf } from './room-preferences.js'

/** Of users who have not changed them. */
export const DEFAULT_NOTIFICATIONS: NotificationSettings = { rooms: 'all', direct: 'all', keywords: [] }

export interface NotificationRule {
  readonly level: NotifyLevel
  /** Notify as a mention does; null: there are none. */
  readonly keywords: Keywords | null
}

export class NotificationRules {
  readonly #directory: Pick<DirectoryStore, 'notificationSettings'>
  /** Prepared once for each record. */
  readonly #keywords = new WeakMap<NotificationRecord, Keywords>()

  constructor(directory: Pick<DirectoryStore, 'notificationSettings'>) {
    this.#directory = directory
  }

  of(member: MemberRecord): NotificationRule {
    const { notifications, mutedUntil } = settingsOf(member)
    if (mutedUntil !== null) return { level: 'none', keywords: null }
    const record = this.#directory.notificationSettings.get(member.user)
    const { rooms, direct } = record ?? DEFAULT_NOTIFICATIONS
    const level = notifications !== 'default' ? notifications : isDirectRoom(member.room) ? direct : rooms
    return { level, keywords: record && level !== 'none' ? this.#keywordsOf(record) : null }
  }

  #keywordsOf(record: NotificationRecord): Keywords | null {
    if (record.keywords.length === 0) return null
    let keywords = this.#keywords.get(record)
    if (!keywords) this.#keywords.set(record, (keywords = new Keywords(record.keywords)))
    return keywords
  }
}
