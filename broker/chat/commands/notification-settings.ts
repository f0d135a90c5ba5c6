import {
  MAX_KEYWORD_BYTES,
  type NOTIFICATION_SETTINGS_COMMANDS,
  type NotificationSettings,
} from '../../../schemas/commands/notification-settings.js'
import { Refusal } from '../../../schemas/errors.js'
import { requireSameAccount } from '../../auth/account-version.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Store } from '../../store/store.js'
import { isKeyword } from '../../util/keywords.js'
import { requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { DEFAULT_NOTIFICATIONS } from '../rooms/notification-rules.js'
import type { Handlers } from './table.js'

export function notificationSettingsCommands(store: Store): Handlers<keyof typeof NOTIFICATION_SETTINGS_COMMANDS> {
  return {
    'notifications.settings.get': async (actor) => JSON.stringify(settingsOf(store.directory, requireUser(actor))),
    'notifications.settings.update': async (actor, changes) => {
      const user = requireUser(actor)
      const given = changes.keywords ? { ...changes, keywords: checkKeywords(changes.keywords) } : changes
      const { value } = await store.transact(`notification settings ${user}`, async ({ directory }) => {
        await requireSameAccount(directory, actor.principal)
        const value = { ...settingsOf(directory, user), ...given }
        if (Object.keys(given).length === 0) return { value }
        const drafts = [userEvent(user, { type: 'notifications', ...value })]
        return { drafts, ops: [directory.notificationSettings.putOp({ user, ...value })], value }
      })
      return JSON.stringify(value)
    },
  }
}

function settingsOf(directory: Pick<DirectoryStore, 'notificationSettings'>, user: string): NotificationSettings {
  const { rooms, direct, keywords } = directory.notificationSettings.get(user) ?? DEFAULT_NOTIFICATIONS
  return { rooms, direct, keywords }
}

/** Each once. @throws Refusal */
function checkKeywords(given: readonly string[]): string[] {
  const keywords = [...new Set(given)]
  for (const keyword of keywords)
    if (!isKeyword(keyword))
      throw new Refusal('bad_request', `there is no word in ${JSON.stringify(keyword)} to look for`, {
        field: 'keywords',
      })
  if (Buffer.byteLength(keywords.join('')) > MAX_KEYWORD_BYTES)
    throw new Refusal('too_large', `keywords have at most ${MAX_KEYWORD_BYTES} bytes together`, { field: 'keywords' })
  return keywords
}
