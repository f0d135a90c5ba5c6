/** Who answers each command of the table. */
import type { Config } from '../../../schemas/config.js'
import { accountCommands } from '../commands/account.js'
import { accountAdminCommands } from '../commands/accounts.js'
import { announcementCommands } from '../commands/announcements.js'
import { auditCommands } from '../commands/audit.js'
import { authCommands } from '../commands/auth.js'
import { botCommands } from '../commands/bots.js'
import { contactCommands } from '../commands/contacts.js'
import { deviceCommands } from '../commands/devices.js'
import { entryCommands } from '../commands/entry.js'
import { filterCommands } from '../commands/filters.js'
import { messageCommands } from '../commands/messages.js'
import { moderationCommands } from '../commands/moderation.js'
import { notificationCommands } from '../commands/notifications.js'
import { oidcCommands } from '../commands/oidc.js'
import { passwordResetCommands } from '../commands/password-reset.js'
import { privacyCommands } from '../commands/privacy.js'
import { receiptCommands } from '../commands/receipts.js'
import { reportCommands } from '../commands/reports.js'
import { roomCommands } from '../commands/rooms.js'
import { searchCommands } from '../commands/search.js'
import { sessionCommands } from '../commands/sessions.js'
import { syncCommands } from '../commands/sync.js'
import type { Handlers } from '../commands/table.js'
import { totpCommands } from '../commands/totp.js'
import { userCommands } from '../commands/users.js'
import { webhookCommands } from '../commands/webhooks.js'
import type { AccountRemovals } from '../erasure/account-removals.js'
import type { PublishFunction } from '../model/publish-gate.js'
import type { DeviceParts } from './devices.js'
import type { ModerationParts } from './moderation.js'
import type { PeopleParts } from './people.js'
import type { RoomParts } from './rooms.js'
import type { SharedParts } from './shared.js'

type Parts = SharedParts &
  RoomParts &
  PeopleParts &
  ModerationParts & {
    devices: DeviceParts
    removals: AccountRemovals
    publish: PublishFunction
    remove: (user: string) => Promise<unknown>
  }

export function makeHandlers({ limits, moderation }: Config, parts: Parts): Handlers {
  const { store, bus, auth, devices, textSearch, webhooks, audit } = parts
  const ofLogins = { ...parts, ...auth }
  return {
    ...authCommands(ofLogins),
    ...totpCommands(auth),
    ...oidcCommands(auth),
    ...passwordResetCommands(auth, bus),
    ...sessionCommands(ofLogins),
    ...botCommands({ ...ofLogins, botsPerUser: limits.botsPerUser }),
    ...accountCommands({ ...ofLogins, directory: store.directory }),
    ...accountAdminCommands(ofLogins),
    ...userCommands(parts),
    ...contactCommands(parts),
    ...privacyCommands(parts),
    ...roomCommands(parts),
    ...entryCommands(parts),
    ...moderationCommands(parts),
    ...messageCommands(parts),
    ...searchCommands({ ...parts, index: textSearch }),
    ...receiptCommands(parts),
    ...syncCommands(parts),
    ...notificationCommands(parts),
    ...announcementCommands(parts),
    ...deviceCommands({ store, ...devices }),
    ...reportCommands(parts),
    ...filterCommands(store, moderation.filters),
    ...auditCommands(audit),
    ...webhookCommands(webhooks),
  }
}
