/** The parts of chat, made and wired. */
import type { Config } from '../../schemas/config.js'
import { createAcl } from '../auth/acl.js'
import type { Bus } from '../store/bus.js'
import type { Store } from '../store/store.js'
import { Turns } from '../turns.js'
import type { Wheel } from '../wheel.js'
import { Access } from './access.js'
import type { Actor } from './actor.js'
import { Announcements } from './announcements.js'
import { Audit } from './audit.js'
import { Bridges, type BridgesParts } from './bridges.js'
import { Changes } from './changes.js'
import { accountCommands } from './commands/account.js'
import { announcementCommands } from './commands/announcements.js'
import { auditCommands } from './commands/audit.js'
import { type AuthCommandParts, authCommands } from './commands/auth.js'
import { type BotCommandParts, botCommands } from './commands/bots.js'
import { contactCommands } from './commands/contacts.js'
import { deviceCommands } from './commands/devices.js'
import { entryCommands } from './commands/entry.js'
import { filterCommands } from './commands/filters.js'
import { messageCommands } from './commands/messages.js'
import { moderationCommands } from './commands/moderation.js'
import { notificationCommands } from './commands/notifications.js'
import { type OidcCommandParts, oidcCommands } from './commands/oidc.js'
import { type PasswordResetParts, passwordResetCommands } from './commands/password-reset.js'
import { privacyCommands } from './commands/privacy.js'
import { receiptCommands } from './commands/receipts.js'
import { reportCommands } from './commands/reports.js'
import { roomCommands } from './commands/rooms.js'
import { searchCommands } from './commands/search.js'
import { type SessionCommandParts, sessionCommands } from './commands/sessions.js'
import { syncCommands } from './commands/sync.js'
import { totpCommands } from './commands/totp.js'
import { userCommands } from './commands/users.js'
import { type WebhookAdmin, webhookCommands } from './commands/webhooks.js'
import { Commands } from './commands.js'
import { DeviceCommands, type DeviceCommandsParts } from './device-commands.js'
import { DeviceRules } from './device-rules.js'
import { DeviceTopics, type DeviceTopicsParts } from './device-topics.js'
import { Devices, type DevicesParts } from './devices.js'
import { DirectConversations } from './direct-conversations.js'
import { Exports } from './exports.js'
import { Filters } from './filters/filters.js'
import { Forgetting } from './forgetting.js'
import { Forwarding } from './forwarding.js'
import { JoinRequests } from './join-requests.js'
import { Links } from './links.js'
import { Members } from './members.js'
import { isChange } from './message-types.js'
import { Moments } from './moments.js'
import { Notifications } from './notifications.js'
import { Pipeline } from './pipeline.js'
import { Plain } from './plain.js'
import { PolicyScreen } from './policies.js'
import { Presence } from './presence.js'
import { type Publish, type PublishGate, publishGated } from './publish-gate.js'
import { Rates } from './rates.js'
import { type Reached, Receipts } from './receipts.js'
import { References } from './references.js'
import { Removals, type RemovalsParts } from './removals.js'
import { Replies } from './replies.js'
import { Reports } from './reports.js'
import { Requests } from './requests.js'
import { Roles } from './roles.js'
import { RoomInfo } from './room-info.js'
import { RoomPreferences } from './room-preferences.js'
import { RoomRules } from './room-rules.js'
import { Rooms } from './rooms.js'
import { Sanctions } from './sanctions.js'
import { type Screen, Screening } from './screening.js'
import type { TextSearch } from './search.js'
import type { Signal } from './signals.js'
import { SlowMode } from './slow-mode.js'
import { Sync } from './sync.js'
import { Thinning } from './thinning.js'
import { Traces } from './traces.js'
import { TypingCounts } from './typing.js'
import { Unread } from './unread.js'
import { logs, Views } from './views.js'
import { Writing, type WritingParts } from './writing.js'

export interface ChatParts {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly wheel: Wheel
  readonly auth: OidcCommandParts &
    Omit<
      AuthCommandParts & PasswordResetParts & SessionCommandParts & Pick<BotCommandParts, 'accounts' | 'keys'>,
      'store' | 'bus' | 'liveSessions'
    >
  readonly liveSessions: SessionCommandParts['liveSessions']
  readonly endSessions: RemovalsParts['endSessions']
  readonly failed: (error: unknown) => void
  readonly gate: PublishGate
  readonly webhooks: WebhookAdmin
  /** Counts what is left out, by reason. */
  readonly count: (name: string) => void
  /** Of who runs the broker; asked after those of the configuration. */
  readonly screens: readonly Screen[]
  /** Null: there is none. */
  readonly textSearch: TextSearch | null
}

/** A session of the user acknowledged an entry. */
export type Delivered = (user: string, place: Reached, seq: number) => void

export async function makeChat(config: Config, parts: ChatParts) {
  const { store, bus, wheel, auth, liveSessions, endSessions, failed, gate } = parts
  const { webhooks, count, screens, textSearch } = parts
  const views = new Views(store.directory)
  await views.load(store.log)
  const replies = new Replies(bus)
  const thinning = new Thinning(store.directory, {
    thinAbove: config.rooms.thinAbove,
    receipts: config.receipts.maxMembers,
  })
  const info = new RoomInfo(store.directory, bus, thinning)
  const rules = new RoomRules(store.directory)
  const turns = new Turns()
  const changeTurns = new Turns()
  const members = new Members({ store, bus, rules, turns, maxMembers: config.rooms.maxMembers })
  const roles = new Roles({ store, rules, turns })
  const sanctions = new Sanctions({ store, bus, rules, turns })
  const preferences = new RoomPreferences({ store, rules, turns })
  const joinRequests = new JoinRequests({ store, rules, members, turns })
  const infoChanged = (room: string): void => info.changed(room)
  const rooms = new Rooms({ store, bus, rules, members, turns, infoChanged, options: config.rooms })
  const presence = new Presence({ store, bus, wheel, thinning, options: config.presence, failed })
  await presence.load()
  const acl = createAcl(config.acl.rules)
  const plain = new Plain(store, bus, acl)
  const references = new References(store, rules)
  const receipts = new Receipts({
    store,
    bus,
    wheel,
    rules,
    preferences,
    thinning,
    delivered: config.receipts.delivered,
    failed,
  })
  const { replyBytes } = config.limits
  const rates = new Rates(config.limits.rates)
  const unread = new Unread(store, receipts)
  const sync = new Sync({ store, unread, receipts, replyBytes, thinning })
  const exports = new Exports({
    store,
    stands: (principal) => auth.authenticator.stands(principal),
    reachable: config.listen.http !== null || config.listen.https !== null,
  })
  const remove = (bot: string): Promise<unknown> => removals.remove(bot, 'kept')
  const audit = new Audit(store)
  const run = (actor: Actor, name: string, params: object): Promise<unknown> => commands.run(actor, name, params)
  const reports = new Reports({ store, rules, references, keep: config.moderation.keepReports, run })
  const policies = new PolicyScreen(config.policies, store.directory)
  const filters = new Filters(config.moderation.filters, () => store.moderation.filters)
  const screening = new Screening([policies, filters, ...screens])
  const slowMode = new SlowMode()
  const notifications = new Notifications({ store, turns, options: config.notifications, failed })
  const announcements = new Announcements(store, bus, views)
  const publish: Publish = (...message) => publishGated(pipeline, gate, ...message)
  const devices = makeDevices(config, {
    ...{ ...auth, store, wheel, turns, remove, plain, replies, failed },
    ...{ roomRules: rules, members, screening, slowMode, rates, count },
  })
  // What is said while search is off is not in the index either, when it is on again.
  const indexed = (room: string, seq: number): boolean => textSearch?.indexed(room, seq) ?? false
  const forgetting = new Forgetting({ store, turns, changeTurns, indexed })
  const traces = new Traces({
    ...{ store, forgetting, reports, notifications, announcements, webhooks },
    ...{ turns, commands: devices.commands },
  })
  const removals: Removals = new Removals({
    ...{ store, members, presence, forgetting, traces, endSessions, failed },
    accounts: auth.accounts,
  })
  const commands: Commands = new Commands(
    {
      ...roomCommands({ store, rooms, members, roles, preferences, rules, thinning }),
      ...moderationCommands({ rules, roles, sanctions }),
      ...entryCommands({ rules, links: new Links({ store, rules, turns }), joinRequests }),
      ...messageCommands({ store, rules, replyBytes, publish }),
      ...authCommands({ ...auth, store, bus }),
      ...totpCommands(auth),
      ...passwordResetCommands(auth, bus),
      ...accountCommands({ ...auth, directory: store.directory, exports, removals }),
      ...sessionCommands({ ...auth, store, bus, liveSessions }),
      ...userCommands({ store, turns, presence }),
      ...receiptCommands({ store, rules, receipts, thinning }),
      ...syncCommands({ store, rules, unread, sync, preferences }),
      ...contactCommands({ store, turns, presence }),
      ...privacyCommands({ store, turns, presence }),
      ...searchCommands({ store, rules, index: textSearch, replyBytes }),
      ...oidcCommands(auth),
      ...webhookCommands(webhooks),
      ...announcementCommands({ store, announcements, views, publish, replyBytes }),
      ...deviceCommands({ store, ...devices }),
      ...notificationCommands({ notifications, publish, replyBytes }),
      ...botCommands({ ...auth, store, rules, turns, remove, botsPerUser: config.limits.botsPerUser }),
      ...auditCommands(audit),
      ...reportCommands({ store, reports, replyBytes }),
      ...filterCommands(store, config.moderation.filters),
    },
    replyBytes,
    rates,
    audit,
  )
  const { editWindow } = config.history
  const { reactionsPerMessage } = config.limits
  const changes = new Changes({
    ...{ store, rules, references, replies, audit, turns: changeTurns },
    ...{ editWindow, reactionsPerMessage },
  })
  const forwarding = new Forwarding({ store, rules, references })
  const flagged: WritingParts['flagged'] = ({ principal: { user } }, { input }, { room, seq }, why) =>
    void reports.flag(user, room, isChange(input) ? input.target : seq, seq, why).catch(failed)
  const writing = new Writing({
    store,
    rules,
    screening,
    slowMode,
    rates,
    changes,
    references,
    forwarding,
    replies,
    flagged,
  })
  const pipeline = new Pipeline({
    store,
    rooms,
    members,
    rules,
    writing,
    directs: new DirectConversations(store, bus, turns),
    replies,
    plain,
    deviceTopics: devices.topics,
    requests: new Requests(commands, replies, failed),
    notifications,
    announcements,
    moments: new Moments({
      bus,
      rules,
      directory: store.directory,
      presence,
      thinning,
      typingCounts: new TypingCounts(bus, wheel),
      typingPerSecond: config.limits.typingPerSecond,
    }),
    receipts,
    payloadBytes: config.limits.payloadBytes,
  })
  /** What an acknowledgement of a log's entry means. Hot path. */
  const delivered: Delivered = (user, place, seq) => {
    if (place.view.room !== null) receipts.reached(user, place)
    else if (place.view.log === logs.notifications(user)) notifications.reached(user, seq)
    else if (place.view.log === logs.deviceCommands(user)) devices.commands.reached(user, seq)
  }
  return {
    delivered,
    trim: async () => {
      await notifications.trimming.run()
      await devices.commands.trim()
    },
    notifications,
    views,
    rooms,
    members,
    presence,
    plain,
    pipeline,
    commands,
    rates,
    receipts,
    exports,
    removals,
    info,
    audit,
    reports,
    access: new Access({ store, acl, pipeline, presence, info, devices: devices.rules }),
  }
}

type DeviceParts = Omit<DevicesParts, 'rules' | 'options' | 'registration'> &
  Omit<DeviceCommandsParts & DeviceTopicsParts & BridgesParts, 'rules' | 'commands' | 'bridges' | 'topicLevels'>

function makeDevices(config: Config, parts: DeviceParts) {
  const rules = new DeviceRules(parts.store.directory.devices)
  const commands = new DeviceCommands({ ...parts, rules })
  const bridges = new Bridges({ ...parts, rules, topicLevels: config.limits.topicLevels })
  const topics = new DeviceTopics({ ...parts, rules, commands, bridges })
  const { registration } = config.auth
  const devices = new Devices({ ...parts, rules, options: config.devices, registration })
  return { rules, commands, bridges, topics, devices }
}
