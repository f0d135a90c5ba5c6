import type { Actor } from '../chat/model/actor.js'
import { commit } from '../store/commit.js'
import type { Will } from './codec/packets.js'
import type { Connection, Login } from './connection.js'
import { storedWill, willMessage } from './wills.js'

/** Will, saved session, presence: what others see of a connection's end, in this order. */
export async function leave(connection: Connection, { actor, session, record }: Login): Promise<void> {
  const { services, will } = connection
  services.registry.remove(session)
  // Publishes under way belong to this connection: a successor must find their packet ids in the store.
  await connection.entering
  await commit(services.store, {}).catch(() => {})
  if (will) await leaveWill(connection, actor, will, record.expiry)
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
async function leaveWill(connection: Connection, actor: Actor, will: Will, expiry: number): Promise<void> {
  const { id, broker, services } = connection
  const now = Date.now()
  const delay = Math.min(will.properties.willDelay ?? 0, expiry) * 1000
  const due = Math.min(now + delay, actor.principal.expiresAt ?? Number.POSITIVE_INFINITY)
  if (due <= now) {
    await broker.publishWill(actor, willMessage(will), connection)
    return
  }
  await services.store.persistence.putWill(connection, storedWill(will, actor.principal, due))
  connection.hasStoredWill = false
  broker.delayedWill(id, due).start(services.wheel)
}
