import { commit } from '../store/commit.js'
import type { Will } from './codec/packets.js'
import type { ConnectedClient } from './connected-client.js'
import { storedWill, willMessage } from './wills.js'

/** Will, saved session, presence: what others see of a connection's end, in this order. */
export async function leave(client: ConnectedClient): Promise<void> {
  const { actor, session, record, services, will } = client
  services.registry.remove(session)
  // Publishes under way belong to this connection: a successor must find their packet ids in the store.
  await client.entering
  await commit(services.store, {}).catch(() => {})
  if (will) await leaveWill(client, will)
  if (record.expiry > 0) await services.keeper.finish(session, { ...record, disconnectedAt: Date.now() })
  else if (session.persistent) {
    services.keeper.forget(session)
    await services.keeper.discard(session.id)
  }
  if (!actor.principal.anonymous) services.presence.disconnected(actor.principal.user)
}

/**
 * At once, or when its delay is over; the session's end would be earlier [MQTT5-3.1.3-9], and so would that of the token: after it nobody
 * speaks by it.
 */
async function leaveWill(client: ConnectedClient, will: Will): Promise<void> {
  const { id, actor, record, broker, services } = client
  const now = Date.now()
  const delay = Math.min(will.properties.willDelay ?? 0, record.expiry) * 1000
  const due = Math.min(now + delay, actor.principal.expiresAt ?? Number.POSITIVE_INFINITY)
  if (due <= now) {
    await broker.wills.publish(actor, willMessage(will), client.connection)
    return
  }
  await services.store.persistence.putWill(client, storedWill(will, actor.principal, due))
  client.hasStoredWill = false
  broker.wills.delayed(id, due).start(services.wheel)
}
