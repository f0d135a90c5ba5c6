import { asRefusal, Refusal } from '../../schemas/errors.js'
import { parseFilter, topicFilterFault } from '../../schemas/topics.js'
import { storeRefusal } from '../chat/messages/send.js'
import type { ShownViews } from '../chat/model/views.js'
import type { FeedSet } from '../following/feed-set.js'
import { atCut, Snapshots } from '../following/snapshots.js'
import type { Subscription } from '../following/subscription.js'
import type { StoreError } from '../store/changes.js'
import { commit } from '../store/commit.js'
import type { Op } from '../store/op.js'
import type { StoredSubscription } from '../store/sessions.js'
import { promiseBreadth } from './breadth.js'
import { encodeSuback, encodeUnsuback } from './codec/encode.js'
import type { RequestedSubscription, Subscribe, Unsubscribe } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { Connection } from './connection.js'
import { FilterRoom } from './filter-room.js'
import { stands } from './standing.js'

/** Filters looked at in one turn of the event loop. */
const SLICE = 256

/** SUBACK return code of a refused filter on 3.1 and 3.1.1 [MQTT-3.9.3-2]. */
const FAILURE = 0x80

interface Granted {
  subscription: Subscription
  /** The session did not have it. */
  isNew: boolean
  shown: ShownViews
  heads: Map<string, number>
}

/**
 * SUBSCRIBE [MQTT-3.8]: each filter is decided in turn and has its own return code; a refused one leaves no trace. Those granted take
 * effect behind all that was published before, and are durable before the SUBACK. `packetId` 0: on behalf of the client, without a SUBACK.
 */
export async function subscribe(connection: Connection, packet: Subscribe): Promise<void> {
  const { store } = connection.services
  for (const { filter } of packet.subscriptions) requireFilter(filter)
  if (packet.packetId > 0) charge(connection, packet.subscriptions.length)
  const { session } = connection.login!
  const { changes } = connection.services.registry
  const decided = await decideAll(connection, packet)
  // A successor may have loaded the session by now: what it does not know must not be stored.
  if (connection.closed) return
  await atCut(store, opsOf(connection, decided), session.persistent, (cut, error) => {
    if (connection.closed) return cut.end()
    const kept = error && session.persistent ? refused(decided, error) : decided
    const outcome = changes === connection.services.registry.changes ? kept : stillStanding(connection, kept)
    const codes = outcome.map((one) => (one instanceof Refusal ? failureOf(connection, one) : one.subscription.qos))
    // A share group may have messages waiting: the SUBACK goes first.
    if (packet.packetId > 0) sendSuback(connection, packet.packetId, codes, outcome)
    const granted = [...lastOfEach(outcome.filter(isGranted))]
    for (const one of granted) takeEffect(connection, one)
    session.promised = 0
    const asking = granted.filter(wantsRetained).map(({ subscription }) => subscription)
    // Not waited for: the acks that make room for many retained messages come behind this packet.
    snapshotsOf(connection).ask(asking, cut)
    announce(connection, packet, codes)
  })
}

function snapshotsOf({ login, services }: Connection): Snapshots {
  const { session, actor } = login!
  const { access, log } = services
  const failed = (error: unknown): void =>
    log.error({ err: error, client: session.id }, 'retained messages could not be sent')
  session.snapshots ??= new Snapshots({ receiver: session, actor, access, services, failed })
  return session.snapshots
}

/** Filters given and given up are counted: above its rate the client is read more slowly, and nothing is refused. */
function charge(connection: Connection, filters: number): void {
  const ms = connection.services.rates.subscribed(connection.rateKey, filters)
  if (ms > 0) connection.rest(ms)
}

async function decideAll(
  connection: Connection,
  { subscriptions, properties }: Subscribe,
): Promise<(Granted | Refusal)[]> {
  const identifier = properties.subscriptionIds?.[0]
  const room = new FilterRoom(connection)
  const known = new Map<string, Granted>()
  const decided: (Granted | Refusal)[] = []
  for (const requested of subscriptions) {
    const one = await decide(connection, requested, identifier, room, known)
    decided.push(one)
    if (!(one instanceof Refusal)) known.set(one.subscription.filter, one)
    if (decided.length % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return decided
}

/** A filter given twice takes effect as it was given last. */
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

/** `known`: those granted before in the same packet. */
async function decide(
  connection: Connection,
  requested: RequestedSubscription,
  identifier: number | undefined,
  room: FilterRoom,
  known: ReadonlyMap<string, Granted>,
): Promise<Granted | Refusal> {
  const { actor } = connection.login!
  const { access, counters, log, refusals, shares } = connection.services
  try {
    room.require(requested.filter)
    const passed = await connection.broker.subscribeGate(connection, requested)
    if (passed instanceof Refusal) throw passed
    requireFilter(passed.filter)
    if (passed.filter !== requested.filter) room.require(passed.filter)
    const parsed = parseFilter(passed.filter)
    if (parsed.kind === 'shared' && requested.noLocal)
      throw new ProtocolError(Reason.protocolError, 'no local on a shared subscription [MQTT5-3.8.3-4]')
    const { unconditional } = await access.subscribe(actor, passed.filter, parsed)
    const subscription: Subscription = { ...passed, identifier, parsed, unconditional }
    const again = known.get(passed.filter)
    if (again) return { ...again, subscription }
    if (!room.has(passed.filter)) await promiseBreadth(connection, parsed)
    if (parsed.kind === 'shared') await shares.settled(actor.principal.user, parsed)
    const whose = interestsOf(connection, subscription)
    const shown = whose.shown(asFollowed(subscription))
    const heads = await whose.heads(shown)
    return { subscription, isNew: room.take(passed.filter), shown, heads }
  } catch (error) {
    const refusal = asRefusal(error)
    if (error instanceof ProtocolError) throw error
    if (refusal.code === 'internal')
      log.error({ err: error, client: connection.id }, 'a subscription could not be handled')
    counters.add(`refused.${refusal.code}`)
    const facts = { client: connection.id, filter: requested.filter, code: refusal.code, why: refusal.message }
    refusals.note('subscription refused', connection.id, facts)
    return refusal
  }
}

/** Whose a subscription becomes: the session's, or those of a share group. */
function interestsOf({ login, services }: Connection, { parsed }: Subscription): FeedSet {
  const { feedSet, actor } = login!
  return parsed.kind === 'shared' ? services.shares.feedSet(actor.principal.user, parsed) : feedSet
}

/** A share group follows what comes after the name of the group. */
function asFollowed(subscription: Subscription): Subscription {
  const { parsed } = subscription
  return parsed.kind === 'shared' ? { ...subscription, filter: parsed.filter, parsed: parsed.of } : subscription
}

/** What makes the granted subscriptions durable, and the cursors they start. */
function opsOf(connection: Connection, decided: readonly (Granted | Refusal)[]): Op[] {
  const { session } = connection.login!
  const { sessions } = connection.services.store
  if (!session.persistent) return []
  const ops: Op[] = []
  for (const { subscription, shown, heads } of lastOfEach(decided.filter(isGranted))) {
    ops.push(
      ...sessions.subscribeOps(session.id, [stored(subscription)]),
      ...interestsOf(connection, subscription).cursorOps(shown, subscription, heads),
    )
  }
  return ops
}

/** What cannot be stored does not last, and is refused. */
function refused(decided: readonly (Granted | Refusal)[], cause: StoreError): readonly (Granted | Refusal)[] {
  const refusal = storeRefusal(cause)
  return decided.map((one) => (one instanceof Refusal ? one : refusal))
}

/** Roles or rules changed meanwhile, and nobody finds a subscription that has not taken effect. */
function stillStanding(connection: Connection, decided: readonly (Granted | Refusal)[]): (Granted | Refusal)[] {
  const { services, login } = connection
  const { session, actor } = login!
  const outcome = decided.map((one) =>
    one instanceof Refusal || stands(services, actor, one.subscription)
      ? one
      : new Refusal('forbidden', `${one.subscription.filter}: not any more`),
  )
  const filterOf = (one: Granted | Refusal): string[] => (isGranted(one) ? [one.subscription.filter] : [])
  const standing = new Set([...outcome.flatMap(filterOf), ...session.subscriptions.keys()])
  const filters = decided.flatMap(filterOf).filter((filter) => !standing.has(filter))
  if (session.persistent && filters.length > 0) {
    const failed = (err: unknown): void =>
      services.log.error({ err, client: session.id }, 'a subscription came to stay')
    commit(services.store, { ops: services.store.sessions.unsubscribeOps(session.id, filters) }).catch(failed)
  }
  return outcome
}

function takeEffect({ login, services }: Connection, { subscription, heads }: Granted): void {
  const { session, feedSet } = login!
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

/** A refusal says why, to who wants to know. */
function sendSuback(
  connection: Connection,
  packetId: number,
  codes: readonly number[],
  outcome: readonly (Granted | Refusal)[],
): void {
  const why = new Set(outcome.flatMap((one) => (one instanceof Refusal ? [one.message] : [])))
  connection.explain(
    (more) => encodeSuback(connection.version!, packetId, codes, more),
    why.size > 0 ? connection.explanation([...why].join('; ')) : undefined,
  )
}

function announce(connection: Connection, packet: Subscribe, codes: readonly number[]): void {
  const listed = new Map(
    packet.subscriptions.map(({ filter }, index) => [filter, { topic: filter, qos: codes[index] }]),
  )
  connection.broker.subscribed(connection, [...listed.values()])
}

/** The reason codes a SUBACK may carry are few [MQTT5-3.9.3]. */
function failureOf({ version }: Connection, { code }: Refusal): number {
  if (version !== 5) return FAILURE
  if (code === 'bad_request') return Reason.topicFilterInvalid
  if (code === 'too_large') return Reason.quotaExceeded
  return code === 'internal' || code === 'unavailable' ? Reason.unspecified : Reason.notAuthorized
}

/** Ops that end the cursors no other filter keeps. */
function remove({ login, services }: Connection, filter: string): Op[] {
  const { session, feedSet } = login!
  const parsed = session.subscriptions.get(filter)?.parsed
  if (parsed?.kind === 'shared') services.shares.leave(session, parsed)
  return feedSet.remove(filter)
}

/** UNSUBSCRIBE [MQTT-3.10]: no new message of the filter is sent after the UNSUBACK. */
export async function unsubscribe(connection: Connection, packet: Unsubscribe): Promise<void> {
  const { session } = connection.login!
  const { store } = connection.services
  for (const filter of packet.filters) requireFilter(filter)
  if (packet.packetId > 0) charge(connection, packet.filters.length)
  // A filter named twice is gone the second time.
  const known = new Set(packet.filters.filter((filter) => session.subscriptions.has(filter)))
  const codes = packet.filters.map((filter) => (known.delete(filter) ? Reason.success : Reason.noSubscriptionExisted))
  const ops = session.persistent ? store.sessions.unsubscribeOps(session.id, packet.filters) : []
  for (const filter of packet.filters) ops.push(...remove(connection, filter))
  if (session.persistent) await commit(store, { ops })
  if (packet.packetId > 0) connection.send(encodeUnsuback(connection.version!, packet.packetId, codes))
  connection.broker.unsubscribed(connection, packet.filters)
}
