/** CONNECT [MQTT-3.1], as a list of steps. Each may refuse by throwing; the connection answers and closes. */
import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { Refusal } from '../../schemas/errors.js'
import { ANONYMOUS, isClientId } from '../../schemas/ids.js'
import { isPlainFilter, parseFilter, topicNameFault } from '../../schemas/topics.js'
import { isTokenOrKey } from '../auth/authenticator.js'
import { type LoginRefusal, type Principal, REFUSED_BY_HOOK } from '../auth/principal.js'
import { requireFewProperties } from '../chat/pipeline.js'
import { FeedSet } from '../following/feed-set.js'
import type { Subscription } from '../following/subscription.js'
import { isOwned } from '../store/persons.js'
import type { SavedSession, SessionRecord, StoredSubscription } from '../store/sessions.js'
import { askForToken, checkMethod, tokenOf } from './authentication.js'
import { promiseBreadth } from './breadth.js'
import { encodeConnack } from './codec/encode.js'
import type { Connect } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import { connackProperties, keepAlive, sessionExpiry } from './connack.js'
import type { Connection, Login } from './connection.js'
import { ConnectRefused } from './endings.js'
import { checkResponseTopic, keptProperties } from './message-properties.js'
import { asOfLastChange } from './renewal.js'
import { Session } from './session.js'
import { resumeSession } from './session-keeper.js'
import { storedWill } from './wills.js'

export async function connect(connection: Connection, received: Connect): Promise<void> {
  const packet = await connection.broker.preConnectGate(connection, withoutMetrics(received))
  checkProperties(packet)
  const clientId = chooseClientId(packet, connection.services.limits.clientIdBytes)
  checkWill(connection, packet)
  const enterWith = (whole: Connect): Promise<void> => enter(connection, whole, clientId)
  if (!askForToken(connection, packet, enterWith)) await enterWith(packet)
}

/** The SDKs of AWS tell their name behind that of the user, as the query of an address: `ann?SDK=JavaScript&Version=1.0`. */
function withoutMetrics(packet: Connect): Connect {
  const [, username] = /^([^?]*)\?SDK=/.exec(packet.username ?? '') ?? []
  return username === undefined ? packet : { ...packet, username }
}

/** A password has to wait for its hash, in a line of its own: it takes its place among the others when that is known. */
async function enter(connection: Connection, packet: Connect, clientId: string): Promise<void> {
  const { admission } = connection.services
  const first = showsToken(packet)
  if (first) await admitted(connection)
  const { changes } = connection.services.registry
  let inside = first
  try {
    if (connection.closed) return
    const principal = await authenticate(connection, packet, clientId)
    if (!first) {
      await admitted(connection)
      inside = true
    }
    if (!connection.closed) await enterAs(connection, packet, clientId, principal, changes)
  } finally {
    if (inside) admission.leave()
  }
}

/** Resolves when it is the connection's turn. Its time to show who it is does not run out meanwhile. */
async function admitted(connection: Connection): Promise<void> {
  const { admission } = connection.services
  const waiting = admission.enter()
  if (!waiting) return
  await unhurried(connection, waiting)
}

/** Waits for what others have to be done with before. */
async function unhurried<T>(connection: Connection, work: Promise<T>): Promise<T> {
  connection.services.wheel.delete(connection)
  const outcome = await work
  if (!connection.closed) connection.awaitLogin()
  return outcome
}

function showsToken(packet: Connect): boolean {
  return tokenOf(packet) !== null || isTokenOrKey(packet.password?.toString('latin1') ?? '')
}

async function enterAs(
  connection: Connection,
  packet: Connect,
  clientId: string,
  principal: Principal,
  changes: number,
): Promise<void> {
  const { broker } = connection
  const properties = connackProperties(connection, packet, clientId, principal)
  connection.id = `${principal.user}/${clientId}`
  connection.clean = packet.clean
  connection.authMethod = packet.properties.authMethod ?? null
  connection.explains = packet.version === 5 && packet.properties.requestProblemInformation !== false
  const address = connection.conn.remoteAddress ?? ''
  const actor = { principal, clientId, sessionId: connection.id, address }
  await takeOver(connection)
  if (connection.closed) return
  // Before its session is discarded for it.
  if (packet.clean) requireLivePlace(connection, principal)
  const saved = await loadSession(connection, packet, principal)
  if (connection.closed) return
  await storeWill(connection, packet, principal)
  if (connection.closed) return
  actor.principal = await requireStanding(connection, principal, changes)
  if (connection.closed) return
  // What is kept may come back, however many there are: those are bounded where they begin.
  if (!saved) requireLivePlace(connection, principal)
  if (!saved) takeAnonymousPlace(connection, packet, principal)
  const session = openSession(connection, packet, actor, clientId, saved)
  connection.send(encodeConnack(packet.version, saved !== null, 0, properties))
  broker.emit('connackSent', { cmd: 'connack', returnCode: 0, sessionPresent: saved !== null }, connection)
  await begin(connection, session, saved)
  if (connection.closed) return
  connection.connecting = false
  connection.connected = true
  // Keep alive 0 switches it off [MQTT-3.1.2.10].
  connection.watch(keepAlive(packet, connection.services.limits.keepAlive) * 1.5 || Number.POSITIVE_INFINITY)
  broker.emit('clientReady', connection)
  connection.emit('connected')
  const { log } = connection.services
  log.debug({ client: connection.id, address: connection.conn.remoteAddress, version: packet.version }, 'connected')
}

/**
 * An empty client id asks for one, for a clean session only [MQTT-3.1.3-7, MQTT-3.1.3-8]. The 23 characters of MQTT 3.1 are not held to: its
 * clients do not either.
 */
function chooseClientId({ clientId, clean, version }: Connect, bytes: number): string {
  const identifierRejected = (why: string): ConnectRefused => new ConnectRefused(2, Reason.clientIdNotValid, why)
  if (clientId === '') {
    if (version === 3) throw identifierRejected('MQTT 3.1 needs a client id')
    if (version === 4 && !clean)
      throw identifierRejected('a session that outlives its connection needs a client id [MQTT-3.1.3-8]')
    return `auto-${randomUUID()}`
  }
  if (Buffer.byteLength(clientId) > bytes)
    throw identifierRejected(`a client id has at most ${bytes} bytes (limits.clientIdBytes)`)
  if (!isClientId(clientId)) throw identifierRejected('a client id has no control characters')
  return clientId
}

function checkWill({ services }: Connection, { will }: Connect): void {
  if (!will) return
  const fault = topicNameFault(will.topic, services.limits.topicLevels)
  if (fault) throw new ProtocolError(Reason.topicNameInvalid, `will topic: ${fault}`)
  try {
    requireFewProperties(keptProperties(will.topic, will.properties), services.limits.propertyBytes)
  } catch (error) {
    throw new ConnectRefused(5, Reason.packetTooLarge, `the will: ${(error as Refusal).message}`)
  }
}

async function authenticate(connection: Connection, packet: Connect, clientId: string): Promise<Principal> {
  const { authenticator } = connection.services
  const { remoteAddress: address = '', certificate } = connection.conn
  const { username, password } = packet
  // By method the token is all that counts: a password beside it is not looked at.
  const token = tokenOf(packet)
  const login =
    token === null
      ? await unhurried(
          connection,
          authenticator.login({ username, password, clientId, address, certificate, door: 'mqtt' }),
        )
      : await authenticator.loginByToken({ username, token, clientId, address, certificate, door: 'mqtt' })
  if (!login.ok)
    throw refusedLogin(token !== null && login.refusal === 'bad_credentials' ? 'not_authorized' : login.refusal)
  const shown = token === null ? password : Buffer.from(token, 'latin1')
  await requireHook(connection, { username, password: shown }, login.principal.user, clientId)
  return login.principal
}

async function requireHook(
  connection: Connection,
  shown: Pick<Connect, 'username' | 'password'>,
  user: string,
  clientId: string,
): Promise<void> {
  try {
    await connection.broker.authenticateGate(connection, shown, `${user}/${clientId}`)
  } catch (error) {
    const { remoteAddress: address = '' } = connection.conn
    connection.services.refusedLogin({ user, address, door: 'mqtt', reason: 'not_authorized', why: REFUSED_BY_HOOK })
    throw error
  }
}

function refusedLogin(refusal: LoginRefusal): ConnectRefused {
  switch (refusal) {
    case 'bad_credentials':
      return new ConnectRefused(4, Reason.badUserNameOrPassword, 'bad user name or password')
    case 'suspended':
      return new ConnectRefused(5, Reason.banned, 'this account is suspended')
    case 'not_authorized':
      return new ConnectRefused(5, Reason.notAuthorized, 'not authorized')
    case 'throttled':
      return new ConnectRefused(3, Reason.connectionRateExceeded, 'too many failed logins')
    case 'unavailable':
      return new ConnectRefused(3, Reason.serverUnavailable, 'logins are not possible right now')
  }
}

/** A logout that came after the login was checked, and before anyone can see the session, ends it too; other roles are those it has. */
async function requireStanding({ services }: Connection, principal: Principal, changes: number): Promise<Principal> {
  const standing = await asOfLastChange(services, principal, changes)
  if (!standing) throw new ConnectRefused(5, Reason.notAuthorized, 'not authorized')
  return standing
}

/** The registry of Aedes closes an older connection of the session; its state and will are done before ours are looked at [MQTT-3.1.4-2]. */
async function takeOver(connection: Connection): Promise<void> {
  await connection.broker.register(connection)
}

/** The session of before, or null: there was none, it is expired, or a clean start discards it [MQTT-3.1.2-6]. */
async function loadSession(
  connection: Connection,
  packet: Connect,
  principal: Principal,
): Promise<SavedSession | null> {
  const { store, keeper, limits, log } = connection.services
  try {
    const saved = await store.sessions.load(connection.id)
    if (!saved) {
      if (sessionExpiry(packet, limits.sessionExpiry) > 0) await requireRoomForSession(connection, principal)
      return null
    }
    const { disconnectedAt, expiry } = saved.record
    const expired = disconnectedAt > 0 && disconnectedAt + Math.min(expiry, limits.sessionExpiry) * 1000 < Date.now()
    if (!packet.clean && !expired) return saved
    await keeper.discard(connection.id)
    return null
  } catch (error) {
    if (error instanceof ConnectRefused) throw error
    log.error({ err: error, client: connection.id }, 'the session could not be loaded')
    throw new ConnectRefused(3, Reason.serverUnavailable, 'the session cannot be loaded right now')
  }
}

function takeAnonymousPlace({ id, conn, services }: Connection, packet: Connect, { anonymous }: Principal): void {
  if (!anonymous || sessionExpiry(packet, services.limits.sessionExpiry) === 0) return
  const bound = services.anonymousSessions.take(id, conn.remoteAddress ?? '')
  if (bound)
    throw new ConnectRefused(3, Reason.quotaExceeded, `there are ${services.limits[bound]} sessions (limits.${bound})`)
}

async function requireRoomForSession({ services }: Connection, { user }: Principal): Promise<void> {
  if (user === ANONYMOUS) return
  const { store, limits, countedWith } = services
  let kept = (await store.sessions.ofUser(user)).length
  // Each bot and device may have one, however many its owner has.
  if (kept === 0 && isOwned(store.directory, user)) return
  for (const name of countedWith(user)) {
    if (kept >= limits.sessionsPerUser) break
    if (name !== user) kept += (await store.sessions.ofUser(name)).length
  }
  if (kept >= limits.sessionsPerUser)
    throw new ConnectRefused(3, Reason.quotaExceeded, `${user} has ${kept} sessions (limits.sessionsPerUser)`)
}

function requireLivePlace({ services }: Connection, { user, anonymous }: Principal): void {
  const { liveSessionsPerUser } = services.limits
  if (anonymous || services.registry.countOf(user) < liveSessionsPerUser) return
  const why = `${user} has ${liveSessionsPerUser} live sessions (limits.liveSessionsPerUser)`
  throw new ConnectRefused(3, Reason.quotaExceeded, why)
}

/** Kept in the store with its authority, so that it is sent even if this broker dies [MQTT-3.1.2-8]. */
async function storeWill(connection: Connection, packet: Connect, principal: Principal): Promise<void> {
  const { persistence } = connection.services.store
  try {
    const earlier = await persistence.getWill(connection)
    if (earlier) await persistence.delWill(connection)
    // Left by a broker that died [MQTT-3.1.2-8]; or the session its delay waited for ends here [MQTT5-3.1.3-9].
    if (earlier && (earlier.due === undefined || packet.clean)) await connection.broker.publishStoredWill(earlier)
    if (!packet.will) return
    connection.hasStoredWill = true
    await persistence.putWill(connection, storedWill(packet.will, principal))
    connection.will = packet.will
  } catch (cause) {
    connection.services.log.error({ err: cause, client: connection.id }, 'a will could not be stored')
    throw new ConnectRefused(3, Reason.serverUnavailable, 'the will cannot be stored right now')
  }
}

/** Combinations MQTT 5 forbids, and what this broker does not do. */
function checkProperties(packet: Connect): void {
  const { properties, will } = packet
  checkMethod(packet)
  const { receiveMaximum, maximumPacketSize } = properties
  if (receiveMaximum === 0) throw new ProtocolError(Reason.protocolError, 'receive maximum 0 [MQTT5-3.1.2.11.3]')
  if (maximumPacketSize === 0) throw new ProtocolError(Reason.protocolError, 'maximum packet size 0 [MQTT5-3.1.2.11.4]')
  if (will?.properties.payloadFormat === 1 && !isUtf8(will.payload)) {
    throw new ProtocolError(Reason.payloadFormatInvalid, 'the will is not the UTF-8 it says it is [MQTT5-3.1.3.2.3]')
  }
  if (will) checkResponseTopic(will.properties)
}

function openSession(
  connection: Connection,
  packet: Connect,
  actor: Login['actor'],
  clientId: string,
  saved: SavedSession | null,
): Session {
  const { services, broker } = connection
  const { user, login = null } = actor.principal
  const expiry = sessionExpiry(packet, services.limits.sessionExpiry)
  const identity = {
    id: connection.id,
    user,
    version: packet.version,
    persistent: expiry > 0 || saved !== null,
    receiveMaximum: packet.properties.receiveMaximum ?? 65535,
    maxPacket: connection.maxPacket,
    topicAliases: Math.min(packet.properties.topicAliasMaximum ?? 0, services.limits.topicAliases),
  }
  const session = new Session(identity, services, connection.outbox, {
    mayReceive: (topic) => services.access.mayReceive(actor, topic),
    isFor: (topic, payload) => services.access.isFor(actor, topic, payload),
    maySee: (topic) => services.access.maySee(actor, topic),
    get forward() {
      return broker.forwardGate(connection)
    },
  })
  session.onFailure = (error) => {
    services.log.error({ err: error, client: connection.id }, 'messages could not be read for a session')
    // Not 0x88, which is for CONNACK alone [MQTT5-3.14.2-1].
    void connection.finish({ reason: Reason.unspecified, why: 'messages could not be read' })
  }
  const record: SessionRecord = saved
    ? { ...saved.record, disconnectedAt: 0, expiry, login }
    : { id: connection.id, user, clientId, createdAt: Date.now(), disconnectedAt: 0, expiry, login }
  if (!saved && actor.principal.anonymous) record.address = actor.address ?? ''
  const feedSet = new FeedSet(session, services.views, services.store, services.counters)
  connection.login = { actor, session, feedSet, record }
  connection.letIn()
  services.registry.add(connection)
  if (!actor.principal.anonymous) services.presence.connected(user)
  return session
}

async function begin(connection: Connection, session: Session, saved: SavedSession | null): Promise<void> {
  const { store, keeper, log } = connection.services
  const { record } = connection.login!
  if (session.persistent) {
    session.saver = keeper.saver(session, session.shares)
    await store.sessions
      .writeLazily([store.sessions.recordOp(record)])
      .catch((error: unknown) => log.warn({ err: error }, 'the session could not be noted'))
  }
  if (saved) {
    connection.resumed = true
    for (const packetId of saved.incoming) connection.incoming.resume(packetId)
    for (const subscription of saved.subscriptions) await restoreSubscription(connection, session, subscription)
    await resumeSession(session, saved, connection)
    session.promised = 0
  }
  session.start()
}

/** A saved filter counts again if it is still allowed; a public room is not joined anew by it. */
async function restoreSubscription(connection: Connection, session: Session, saved: StoredSubscription): Promise<void> {
  const requested = {
    filter: saved.topic,
    qos: saved.qos,
    noLocal: saved.nl ?? false,
    retainAsPublished: saved.rap ?? false,
    retainHandling: (saved.rh ?? 0) as 0 | 1 | 2,
  }
  const identifier = saved.subscriptionIdentifier
  const passed = await connection.broker.subscribeGate(connection, requested)
  if (passed instanceof Refusal) return
  const parsed = parseFilter(passed.filter)
  try {
    if (parsed.kind !== 'shared') await promiseBreadth(connection, parsed)
    // From here on a change of rules finds it.
    const { unconditional } = connection.services.access.check(connection.login!.actor, passed.filter, parsed)
    const subscription: Subscription = { ...passed, identifier, parsed, unconditional }
    if (parsed.kind === 'shared') return connection.services.shares.join(session, subscription)
    session.subscriptions.set(passed.filter, subscription)
    if (isPlainFilter(parsed)) session.subscribePlain(passed.filter, passed.qos)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const facts = { client: connection.id, filter: passed.filter, why: error.message }
    connection.services.refusals.note('a saved subscription is no longer allowed', connection.id, facts)
  }
}
