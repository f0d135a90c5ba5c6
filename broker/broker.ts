/** The composition root: makes the parts, wires them, opens the doors. The only file that names adapters. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../schemas/config.js'
import { accountCommands } from './admin/account-commands.js'
import { auditedCommands } from './admin/audited-commands.js'
import { Backups, backupCommands } from './admin/backups.js'
import { serveAdmin } from './admin/control-socket.js'
import type { Accounts } from './auth/accounts.js'
import type { LoginCodes } from './auth/login-codes.js'
import { SecretBox } from './auth/secret-box.js'
import { deriveKey } from './auth/tokens.js'
import { makeChat } from './chat/chat.js'
import type { RenewLogin } from './chat/commands/auth.js'
import type { LiveSession } from './chat/commands/sessions.js'
import type { Screen } from './chat/messages/screening.js'
import type { PublishGate } from './chat/model/publish-gate.js'
import type { Signal } from './chat/model/signals.js'
import { ownable } from './chat/wiring/shared.js'
import { Backlogs } from './following/backlog.js'
import { openHttpApp } from './http/app.js'
import { Streams } from './http/streams.js'
import { Hub } from './hub.js'
import { Admission } from './mqtt/admission.js'
import { Broker } from './mqtt/aedes.js'
import { AnonymousSessions } from './mqtt/anonymous-sessions.js'
import type { Connection } from './mqtt/connection.js'
import { Flusher } from './mqtt/outbox.js'
import { Registry } from './mqtt/registry.js'
import { refreshLogin } from './mqtt/renewal.js'
import type { MqttServices } from './mqtt/services.js'
import { SessionKeeper } from './mqtt/session-keeper.js'
import { Shares } from './mqtt/shared/groups.js'
import type { Accept } from './net/byte-stream.js'
import { HttpConnections } from './net/http-connections.js'
import type { Listener } from './net/listener.js'
import { Origins } from './net/origins.js'
import { Search } from './readers/search/search.js'
import { Moderator } from './readers/webhooks/moderator.js'
import { Poster } from './readers/webhooks/poster.js'
import { Webhooks, type WebhooksParts } from './readers/webhooks/webhooks.js'
import { LocalBus } from './store/bus.js'
import { Heartbeat } from './store/heartbeat.js'
import { FreeSpace } from './store/level/free-space.js'
import { openLevelStore } from './store/level/level-store.js'
import { accountOf, namesCountedWith } from './store/persons.js'
import type { Store } from './store/store.js'
import { Counters } from './util/counters.js'
import { FaultLog } from './util/fault-log.js'
import { openLog } from './util/log.js'
import { makeDirectory } from './util/make-directory.js'
import { warnOfOpenFiles } from './util/private-files.js'
import { RefusalLog } from './util/refusal-log.js'
import { TimerWheel } from './util/timer-wheel.js'
import { Delivery } from './wiring/delivery.js'
import { httpAppParts } from './wiring/http.js'
import { about, openListeners, webRefusals } from './wiring/listeners.js'
import { makeLogins } from './wiring/logins.js'
import { Maintenance } from './wiring/maintenance.js'
import { type Reloaded, reload } from './wiring/reload.js'

export interface RunningBroker {
  readonly listeners: readonly Listener[]
  readonly dataDir: string
  /** The Aedes broker, for plugins. */
  readonly aedes: Broker
  readonly store: Store
  readonly accounts: Accounts
  /** Logins that were proved and not taken yet. */
  readonly loginCodes: LoginCodes
  readonly counters: Counters
  readonly maintenance: Maintenance
  /** Socket writes so far, of all connections. */
  readonly socketWrites: () => number
  /** Takes what can change of another configuration while it runs. */
  reload(next: Config): Promise<Reloaded>
  /** Stops taking connections, ends those there are, saves, closes the store. */
  close(): Promise<void>
}

/** The folder of the embedded store below the data directory. */
export function storeLocation(dataDir: string): string {
  return join(dataDir, 'store')
}

/** The file of the search index below the data directory. */
export function searchLocation(dataDir: string): string {
  return join(dataDir, 'search.db')
}

export function openStore(config: Config, onFault?: (error: unknown) => void): Promise<Store> {
  const { queueMessages, queueBytes } = config.limits
  return openLevelStore({
    location: storeLocation(config.node.dataDir),
    sync: config.store.level.sync,
    dropDamaged: config.store.level.onDamage === 'drop',
    limits: { queueMessages, queueBytes },
    cacheBytes: config.store.level.cacheBytes,
    ...(onFault ? { onFault } : {}),
  })
}

type Closing = () => Promise<void> | void

export interface BrokerOptions {
  log?: Logger
  /** Look at every chat message before it is written. */
  screens?: readonly Screen[]
}

export async function startBroker(config: Config, options: BrokerOptions = {}): Promise<RunningBroker> {
  const log = options.log ?? openLog(config.log)
  makeDirectory(config.node.dataDir)
  warnOfOpenFiles(config.node.dataDir, log)
  const closing: Closing[] = []
  try {
    return await start(config, { log, screens: options.screens ?? [] }, closing)
  } catch (error) {
    for (const close of closing.reverse()) await close()
    throw error
  }
}

async function start(
  config: Config,
  { log, screens }: Required<BrokerOptions>,
  closing: Closing[],
): Promise<RunningBroker> {
  const faults = new FaultLog(log)
  const failed = (error: unknown): void => faults.report(error)
  const pluginFaults = new FaultLog(log, 'a plugin failed')
  const refusals = new RefusalLog(log)
  closing.push(() => refusals.close())
  const store = await openStore(config, failed)
  closing.push(() => store.close())
  const heartbeat = await Heartbeat.begin(store, failed)
  closing.push(() => heartbeat.close())
  const space = await watchSpace(config, log, failed)
  closing.push(() => space.close())
  const wheel = new TimerWheel()
  closing.push(() => wheel.close())

  const counters = new Counters()
  const bus = new LocalBus<Signal>()
  const hub = new Hub()
  const renewLogin: RenewLogin = ({ sessionId }, token) =>
    refreshLogin(broker.clients[sessionId ?? '']?.client ?? null, token)
  const connectionOf = (sessionId: string): Connection | undefined => broker.clients[sessionId]
  const gate: PublishGate = (actor, message) => broker.gates.publishFor(null, actor, message)
  const auth = await makeLogins(config, { store, bus, log, refusals, counters })
  const liveSessions = (user: string): LiveSession[] => registry.of(user).map((client) => client.describe())
  const endSessions = async (user: string): Promise<void> => {
    const logout = { kind: 'logout', user, forget: true } as const
    streams.logout(logout)
    await registry.logout(logout)
  }
  const note = refusals.note.bind(refusals)
  const webhooks = await openWebhooks(config, { store, wheel, counters, failed, note })
  closing.push(() => webhooks.close())
  const moderator = Moderator.of(config, counters, failed)
  closing.push(() => moderator?.close())
  const textSearch = config.search.enabled ? makeSearch(config, { store, log, failed }) : null
  closing.push(() => textSearch?.close())
  const asked = moderator ? [...screens, moderator] : screens
  const count = (name: string): void => counters.add(name)
  const followedBy = (user: string): number => registry.followedBy(user)
  const parts = { failed, gate, count, followedBy, liveSessions, endSessions, webhooks, screens: asked, textSearch }
  const chat = await makeChat(config, { store, bus, wheel, space, ...parts, auth: { ...auth, renewLogin } })
  closing.push(() => chat.info.close())
  closing.push(() => chat.receipts.close())
  closing.push(() => chat.notifications.close())

  const keeper = new SessionKeeper(store, failed)
  const anonymousSessions = new AnonymousSessions(config.limits)
  await anonymousSessions.load(store.sessions)
  keeper.onDiscarded = (id) => anonymousSessions.release(id)
  const backlogs = new Backlogs(config.limits)
  backlogs.slow = (origin, backlog) => connectionOf(origin)?.packets.slowFor(backlog)
  const delivering = {
    hub,
    store,
    counters,
    views: chat.views,
    limits: config.limits,
    backlogs,
    delivered: chat.delivered,
  }
  const couldReceive = chat.access.couldReceive.bind(chat.access)
  const shares = new Shares({ ...delivering, couldReceive }, keeper, failed)
  await shares.load()
  const person = (user: string): string => accountOf(store.directory, user, ownable(config))
  const names = (user: string): Iterable<string> => namesCountedWith(store.directory, user, ownable(config))
  const registry = new Registry({ hub, store, keeper, shares, personBehind: person, namesOf: names, failed })
  const flusher = new Flusher()
  const broker = new Broker({
    persistence: store.persistence,
    pipeline: chat.pipeline,
    plainTopics: chat.plainTopics,
    pluginFailed: (error) => pluginFaults.report(error),
    services: () => services,
  })
  broker.on('error' as never, failed as never)
  const services: MqttServices = {
    ...delivering,
    keeper,
    anonymousSessions,
    shares,
    registry,
    admission: new Admission(),
    flusher,
    wheel,
    log,
    refusals,
    access: chat.access,
    pipeline: chat.pipeline,
    presence: chat.presence,
    rates: chat.rates,
    countedWith: names,
    limits: config.limits,
    onRefused: config.auth.onRefused,
    connectTimeout: config.listen.connectTimeout,
    redirect: config.listen.redirect,
    authenticator: auth.authenticator,
    refusedLogin: auth.refused,
    hooks: auth.hooks,
  }
  const streams = new Streams(config.limits, wheel, counters, failed)
  const delivery = new Delivery({
    hub,
    registry,
    streams,
    views: chat.views,
    presence: chat.presence,
    receipts: chat.receipts,
    info: chat.info,
    failed,
  })
  store.onAppend = (batches) => {
    hub.deliver(batches)
    webhooks.appended(batches)
    textSearch?.grew(batches)
  }
  bus.listen((signal) => delivery.on(signal))

  await chat.rooms.ensureListed(config.rooms.list)
  await chat.ownership.ensureOwners()
  await broker.listen()
  await textSearch?.start()
  closing.push(() => chat.removals.close())
  await chat.removals.resume()
  await chat.sanctions.expelAll()
  const maintaining = { reports: chat.reports, search: textSearch, trim: chat.trim, space, failed }
  const maintenance = new Maintenance({ store, keeper, broker, counters, config, ...maintaining })
  closing.push(() => closeBroker(broker, keeper, maintenance))
  const { dataDir } = config.node
  const backups = new Backups({ store, dataDir, locate: storeLocation, failed })
  closing.push(() => backups.close())
  const removeAccount = (user: string) => chat.removals.remove(user)
  const onAccounts = accountCommands({ ...auth, accounts: auth.managed, removeAccount })
  const commands = auditedCommands({ ...onAccounts, ...backupCommands(backups) }, chat.audit)
  const admin = await serveAdmin(dataDir, commands, failed)
  closing.push(() => admin.close())
  const accept: Accept = (stream, request) => void broker.handle(stream as never, request as never)
  const healthy = (): boolean => store.healthy && !broker.closed
  const listeners: Listener[] = []
  const rulesChanged = (): Promise<void> => {
    streams.rulesChanged()
    return registry.rulesChanged()
  }
  const origins = new Origins(config.listen.origins)
  const web = { origins, ...webRefusals(refusals, counters) }
  const connections = new HttpConnections({ ...config, ...config.listen, refused: web.refused })
  const answered = (facts: Record<string, unknown>): void => log.debug(facts, 'request')
  const low = (): boolean => space.low
  const seen = { healthy, low, failed, answered, about: () => about(config, listeners), ...web }
  const httpApp = await openHttpApp(
    httpAppParts(config, { ...seen, auth, chat, broker, counters, delivering, streams }),
  )
  closing.push(() => httpApp.close())
  await openListeners(config, { accept, httpApp, connections, ...web }, (listener) => {
    listeners.push(listener)
    closing.push(() => listener.close())
  })
  return {
    listeners,
    dataDir: config.node.dataDir,
    aedes: broker,
    store,
    accounts: auth.accounts,
    loginCodes: auth.loginCodes,
    counters,
    maintenance,
    socketWrites: () => flusher.writes,
    reload: (next) => reload(config, next, { log, listeners, acl: chat.acl, rates: chat.rates, rulesChanged }),
    close: async () => {
      for (const close of closing.splice(0).reverse()) await close()
    },
  }
}

/** Names the key of the secrets of webhooks, among those derived from the broker's secret. */
const WEBHOOKS_KEY = 'topictalk-webhooks'

async function openWebhooks(
  config: Config,
  parts: Pick<WebhooksParts, 'store' | 'wheel' | 'counters' | 'failed' | 'note'>,
): Promise<Webhooks> {
  const poster = new Poster(config.webhookDelivery.privateAddresses)
  const secretBox = new SecretBox(await deriveKey(config.auth.jwt, config.node.dataDir, WEBHOOKS_KEY))
  return Webhooks.open({ ...parts, poster, secretBox, config })
}

function watchSpace({ node, store }: Config, log: Logger, failed: (error: unknown) => void): Promise<FreeSpace> {
  const { minFree } = store.level
  const changed = (low: boolean, free: number): void => {
    const facts = { free, minFree }
    if (low) log.warn(facts, 'the disk is nearly full: what would be stored is refused (store.level.minFree)')
    else log.info(facts, 'the disk has room again')
  }
  return FreeSpace.watch({ location: node.dataDir, minFree, changed, failed })
}

function makeSearch(
  config: Config,
  { store, log, failed }: { store: Store; log: Logger; failed: (error: unknown) => void },
) {
  const path = searchLocation(config.node.dataDir)
  const { share } = config.search
  const counted = (user: string): string => accountOf(store.directory, user, ownable(config))
  return new Search({
    store,
    path,
    share,
    failed,
    accountOf: counted,
    notice: (message, facts) => log.warn(facts, message),
  })
}

/** Connections first, then what they left to save. */
async function closeBroker(broker: Broker, keeper: SessionKeeper, maintenance: Maintenance): Promise<void> {
  maintenance.close()
  await broker.shutDown()
  await keeper.close()
}
