import { asRefusal, Refusal } from '../../schemas/errors.js'
import { parseFilter, topicFilterFault } from '../../schemas/topics.js'
import { caughtUp } from '../chat/model/up-to-date.js'
import type { FilterViews } from '../chat/model/views.js'
import type { FeedSet } from '../following/feed-set.js'
import { atCut, Snapshots } from '../following/snapshots.js'
import type { Subscription } from '../following/subscription.js'
import type { StoreError } from '../store/changes.js'
import { commit, storeRefusal } from '../store/commit.js'
import type { Op } from '../store/op.js'
import type { StoredSubscription } from '../store/subscription.js'
import { encodeSuback, encodeUnsuback } from './codec/encode.js'
import type { RequestedSubscription, SubscribePacket, UnsubscribePacket } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { ConnectedClient } from './connected-client.js'
import { reserveFollowed } from './followed-quota.js'
import { isStillAllowed } from './subscription-check.js'
import { SubscriptionQuota } from './subscription-quota.js'

/** Filters decided before yielding to the event loop. */
const SLICE = 256

/** SUBACK return code of a refused filter on 3.1 and 3.1.1 [MQTT-3.9.3-2]. */
const SUBACK_FAILURE = 0x80

interface Granted {
  subscription: Subscription
  /** The session did not have it. */
  isNew: boolean
  shown: FilterViews
  heads: Map<string, number>
}

/**
 * SUBSCRIBE [MQTT-3.8]: each filter is decided in turn and has its own return code; a refused one leaves no trace. Granted ones
 * take effect behind everything the client published before, and are durable before the SUBACK. `packetId` 0: on behalf of the client, without a SUBACK.
 */
export async function subscribe(client: ConnectedClient, packet: SubscribePacket): Promise<void> {
  const { store } = client.services
  for (const { filter } of packet.subscriptions) requireFilter(filter)
  if (packet.packetId > 0) charge(client, packet.subscriptions.length)
  const { session } = client
  const { changes } = client.services.registry
  const decided = await decideAll(client, packet)
  // Not committed through the lane, which may settle later than the store: the cut would have passed by then.
  await client.lane.idle()
  // Another connection may have loaded the session by now: subscriptions it does not know must not be stored.
  if (client.closed) return
  await atCut(client.writer, store.queue, opsOf(client, decided), session.persistent, (cut, error) => {
    if (client.closed) return cut.end()
    const kept = error && session.persistent ? refused(decided, error) : decided
    const outcome = changes === client.services.registry.changes ? kept : stillAllowed(client, kept)
    const codes = outcome.map((one) => (one instanceof Refusal ? failureOf(client, one) : one.subscription.qos))
    // The SUBACK goes before messages that wait in a share group.
    if (packet.packetId > 0) sendSuback(client, packet.packetId, codes, outcome)
    const granted = [...lastOfEach(outcome.filter(isGranted))]
    for (const one of granted) takeEffect(client, one)
    session.reserved = 0
    const asking = granted.filter(wantsRetained).map(({ subscription }) => subscription)
    // Not awaited: the acknowledgements that make room for many retained messages come behind this packet.
    snapshotsOf(client).request(asking, cut)
    announce(client, packet, codes)
  })
}

function snapshotsOf({ session, actor, services }: ConnectedClient): Snapshots {
  const { access, log } = services
  const failed = (error: unknown): void =>
    log.error({ err: error, client: session.id }, 'retained messages could not be sent')
  session.snapshots ??= new Snapshots({ receiver: session, actor, access, services, failed })
  return session.snapshots
}

/** Filters subscribed and unsubscribed count against the rate: above it the client is read more slowly, nothing is refused. */
function charge(client: ConnectedClient, filters: number): void {
  const ms = client.services.rates.chargeFilters(client.rateKey, filters)
  if (ms > 0) client.connection.packets.pauseFor(ms)
}

async function decideAll(
  client: ConnectedClient,
  { subscriptions, properties }: SubscribePacket,
): Promise<(Granted | Refusal)[]> {
  const identifier = properties.subscriptionIds?.[0]
  // As of the packet, for all of its filters; nobody is refused what was done before on another node.
  const upToDate = caughtUp(client.services.store, client.actor)
  const quota = new SubscriptionQuota(client)
  const known = new Map<string, Granted>()
  const decided: (Granted | Refusal)[] = []
  for (const requested of subscriptions) {
    const one = await decide(client, requested, identifier, { upToDate, quota, known })
    decided.push(one)
    if (!(one instanceof Refusal)) known.set(one.subscription.filter, one)
    if (decided.length % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return decided
}

/** Of a filter that is repeated in a packet, the last one takes effect. */
function lastOfEach(granted: readonly Granted[]): Iterable<Granted> {
  return new Map(granted.map((one) => [one.subscription.filter, one])).values()
}

function isGranted(one: Granted | Refusal): one is Granted {
  return !(one instanceof Refusal)
}

function requireFilter(filter: string): void {
  const fault = topicFilterFault(filter, Number.POSITIVE_INFINITY)
  if (fault) throw new ProtocolError(Reason.topicFilterInvalid, `${JSON.stringify(filter)}: ${fault} [MQTT-4.7.1]`)
}

/** What the filters of a packet are decided on. */
interface Deciding {
  readonly upToDate: Promise<void> | null
  readonly quota: SubscriptionQuota
  /** Those granted before in the same packet. */
  readonly known: ReadonlyMap<string, Granted>
}

async function decide(
  client: ConnectedClient,
  requested: RequestedSubscription,
  identifier: number | undefined,
  { upToDate, quota, known }: Deciding,
): Promise<Granted | Refusal> {
  const { actor } = client
  const { access, counters, log, refusals, shares } = client.services
  try {
    if (upToDate) await upToDate
    quota.require(requested.filter)
    const passed = await client.broker.gates.subscribe(client.connection, actor, requested)
    if (passed instanceof Refusal) throw passed
    requireFilter(passed.filter)
    if (passed.filter !== requested.filter) quota.require(passed.filter)
    const parsed = parseFilter(passed.filter)
    if (parsed.kind === 'shared' && requested.noLocal)
      throw new ProtocolError(Reason.protocolError, 'no local on a shared subscription [MQTT5-3.8.3-4]')
    const { unconditional } = await access.subscribe(actor, passed.filter, parsed)
    const subscription: Subscription = { ...passed, identifier, parsed, unconditional }
    const again = known.get(passed.filter)
    if (again) return { ...again, subscription }
    if (!quota.has(passed.filter)) await reserveFollowed(client, parsed)
    if (parsed.kind === 'shared') await shares.prepare(actor.principal.user, parsed, passed.qos)
    const whose = feedSetOf(client, subscription)
    const shown = whose.viewsOf(asFollowed(subscription))
    const heads = await whose.heads(shown)
    return { subscription, isNew: quota.take(passed.filter), shown, heads }
  } catch (error) {
    const refusal = asRefusal(error)
    if (error instanceof ProtocolError) throw error
    if (refusal.code === 'internal') log.error({ err: error, client: client.id }, 'a subscription could not be handled')
    counters.add(`refused.${refusal.code}`)
    const facts = { client: client.id, filter: requested.filter, code: refusal.code, why: refusal.message }
    refusals.note('subscription refused', client.id, facts)
    return refusal
  }
}

/** The feeds a subscription is added to: of the session, or of a share group. */
function feedSetOf({ feedSet, actor, services }: ConnectedClient, { parsed }: Subscription): FeedSet {
  return parsed.kind === 'shared' ? services.shares.feedSet(actor.principal.user, parsed) : feedSet
}

function isElsewhere({ actor, services }: ConnectedClient, { parsed }: Subscription): boolean {
  return parsed.kind === 'shared' && services.shares.isElsewhere(actor.principal.user, parsed)
}

/** A share group subscribes to the filter behind the share name. */
function asFollowed(subscription: Subscription): Subscription {
  const { parsed } = subscription
  return parsed.kind === 'shared' ? { ...subscription, filter: parsed.filter, parsed: parsed.of } : subscription
}

/** What makes the granted subscriptions durable, and the cursors they start. */
function opsOf(client: ConnectedClient, decided: readonly (Granted | Refusal)[]): Op[] {
  const { session } = client
  const { sessions } = client.services.store
  if (!session.persistent) return []
  const ops: Op[] = []
  for (const { subscription, shown, heads } of lastOfEach(decided.filter(isGranted))) {
    ops.push(...sessions.subscribeOps(session.id, [stored(subscription)]))
    if (!isElsewhere(client, subscription))
      ops.push(...feedSetOf(client, subscription).cursorOps(shown, subscription, heads))
  }
  return ops
}

/** Subscriptions that could not be stored are refused. */
function refused(decided: readonly (Granted | Refusal)[], cause: StoreError): readonly (Granted | Refusal)[] {
  const refusal = storeRefusal(cause)
  return decided.map((one) => (one instanceof Refusal ? one : refusal))
}

/** Roles or rules changed meanwhile: subscriptions that have not taken effect yet are checked here, nobody else finds them. */
function stillAllowed(client: ConnectedClient, decided: readonly (Granted | Refusal)[]): (Granted | Refusal)[] {
  const { services, session, actor } = client
  const outcome = decided.map((one) =>
    one instanceof Refusal || isStillAllowed(services, actor, one.subscription)
      ? one
      : new Refusal('forbidden', `${one.subscription.filter}: not any more`),
  )
  const filterOf = (one: Granted | Refusal): string[] => (isGranted(one) ? [one.subscription.filter] : [])
  const remaining = new Set([...outcome.flatMap(filterOf), ...session.subscriptions.keys()])
  const filters = decided.flatMap(filterOf).filter((filter) => !remaining.has(filter))
  if (session.persistent && filters.length > 0) {
    const failed = (err: unknown): void =>
      services.log.error({ err, client: session.id }, 'a subscription came to stay')
    commit(client.writer, { ops: services.store.sessions.unsubscribeOps(session.id, filters) }).catch(failed)
  }
  return outcome
}

function takeEffect({ session, feedSet, services }: ConnectedClient, { subscription, heads }: Granted): void {
  if (subscription.parsed.kind === 'shared') services.shares.join(session, subscription, heads)
  else feedSet.add(subscription, heads)
}

/** Retain handling [MQTT5-3.3.1-9…11]: always, for a new subscription only, or never; never for a shared one [MQTT5-4.8.2]. */
function wantsRetained({ subscription: { parsed, retainHandling }, isNew }: Granted): boolean {
  if (parsed.kind === 'shared') return false
  return retainHandling === 0 || (retainHandling === 1 && isNew)
}

function stored({
  filter,
  qos,
  noLocal,
  retainAsPublished,
  retainHandling,
  identifier,
}: Subscription): StoredSubscription {
  const id = identifier === undefined ? {} : { subscriptionIdentifier: identifier }
  return { topic: filter, qos, nl: noLocal, rap: retainAsPublished, rh: retainHandling, ...id }
}

/** With the reasons of refusals, if the client requested problem information. */
function sendSuback(
  client: ConnectedClient,
  packetId: number,
  codes: readonly number[],
  outcome: readonly (Granted | Refusal)[],
): void {
  const why = new Set(outcome.flatMap((one) => (one instanceof Refusal ? [one.message] : [])))
  client.connection.sendFitting(
    (more) => encodeSuback(client.version, packetId, codes, more),
    why.size > 0 ? client.reasonFor([...why].join('; ')) : undefined,
  )
}

function announce(client: ConnectedClient, packet: SubscribePacket, codes: readonly number[]): void {
  const listed = new Map(
    packet.subscriptions.map(({ filter }, index) => [filter, { topic: filter, qos: codes[index] }]),
  )
  client.broker.subscribed(client.connection, [...listed.values()])
}

/** The reason codes a SUBACK may carry are few [MQTT5-3.9.3]. */
function failureOf({ version }: ConnectedClient, { code }: Refusal): number {
  if (version !== 5) return SUBACK_FAILURE
  if (code === 'bad_request') return Reason.topicFilterInvalid
  if (code === 'too_large') return Reason.quotaExceeded
  return code === 'internal' || code === 'unavailable' ? Reason.unspecified : Reason.notAuthorized
}

/** Returns the ops that delete cursors which no other filter needs. */
function remove({ session, feedSet, services }: ConnectedClient, filter: string): Op[] {
  const parsed = session.subscriptions.get(filter)?.parsed
  if (parsed?.kind === 'shared') services.shares.leave(session, parsed)
  return feedSet.remove(filter)
}

/** UNSUBSCRIBE [MQTT-3.10]: no new message of the filter is sent after the UNSUBACK. */
export async function unsubscribe(client: ConnectedClient, packet: UnsubscribePacket): Promise<void> {
  const { session } = client
  const { store } = client.services
  for (const filter of packet.filters) requireFilter(filter)
  if (packet.packetId > 0) charge(client, packet.filters.length)
  // A repeated filter does not exist the second time.
  const known = new Set(packet.filters.filter((filter) => session.subscriptions.has(filter)))
  const codes = packet.filters.map((filter) => (known.delete(filter) ? Reason.success : Reason.noSubscriptionExisted))
  const ops = session.persistent ? store.sessions.unsubscribeOps(session.id, packet.filters) : []
  for (const filter of packet.filters) ops.push(...remove(client, filter))
  if (session.persistent) await commit(client.writer, { ops })
  if (packet.packetId > 0) client.connection.send(encodeUnsuback(client.version, packet.packetId, codes))
  client.broker.unsubscribed(client.connection, packet.filters)
}
