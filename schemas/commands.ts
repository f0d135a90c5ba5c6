/**
 * All commands: the single table behind requests on `users/{me}/requests/{method}`, the HTTP routes, and the documents
 * of both.
 */
import type { Static } from 'typebox'
import { ACCOUNT_COMMANDS } from './commands/account.js'
import { ACCOUNT_DATA_COMMANDS } from './commands/account-data.js'
import { ACCOUNT_ADMIN_COMMANDS } from './commands/accounts.js'
import { ANNOUNCEMENT_COMMANDS } from './commands/announcements.js'
import { AUDIT_COMMANDS } from './commands/audit.js'
import { AUTH_COMMANDS } from './commands/auth.js'
import { BOT_COMMANDS } from './commands/bots.js'
import { BRIDGE_COMMANDS } from './commands/bridges.js'
import { CONTACT_COMMANDS } from './commands/contacts.js'
import { DEVICE_COMMANDS } from './commands/devices.js'
import { ENTRY_COMMANDS } from './commands/entry.js'
import { FILE_COMMANDS } from './commands/files.js'
import { FILTER_COMMANDS } from './commands/filters.js'
import { MENTION_COMMANDS } from './commands/mentions.js'
import { MESSAGE_COMMANDS } from './commands/messages.js'
import { MODERATION_COMMANDS } from './commands/moderation.js'
import { NOTIFICATION_SETTINGS_COMMANDS } from './commands/notification-settings.js'
import { NOTIFICATION_COMMANDS } from './commands/notifications.js'
import { OIDC_COMMANDS } from './commands/oidc.js'
import { PASSWORD_RESET_COMMANDS } from './commands/password-reset.js'
import { PRIVACY_COMMANDS } from './commands/privacy.js'
import { PUBLISHING_COMMANDS } from './commands/publishing.js'
import { RECEIPT_COMMANDS } from './commands/receipts.js'
import { REPORT_COMMANDS } from './commands/reports.js'
import { ROOM_COMMANDS } from './commands/rooms.js'
import { SAVED_COMMANDS } from './commands/saved.js'
import { SEARCH_COMMANDS } from './commands/search.js'
import { SERVER_COMMANDS } from './commands/server.js'
import { SESSION_COMMANDS } from './commands/sessions.js'
import { SYNC_COMMANDS } from './commands/sync.js'
import { THREAD_COMMANDS } from './commands/threads.js'
import { TOTP_COMMANDS } from './commands/totp.js'
import { USER_COMMANDS } from './commands/users.js'
import { WEBHOOK_COMMANDS } from './commands/webhooks.js'

export type { Command, HttpPage, HttpRoute, RateClass } from './commands/parts.js'

export const COMMANDS = {
  ...MESSAGE_COMMANDS,
  ...ROOM_COMMANDS,
  ...MODERATION_COMMANDS,
  ...ENTRY_COMMANDS,
  ...AUTH_COMMANDS,
  ...TOTP_COMMANDS,
  ...PASSWORD_RESET_COMMANDS,
  ...ACCOUNT_COMMANDS,
  ...ACCOUNT_DATA_COMMANDS,
  ...ACCOUNT_ADMIN_COMMANDS,
  ...SESSION_COMMANDS,
  ...USER_COMMANDS,
  ...RECEIPT_COMMANDS,
  ...PUBLISHING_COMMANDS,
  ...SYNC_COMMANDS,
  ...THREAD_COMMANDS,
  ...MENTION_COMMANDS,
  ...SAVED_COMMANDS,
  ...SEARCH_COMMANDS,
  ...CONTACT_COMMANDS,
  ...WEBHOOK_COMMANDS,
  ...DEVICE_COMMANDS,
  ...BRIDGE_COMMANDS,
  ...NOTIFICATION_COMMANDS,
  ...NOTIFICATION_SETTINGS_COMMANDS,
  ...ANNOUNCEMENT_COMMANDS,
  ...PRIVACY_COMMANDS,
  ...OIDC_COMMANDS,
  ...BOT_COMMANDS,
  ...FILE_COMMANDS,
  ...FILTER_COMMANDS,
  ...AUDIT_COMMANDS,
  ...REPORT_COMMANDS,
  ...SERVER_COMMANDS,
} as const

export type CommandName = keyof typeof COMMANDS
export type CommandParams<N extends CommandName> = Static<(typeof COMMANDS)[N]['params']>
export type CommandResult<N extends CommandName> = Static<(typeof COMMANDS)[N]['result']>

export { API, EXPORTS } from './api.js'

export const MAX_REQUEST_ID = 128
