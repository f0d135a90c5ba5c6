/** Who answers each command of the table. */
import type { Config } from '../../../schemas/config.js'
import { accountCommands } from '../commands/account.js'
import { accountDataCommands } from '../commands/account-data.js'
import { accountAdminCommands } from '../commands/accounts.js'
import { announcementCommands } from '../commands/announcements.js'
import { auditCommands } from '../commands/audit.js'
import { authCommands } from '../commands/auth.js'
import { botCommands } from '../commands/bots.js'
import { contactCommands } from '../commands/contacts.js'
import { deviceCommands } from '../commands/devices.js'
import { entryCommands } from '../commands/entry.js'
import { fileCommands } from '../commands/files.js'
import { filterCommands } from '../commands/filters.js'
import { mentionCommands } from '../commands/mentions.js'
import { messageCommands } from '../commands/messages.js'
import { moderationCommands } from '../commands/moderation.js'
import { notificationSettingsCommands } from '../commands/notification-settings.js'
import { notificationCommands } from '../commands/notifications.js'
import { oidcCommands } from '../commands/oidc.js'
import { passwordResetCommands } from '../commands/password-reset.js'
import { privacyCommands } from '../commands/privacy.js'
import { publishingCommands } from '../commands/publishing.js'
import { receiptCommands } from '../commands/receipts.js'
import { reportCommands } from '../commands/reports.js'
import { roomCommands } from '../commands/rooms.js'
import { savedCommands } from '../commands/saved.js'
import { searchCommands } from '../commands/search.js'
import { serverCommands } from '../commands/server.js'
import { sessionCommands } from '../commands/sessions.js'
import { syncCommands } from '../commands/sync.js'
import type { Handlers } from '../commands/table.js'
import { threadCommands } from '../commands/threads.js'
import { totpCommands } from '../commands/totp.js'
import { userCommands } from '../commands/users.js'
import { webhookCommands } from '../commands/webhooks.js'
import type { AccountRemovals } from '../erasure/account-removals.js'
import type { RemoveFunction } from '../model/owned-accounts.js'
import type { PublishFunction } from '../model/publish-gate.js'
import type { DeviceServices } from './devices.js'
import type { FileServices } from './files.js'
import type { ModerationServices } from './moderation.js'
import type { PeopleServices } from './people.js'
import type { RoomServices } from './rooms.js'
import type { SharedServices } from './shared.js'

type Deps = SharedServices &
  RoomServices &
  FileServices &
  PeopleServices &
  ModerationServices & {
    devices: DeviceServices
    removals: AccountRemovals
    publish: PublishFunction
    remove: RemoveFunction
  }

export function makeHandlers(config: Config, deps: Deps): Handlers {
  const { limits, moderation } = config
  const { store, end, auth, devices, textSearch, webhooks, audit } = deps
  const ofLogins = { ...deps, ...auth }
  return {
    ...authCommands(ofLogins),
    ...totpCommands(auth),
    ...oidcCommands(auth),
    ...passwordResetCommands(auth, end),
    ...sessionCommands(ofLogins),
    ...botCommands({ ...ofLogins, botsPerUser: limits.botsPerUser }),
    ...accountCommands({ ...ofLogins, directory: store.directory }),
    ...accountDataCommands(store, limits),
    // With what its user wrote; only commands for bots and devices keep that.
    ...accountAdminCommands({ ...ofLogins, remove: (user) => deps.removals.remove(user) }),
    ...userCommands(deps),
    ...contactCommands(deps),
    ...privacyCommands(deps),
    ...roomCommands(deps),
    ...entryCommands(deps),
    ...moderationCommands(deps),
    ...messageCommands(deps),
    ...mentionCommands(deps),
    ...savedCommands({ ...deps, savedMessages: limits.savedMessages }),
    ...searchCommands({ ...deps, index: textSearch }),
    ...receiptCommands(deps),
    ...publishingCommands({ ...deps, topicLevels: limits.topicLevels }),
    ...syncCommands(deps),
    ...threadCommands(deps),
    ...notificationCommands(deps),
    ...notificationSettingsCommands(store),
    ...announcementCommands(deps),
    ...deviceCommands({ store, ...devices }),
    ...reportCommands(deps),
    ...fileCommands(deps),
    ...filterCommands(store, moderation.filters),
    ...auditCommands(audit),
    ...webhookCommands(webhooks),
    ...serverCommands(config),
  }
}
