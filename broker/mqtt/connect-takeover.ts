/** The steps of CONNECT between the login and the session: what was before is over or loaded, and what is new has a place. */
import { ANONYMOUS } from '../../schemas/ids.js'
import { isOwned } from '../store/persons.js'
import { Reason } from './codec/reason-codes.js'
import { sessionExpiry } from './connack.js'
import type { ConnectContext } from './connect-context.js'
import { ConnectRefused } from './endings.js'
import { storedWill } from './wills.js'

/** The registry of Aedes closes an older connection of the session; its state and will are done before ours are looked at [MQTT-3.1.4-2]. */
export function takeOver({ connection }: ConnectContext): Promise<void> {
  return connection.broker.register(connection)
}

/** Before its session is discarded for it. */
export function requirePlaceForClean(context: ConnectContext): void {
  if (context.packet.clean) requireLivePlace(context)
}

/** What is kept may come back, however many there are: those are bounded where they begin. */
export function requirePlace(context: ConnectContext): void {
  if (context.saved) return
  requireLivePlace(context)
  takeAnonymousPlace(context)
}

function requireLivePlace({ connection: { services }, principal: { user, anonymous } }: ConnectContext): void {
  const { liveSessionsPerUser } = services.limits
  if (anonymous || services.registry.countOf(user) < liveSessionsPerUser) return
  const why = `${user} has ${liveSessionsPerUser} live sessions (limits.liveSessionsPerUser)`
  throw new ConnectRefused(3, Reason.quotaExceeded, why)
}

function takeAnonymousPlace({ connection, packet, principal }: ConnectContext): void {
  const { id, conn, services } = connection
  if (!principal.anonymous || sessionExpiry(packet, services.limits.sessionExpiry) === 0) return
  const bound = services.anonymousSessions.take(id, conn.remoteAddress ?? '')
  if (bound)
    throw new ConnectRefused(3, Reason.quotaExceeded, `there are ${services.limits[bound]} sessions (limits.${bound})`)
}

/** The session of before; none where there was none, it is expired, or a clean start discards it [MQTT-3.1.2-6]. */
export async function loadSession(context: ConnectContext): Promise<void> {
  const { connection, packet } = context
  const { store, keeper, limits, log } = connection.services
  try {
    const saved = await store.sessions.load(connection.id)
    if (!saved) {
      if (sessionExpiry(packet, limits.sessionExpiry) > 0) await requireStoredPlace(context)
      return
    }
    const { disconnectedAt, expiry } = saved.record
    const expired = disconnectedAt > 0 && disconnectedAt + Math.min(expiry, limits.sessionExpiry) * 1000 < Date.now()
    if (packet.clean || expired) await keeper.discard(connection.id)
    else context.saved = saved
  } catch (error) {
    if (error instanceof ConnectRefused) throw error
    log.error({ err: error, client: connection.id }, 'the session could not be loaded')
    throw new ConnectRefused(3, Reason.serverUnavailable, 'the session cannot be loaded right now')
  }
}

async function requireStoredPlace({ connection: { services }, principal: { user } }: ConnectContext): Promise<void> {
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

/** Kept in the store with its authority, so that it is sent even if this broker dies [MQTT-3.1.2-8]. */
export async function storeWill(context: ConnectContext): Promise<void> {
  const { connection, packet, principal } = context
  const { persistence } = connection.services.store
  try {
    const earlier = await persistence.getWill(connection)
    if (earlier) await persistence.delWill(connection)
    // Left by a broker that died [MQTT-3.1.2-8]; or the session its delay waited for ends here [MQTT5-3.1.3-9].
    if (earlier && (earlier.due === undefined || packet.clean)) await connection.broker.wills.publishStored(earlier)
    if (!packet.will) return
    context.hasStoredWill = true
    await persistence.putWill(connection, storedWill(packet.will, principal))
  } catch (cause) {
    connection.services.log.error({ err: cause, client: connection.id }, 'a will could not be stored')
    throw new ConnectRefused(3, Reason.serverUnavailable, 'the will cannot be stored right now')
  }
}
