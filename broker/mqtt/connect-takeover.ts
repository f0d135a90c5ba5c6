/** The steps of CONNECT between login and session: take over or load the earlier session, check limits, store the will. */
import { ANONYMOUS } from '../../schemas/ids.js'
import { StoreError } from '../store/changes.js'
import { commit } from '../store/commit.js'
import type { WillPacket } from '../store/persistence.js'
import { isOwned } from '../store/persons.js'
import { Reason } from './codec/reason-codes.js'
import { sessionExpiry } from './connack.js'
import type { ConnectContext } from './connect-context.js'
import { ConnectRefused } from './connect-refused.js'
import { willWhileConnected } from './wills.js'

/** Closes an older connection of the session; its state is saved and its will handled before ours are loaded [MQTT-3.1.4-2]. */
export function takeOver({ connection }: ConnectContext): Promise<void> {
  return connection.broker.register(connection)
}

/** No other node serves the session from here on. */
export function claimSession(context: ConnectContext): void | Promise<void> {
  const { connection } = context
  const claimed = connection.services.claims?.claim(connection.id, connection)
  return claimed?.then((fence) => {
    context.fence = fence
  })
}

/** With Clean Start: checked before the stored session is discarded. */
export function requirePlaceForClean(context: ConnectContext): void {
  if (context.packet.clean) requireLivePlace(context)
}

/** Limits apply to new sessions; a stored one may always be resumed. */
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

/** Loads the stored session, unless it is expired or Clean Start discards it [MQTT-3.1.2-6]. */
export async function loadSession(context: ConnectContext): Promise<void> {
  const { connection, packet } = context
  const { store, sessionWriter, limits, log } = connection.services
  try {
    const saved = await store.sessions.load(connection.id)
    if (!saved) {
      if (sessionExpiry(packet, limits.sessionExpiry) > 0) await requireStoredPlace(context)
      return
    }
    const { disconnectedAt, expiry } = saved.record
    const expired = disconnectedAt > 0 && disconnectedAt + Math.min(expiry, limits.sessionExpiry) * 1000 < Date.now()
    if (packet.clean || expired) await sessionWriter.discard(connection.id, context.fence)
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

/** Stored with its owner's rights, so that it is published even if this broker crashes [MQTT-3.1.2-8]. */
export async function storeWill(context: ConnectContext): Promise<void> {
  const { connection, packet, principal } = context
  const { persistence } = connection.services.store
  try {
    const earlier = await persistence.getWill(connection)
    const ops = [persistence.delWillOp(connection)]
    // Left by a broker that crashed [MQTT-3.1.2-8]; or delayed, and Clean Start ends its session now [MQTT5-3.1.3-9].
    const ends = earlier && (!isDelayed(context, earlier) || (packet.clean && !earlier.deferred))
    const outcome = ends ? await connection.broker.wills.publishStored(earlier, { fence: context.fence, ops }) : null
    if (outcome === 'unknown') throw new StoreError('the will of before could not be published')
    if (earlier && outcome !== 'sent') await commit(context.writer, { ops })
    if (!packet.will) return
    context.hasStoredWill = true
    const expiry = sessionExpiry(packet, connection.services.limits.sessionExpiry)
    await commit(context.writer, {
      ops: [persistence.putWillOp(connection, willWhileConnected(packet.will, principal, { expiry }))],
    })
  } catch (cause) {
    connection.services.log.error({ err: cause, client: connection.id }, 'a will could not be stored')
    throw new ConnectRefused(3, Reason.serverUnavailable, 'the will cannot be stored right now')
  }
}

/** A session that was taken from another node is there again within the delay. How long a single broker was down, nobody knows. */
function isDelayed({ fence }: ConnectContext, { due, delay }: WillPacket): boolean {
  return due !== undefined || (fence !== null && delay !== undefined)
}
