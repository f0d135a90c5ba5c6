/** The composition root: makes the parts, lowest first, and starts them. The makers are in wiring/. */
import type http from 'node:http'
import type https from 'node:https'
import type { Logger } from 'pino'
import type { Config } from '../schemas/config.js'
import { accountCommands } from './admin/account-commands.js'
import { auditedCommands } from './admin/audited-commands.js'
import { Backups, backupCommands } from './admin/backups.js'
import { serveAdmin } from './admin/control-socket.js'
import { statusCommands } from './admin/status.js'
import type { Accounts } from './auth/accounts.js'
import type { LoginCodes } from './auth/login-codes.js'
import type { AuthHooks } from './auth/principal.js'
import { type Chat, makeChat } from './chat/chat.js'
import type { Screen } from './chat/messages/screening.js'
import type { Signal } from './chat/model/signals.js'
import { Streams } from './http/streams.js'
import { Hub, unlogged } from './hub.js'
import type { Broker } from './mqtt/aedes.js'
import type { Listener } from './net/listener.js'
import { type Bus, LocalBus, NodeBus } from './store/bus.js'
import { Jobs } from './store/jobs.js'
import type { Nodes } from './store/nodes.js'
import type { Store } from './store/store.js'
import type { Counters } from './util/counters.js'
import { openLog } from './util/log.js'
import { makeDirectory } from './util/make-directory.js'
import { warnOfOpenFiles } from './util/private-files.js'
import { Consequences } from './wiring/consequences.js'
import { type Context, makeContext } from './wiring/context.js'
import { Delivery } from './wiring/delivery.js'
import { Drain } from './wiring/drain.js'
import { Health } from './wiring/health.js'
import { openTransports } from './wiring/http.js'
import { LocalSessions } from './wiring/local-sessions.js'
import { type LoginServices, makeLogins } from './wiring/logins.js'
import { Maintenance, type MaintenanceDeps } from './wiring/maintenance.js'
import { fileLinkKey, type MediaStorage, makeScans, mediaSweep, openMedia, removeBytes } from './wiring/media.js'
import { type Mqtt, makeMqtt } from './wiring/mqtt.js'
import { nodeFacts } from './wiring/node-facts.js'
import { openReaders, type Readers } from './wiring/readers.js'
import { type Reloaded, reload } from './wiring/reload.js'
import { type OpenedStore, openStorage, type Storage, searchLocation, storeLocation } from './wiring/storage.js'
import { Teardown } from './wiring/teardown.js'

export interface RunningBroker {
  readonly listeners: readonly Listener[]
  readonly dataDir: string
  /** The Aedes broker, for plugins. */
  readonly aedes: Broker
  readonly store: Store
  /** Those that share the store. */
  readonly nodes: Nodes
  readonly accounts: Accounts
  /** Logins that were proved and not taken yet. */
  readonly loginCodes: LoginCodes
  readonly counters: Counters
  readonly maintenance: Maintenance
  /** Socket writes so far, of all connections. */
  readonly socketWrites: () => number
  /** Takes what can change of another configuration while it runs. */
  reload(next: Config): Promise<Reloaded>
  /**
   * Sends the clients away in order (`node.drain`), before `close`: `/readyz` answers 503, no connection is accepted after a while, then each is
   * ended when what it had under way is done. `hurry` ends it before the time.
   */
  drain(hurry?: AbortSignal): Promise<void>
  /** Stops taking connections, ends those there are, saves, closes the store. */
  close(): Promise<void>
}

export interface BrokerOptions {
  log?: Logger
  /** Look at every chat message before it is written. */
  screens?: readonly Screen[]
  /** Asked beside those of `auth.hooks`. */
  hooks?: AuthHooks
  /** A store that is open, shared with other brokers; it is not closed with this one. */
  opened?: OpenedStore
  /** A server of an application, on which HTTP and MQTT over WebSocket are served too. */
  server?: http.Server | https.Server
}

/** Resolves once every listener accepts connections. @throws what hinders the start; what was open by then is closed again. */
export async function startBroker(config: Config, options: BrokerOptions = {}): Promise<RunningBroker> {
  const log = options.log ?? openLog(config.log)
  makeDirectory(config.node.dataDir)
  warnOfOpenFiles(config.node.dataDir, log)
  const teardown = new Teardown()
  try {
    return await start(makeContext(config, log, teardown), options)
  } catch (error) {
    await teardown.close()
    throw error
  }
}

async function start(context: Context, { screens = [], hooks, opened, server }: BrokerOptions): Promise<RunningBroker> {
  const { config, wheel, counters, failed, teardown } = context
  const { store, nodes, space, hurry: hurryStore } = await openStorage(context, opened)
  const bus: Bus<Signal> = nodes.shared ? new NodeBus(nodes) : new LocalBus()
  teardown.add(wheel)
  const sessions = new LocalSessions(bus, failed)
  const logins = await makeLogins(context, store, sessions.end, hooks)
  const jobs = new Jobs({ store, nodes, wheel, failed })
  const readers = await openReaders(context, store, jobs, searchLocation(config.node.dataDir))
  const media = await openMedia(context, store)
  const chat = await openChat(context, { store, nodes, bus, space, logins, readers, sessions, screens, media })
  const hub = new Hub(store.log, failed)
  const mqtt = await makeMqtt(context, { store, nodes, hub, logins, chat })
  const streams = new Streams(config.limits, wheel, counters, failed)
  sessions.attach(mqtt, streams)
  deliver(context, { store, bus, hub, chat, mqtt, streams })
  await resume(context, { readers, chat, mqtt })
  const scanning = makeScans(context, media, chat, logins)
  const sweep = mediaSweep(media, chat, store, scanning)
  const maintenance = openMaintenance(context, { store, space, readers, chat, mqtt, media: sweep })
  await jobs.add(maintenance.shared)
  const drain = new Drain({ settings: config.node.drain, broker: mqtt.broker, streams, jobs, hurryStore })
  const health = new Health({ store, nodes, broker: mqtt.broker, drain })
  await openAdmin(context, { store, nodes, logins, chat, health })
  const listeners = await openTransports(
    context,
    { store, space, logins, chat, mqtt, streams, drain, health, media, scans: scanning?.scans ?? null },
    server,
  )
  nodes.describe(nodeFacts(config, mqtt.broker, listeners))
  await jobs.open()
  const { log } = context
  const { acl, rates } = chat
  const rulesChanged = (): Promise<void> => sessions.rulesChanged()
  return {
    listeners,
    dataDir: config.node.dataDir,
    aedes: mqtt.broker,
    store,
    nodes,
    accounts: logins.accounts,
    loginCodes: logins.loginCodes,
    counters,
    maintenance,
    socketWrites: () => mqtt.flusher.writes,
    reload: (next) => reload(config, next, { log, listeners, acl, rates, rulesChanged }),
    drain: (hurry) => drain.run(hurry),
    close: () => {
      hurryStore()
      return teardown.close()
    },
  }
}

interface ChatNeeds extends Pick<Storage, 'store' | 'nodes' | 'space'> {
  readonly bus: Bus<Signal>
  readonly logins: LoginServices
  readonly readers: Readers
  readonly sessions: LocalSessions
  readonly screens: readonly Screen[]
  readonly media: MediaStorage
}

async function openChat(context: Context, { logins, readers, screens, media, ...needs }: ChatNeeds): Promise<Chat> {
  const { config, wheel, counters, failed, teardown } = context
  const { webhooks, moderator, search } = readers
  const chat = await makeChat(config, {
    ...needs,
    ...{ wheel, failed, webhooks, removeBytes: removeBytes(media, failed) },
    linkKey: await fileLinkKey(config),
    auth: logins,
    textSearch: search,
    screens: moderator ? [...screens, moderator] : screens,
    count: (name) => counters.add(name),
  })
  for (const part of [chat.info, chat.receipts, chat.notifications]) teardown.add(part)
  return chat
}

interface Running {
  readonly readers: Readers
  readonly chat: Chat
  readonly mqtt: Mqtt
  readonly streams: Streams
}

interface Delivering extends Pick<Running, 'chat' | 'mqtt' | 'streams'> {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly hub: Hub
}

/**
 * What chat signals, and what follows from what is stored, reaches the sessions it concerns. What is appended reaches them because the hub
 * follows their logs.
 */
function deliver({ failed }: Context, { store, bus, hub, chat, mqtt, streams }: Delivering): void {
  const { presence, receipts, typing, info, deviceCommands: commands } = chat
  const { registry } = mqtt
  const delivery = new Delivery({ hub, registry, streams, bus, presence, receipts, typing, failed })
  bus.listen((signal) => delivery.on(signal))
  info.send = (topic, payload) => hub.send(unlogged(topic, payload, 1))
  const consequences = new Consequences({ store, hub, registry, streams, presence, receipts, info, commands, failed })
  store.watch((change) => consequences.on(change))
  store.onFresh(() => {
    registry.resume()
    streams.resume()
  })
}

/** Brings to an end what an earlier run left under way, before any client is accepted. */
async function resume(
  { config, failed, teardown }: Context,
  { readers, chat, mqtt }: Pick<Running, 'readers' | 'chat' | 'mqtt'>,
): Promise<void> {
  await chat.rooms.ensureListed(config.rooms.list)
  await chat.ownership.ensureOwners()
  await mqtt.broker.listen()
  mqtt.unserved.settleAbandoned().catch(failed)
  await readers.search?.start()
  teardown.add(chat.removals)
  await chat.removals.resume()
  await chat.sanctions.expelAll()
}

/** Connections end first when the broker closes, then what they left to save is saved. */
function openMaintenance(
  { config, counters, failed, teardown }: Context,
  {
    store,
    space,
    readers,
    chat,
    mqtt,
    media,
  }: Pick<Storage, 'store' | 'space'> & Pick<Running, 'readers' | 'chat' | 'mqtt'> & Pick<MaintenanceDeps, 'media'>,
): Maintenance {
  const { broker, sessionWriter, unserved } = mqtt
  const { reports, trim } = chat
  const parts = {
    store,
    unserved,
    broker,
    counters,
    config,
    reports,
    readers,
    trim,
    space,
    failed,
    media,
  }
  const maintenance = new Maintenance(parts)
  teardown.add(sessionWriter)
  teardown.add({ close: () => broker.shutDown() })
  teardown.add(maintenance)
  return maintenance
}

/** The control socket of the data directory: what the command line does beside a running broker. */
async function openAdmin(
  { config, failed, teardown }: Context,
  { store, nodes, logins, chat, health }: OpenedStore & { logins: LoginServices; chat: Chat; health: Health },
): Promise<void> {
  const { dataDir } = config.node
  const backups = new Backups({ store, dataDir, locate: storeLocation, failed })
  teardown.add(backups)
  const removeAccount = (user: string) => chat.removals.remove(user)
  const onAccounts = accountCommands({ ...logins, accounts: logins.managed, removeAccount })
  const onServer = { ...backupCommands(backups), ...statusCommands({ store, nodes, health }) }
  const commands = auditedCommands({ ...onAccounts, ...onServer }, chat.audit)
  teardown.add(await serveAdmin(dataDir, commands, failed))
}
