/** The last steps of CONNECT: the session is opened or resumed. */
import { Refusal } from '../../schemas/errors.js'
import { isPlainFilter, parseFilter } from '../../schemas/topics.js'
import type { Principal } from '../auth/principal.js'
import type { Actor } from '../chat/model/actor.js'
import { FeedSet } from '../following/feed-set.js'
import type { Subscription } from '../following/subscription.js'
import { commit } from '../store/commit.js'
import type { SavedSession, SessionRecord } from '../store/sessions.js'
import type { StoredSubscription } from '../store/subscription.js'
import { Reason } from './codec/reason-codes.js'
import { sessionExpiry } from './connack.js'
import type { ConnectContext, ConnectingConnection } from './connect-context.js'
import { ConnectedClient } from './connected-client.js'
import type { DeliveryGuard } from './delivery-guard.js'
import { reserveFollowed } from './followed-quota.js'
import { Session } from './session.js'
import { resumeSession } from './session-resume.js'

/** From here on the session is in the registry and counts for presence. */
export function openSession(context: ConnectContext): void {
  const { connection, packet, principal, clientId, saved } = context
  const { services } = connection
  const actor = { principal, clientId, sessionId: connection.id, address: connection.conn.remoteAddress ?? '' }
  const session = makeSession(context, actor)
  const client = new ConnectedClient(connection, {
    version: packet.version,
    actor,
    session,
    feedSet: new FeedSet(session, services.views, services.store, services.counters),
    record: recordOf(context),
    will: packet.will,
    hasStoredWill: context.hasStoredWill,
    fence: context.fence,
    wantsProblemInformation: packet.version === 5 && packet.properties.requestProblemInformation !== false,
    authMethod: packet.properties.authMethod ?? null,
    resumed: saved !== null,
  })
  context.client = client
  connection.opened(client)
  services.registry.add(client)
  if (!principal.anonymous) services.presence.connected(principal.user, session.id)
}

function recordOf({ connection, packet, principal, clientId, saved }: ConnectContext): SessionRecord {
  const expiry = sessionExpiry(packet, connection.services.limits.sessionExpiry)
  const { user, login = null, anonymous } = principal
  if (saved) return { ...saved.record, disconnectedAt: 0, expiry, login }
  const created = { id: connection.id, user, clientId, createdAt: Date.now(), disconnectedAt: 0, expiry, login }
  return anonymous ? { ...created, address: connection.conn.remoteAddress ?? '' } : created
}

function makeSession(
  { connection, packet, saved, fence }: ConnectContext,
  actor: Actor & { principal: Principal },
): Session {
  const { services } = connection
  const identity = {
    id: connection.id,
    user: actor.principal.user,
    version: packet.version,
    persistent: sessionExpiry(packet, services.limits.sessionExpiry) > 0 || saved !== null,
    receiveMaximum: packet.properties.receiveMaximum ?? 65535,
    maxPacket: connection.maxPacket,
    topicAliases: Math.min(packet.properties.topicAliasMaximum ?? 0, services.limits.topicAliases),
  }
  const session = new Session(identity, services, connection.output, guardOf(connection, actor))
  session.fence = fence
  session.onFailure = (error) => {
    services.log.error({ err: error, client: connection.id }, 'messages could not be read for a session')
    // Not 0x88, which is for CONNACK alone [MQTT5-3.14.2-1].
    void connection.finish({ reason: Reason.unspecified, why: 'messages could not be read' })
  }
  return session
}

function guardOf(connection: ConnectingConnection, actor: Actor): DeliveryGuard {
  const { access } = connection.services
  const { gates } = connection.broker
  return {
    mayReceive: (topic) => access.mayReceive(actor, topic),
    isFor: (topic, payload) => access.isFor(actor, topic, payload),
    maySee: (topic) => access.maySee(actor, topic),
    get forward() {
      return gates.forward(connection)
    },
  }
}

/** Resumes a stored session, and starts delivery. */
export async function beginDelivery({ connection, client, saved }: ConnectContext): Promise<void> {
  const { store, sessionWriter, shares, log } = connection.services
  const { session, record } = client!
  if (session.persistent) {
    session.saver = sessionWriter.saver(session)
    await commit(client!.writer, { ops: [store.sessions.recordOp(record)], lazy: true })
      .then(() => {
        if (client!.stored === 'no') client!.stored = 'yes'
      })
      .catch((error: unknown) => log.warn({ err: error }, 'the session could not be noted'))
  }
  if (saved) await restoreSession(client!, saved)
  session.start()
  shares.started(session)
}

async function restoreSession(client: ConnectedClient, saved: SavedSession): Promise<void> {
  const { session, feedSet, inboundQos2, services } = client
  for (const packetId of saved.incoming) inboundQos2.resume(packetId)
  for (const subscription of saved.subscriptions) await restoreSubscription(client, subscription)
  await resumeSession(session, feedSet, saved, services)
  session.reserved = 0
}

/** A stored subscription is restored if it is still allowed; it does not join a public room. */
async function restoreSubscription(client: ConnectedClient, saved: StoredSubscription): Promise<void> {
  const { connection, broker, services, session, actor } = client
  const requested = {
    filter: saved.topic,
    qos: saved.qos,
    noLocal: saved.nl ?? false,
    retainAsPublished: saved.rap ?? false,
    retainHandling: (saved.rh ?? 0) as 0 | 1 | 2,
  }
  const identifier = saved.subscriptionIdentifier
  const passed = await broker.gates.subscribe(connection, actor, requested)
  if (passed instanceof Refusal) {
    session.subscriptions.refused.add(saved.topic)
    return
  }
  const parsed = parseFilter(passed.filter)
  try {
    if (parsed.kind !== 'shared') await reserveFollowed(client, parsed)
    // No await after this check: from here on a change of rules finds the subscription.
    const { unconditional } = services.access.check(actor, passed.filter, parsed)
    const subscription: Subscription = { ...passed, identifier, parsed, unconditional }
    if (parsed.kind === 'shared') return services.shares.join(session, subscription)
    session.subscriptions.set(passed.filter, subscription)
    if (isPlainFilter(parsed)) session.subscribePlain(passed.filter, passed.qos)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const facts = { client: connection.id, filter: passed.filter, why: error.message }
    services.refusals.note('a saved subscription is no longer allowed', connection.id, facts)
  }
}
