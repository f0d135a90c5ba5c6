/** People: whether they are there, how far they have read, what they are told and what they take along. */
import type { Config } from '../../../schemas/config.js'
import { Exports } from '../exports/exports.js'
import { Sync } from '../history/sync.js'
import { Unread } from '../history/unread.js'
import { Announcements } from '../notices/announcements.js'
import { Notifications } from '../notices/notifications.js'
import { Presence } from '../presence/presence.js'
import { Receipts } from '../presence/receipts.js'
import { Typing } from '../presence/typing.js'
import { NotificationRules } from '../rooms/notification-rules.js'
import type { RoomServices } from './rooms.js'
import type { SharedServices } from './shared.js'

export function makePeople(config: Config, deps: SharedServices & RoomServices) {
  const { store, nodes, bus, wheel, count, failed, replies, views, rules, largeRooms, preferences, replyBytes } = deps
  const { presencePerSecond: perSecond } = config.limits
  const typing = new Typing(bus, wheel, largeRooms)
  const presence = new Presence({
    store,
    nodes,
    bus,
    wheel,
    largeRooms,
    typing,
    options: config.presence,
    perSecond,
    count,
    failed,
  })
  presence.begin()
  const { delivered } = config.receipts
  const receipts = new Receipts({ store, nodes, bus, wheel, rules, preferences, largeRooms, delivered, failed })
  const unread = new Unread(store, receipts, new NotificationRules(store.directory), config.limits)
  return {
    presence,
    receipts,
    typing,
    unread,
    sync: new Sync({ store, rules, unread, receipts, replyBytes, largeRooms }),
    notifications: new Notifications({ store, replies, options: config.notifications, failed }),
    announcements: new Announcements(store, views, replies),
    exports: makeExports(config, deps),
  }
}

export type PeopleServices = ReturnType<typeof makePeople>

function makeExports({ listen }: Config, { store, auth, accountOf }: SharedServices): Exports {
  return new Exports({
    store,
    isValid: (verified) => auth.authenticator.isStillValid(verified),
    accountOf,
    httpEnabled: listen.http !== null || listen.https !== null,
  })
}
