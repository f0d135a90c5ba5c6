import { commit } from '../store/commit.js'
import type { Will } from './codec/packets.js'
import type { ConnectedClient } from './connected-client.js'
import { delayOf, storedWill, willMessage } from './wills.js'

/** What follows when a connection has closed, in this order: will, saved session, presence. `leaving`: the broker leaves, not the client. */
export async function completeClose(client: ConnectedClient, leaving: boolean): Promise<void> {
  const { actor, session, record, services } = client
  services.registry.remove(session)
  // Pending publishes belong to this connection: the next one must find their packet ids in the store.
  await client.entering
  await client.lane.idle()
  if (client.will) await publishOrDelayWill(client, client.will, leaving ? services.restartGrace : 0)
  if (client.stored === 'lost') services.sessionWriter.forget(session)
  else if (record.expiry > 0) await services.sessionWriter.finish(session, { ...record, disconnectedAt: Date.now() })
  else if (session.persistent) {
    services.sessionWriter.forget(session)
    await services.sessionWriter.discard(session.id, session.fence)
  }
  if (!actor.principal.anonymous) services.presence.disconnected(actor.principal.user, session.id, leaving)
}

/**
 * At once, or after its delay; no later than the end of the session [MQTT5-3.1.3-9], or the expiry of the token, after which it has no rights.
 * `grace`: seconds in which the client of a broker that left may come back, as a shutdown may defer a will [MQTT5-3.1.2.5].
 */
async function publishOrDelayWill(client: ConnectedClient, will: Will, grace: number): Promise<void> {
  const { id, actor, record, broker, services } = client
  const { persistence } = services.store
  const now = Date.now()
  const delay = delayOf(will, record)
  const due = Math.min(now + Math.max(delay, grace) * 1000, actor.principal.expiresAt ?? Number.POSITIVE_INFINITY)
  if (due <= now) {
    const isStored = client.hasStoredWill
    const beside = { fence: client.lane.fence, ops: isStored ? [persistence.delWillOp(client)] : [] }
    const outcome = await broker.wills.publish(actor, willMessage(will), client.connection, beside)
    // One of which nobody knows stays stored: it is due of a session that is not connected.
    if (outcome !== 'refused') client.hasStoredWill = false
    return
  }
  const kept = storedWill(will, actor.principal, { due, ...(grace > delay && { deferred: true }) })
  await commit(client.writer, { ops: [persistence.putWillOp(client, kept)] })
  client.hasStoredWill = false
  broker.wills.delayed(id, due).start(services.wheel)
}
