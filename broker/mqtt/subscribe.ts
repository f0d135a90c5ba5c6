import { asRefusal, Refusal } from '../../schemas/errors.js'
import { filterMatches, isPlainFilter, parseFilter, topicFilterFault } from '../../schemas/topics.js'
import type { Shown } from '../chat/views.js'
import { isExpired } from '../following/expiry.js'
import type { Interests } from '../following/interests.js'
import type { Subscription } from '../following/subscription.js'
import { direct } from '../hub.js'
import { commit } from '../store/commit.js'
import type { Op, PlainMessage, QoS, StoredSubscription, StoreError } from '../store/store.js'
import { promiseBreadth } from './breadth.js'
import { encodeSuback, encodeUnsuback } from './codec/encode.js'
import type { RequestedSubscription, Subscribe, Unsubscribe } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reader.js'
import type { Connection } from './connection.js'

/** SUBACK return code of a refused filter on 3.1 and 3.1.1 [MQTT-3.9.3-2]. */
const FAILURE = 0x80

interface Granted {
  subscription: Subscription
  shown: Shown
  heads: Map<string, number>
}

/**
 * SUBSCRIBE [MQTT-3.8]: each filter is decided in turn and has its own return code; a refused one leaves no trace. Those granted are
 * durable before the SUBACK. `packetId` 0: on behalf of the client, without a SUBACK.
 */
export async function subscribe(connection: Connection, packet: Subscribe): Promise<void> {
  const { limits } = connection.services
  for (const { filter } of packet.subscriptions) requireFilter(filter, limits.topicLevels)
  const before = new Set(connection.login!.session.subscriptions.keys())
  const decided = await decideAll(connection, packet, new Set(before))
  // A successor may have loaded the session by now: what it does not know must not be stored.
  if (connection.closed) return
  const outcome = await store(connection, decided)
  if (connection.closed) return
  const granted = outcome.filter(isGranted)
  const codes = outcome.map((one) => (one instanceof Refusal ? failureOf(connection, one) : one.subscription.qos))
  // A share group may have messages waiting: the SUBACK goes first.
  if (packet.packetId > 0) sendSuback(connection, packet.packetId, codes, outcome)
  for (const one of lastOfEach(granted)) takeEffect(connection, one)
  connection.login!.session.promised = 0
  announce(connection, packet, codes)
  // Not waited for: the acks that make room for many retained messages come behind this packet.
  const asking = granted.filter(({ subscription }) => wantsRetained(subscription, before))
  sendHeld(connection, asking).catch((error: unknown) =>
    connection.services.log.error({ err: error, client: connection.id }, 'retained messages could not be sent'),
  )
}

/** `filters`: those of the session, and those granted before in the same packet. */
async function decideAll(
  connection: Connection,
  { subscriptions, properties }: Subscribe,
  filters: Set<string>,
): Promise<(Granted | Refusal)[]> {
  const identifier = properties.subscriptionIds?.[0]
  const known = new Map<string, Granted>()
  const decided: (Granted | Refusal)[] = []
  for (const [index, requested] of subscriptions.entries()) {
    const one =
      index < connection.services.limits.filtersPerSubscribe
        ? await decide(connection, requested, identifier, filters, known)
        : tooMany('limits.filtersPerSubscribe')
    decided.push(one)
    if (one instanceof Refusal) continue
    filters.add(one.subscription.filter)
    known.set(one.subscription.filter, one)
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

function requireFilter(filter: string, maxLevels: number): void {
  const fault = topicFilterFault(filter, maxLevels)
  if (fault) throw new ProtocolError(Reason.topicFilterInvalid, `${JSON.stringify(filter)}: ${fault} [MQTT-4.7.1]`)
}

function tooMany(limit: string): Refusal {
  return new Refusal('too_large', `too many subscriptions (${limit})`)
}

/** `filters`: those of the session, and those granted before in the same packet, which are `known`. */
async function decide(
  connection: Connection,
  requested: RequestedSubscription,
  identifier: number | undefined,
  filters: ReadonlySet<string>,
  known: ReadonlyMap<string, Granted>,
): Promise<Granted | Refusal> {
  const { actor } = connection.login!
  const { access, limits, counters, log, refusals, shares } = connection.services
  try {
    if (!filters.has(requested.filter) && filters.size >= limits.subscriptions) throw tooMany('limits.subscriptions')
    const passed = await connection.broker.subscribeGate(connection, requested)
    if (passed instanceof Refusal) throw passed
    requireFilter(passed.filter, limits.topicLevels)
    const parsed = parseFilter(passed.filter)
    if (parsed.kind === 'shared' && requested.noLocal)
      throw new ProtocolError(Reason.protocolError, 'no local on a shared subscription [MQTT5-3.8.3-4]')
    const { unconditional } = await access.subscribe(actor, passed.filter, parsed)
    const subscription: Subscription = { ...passed, identifier, parsed, unconditional }
    const again = known.get(passed.filter)
    if (again) return { ...again, subscription }
    if (!filters.has(passed.filter)) await promiseBreadth(connection, parsed)
    if (parsed.kind === 'shared') await shares.settled(actor.principal.user, parsed)
    const whose = interestsOf(connection, subscription)
    const shown = whose.shown(asFollowed(subscription))
    return { subscription, shown, heads: await whose.heads(shown) }
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
function interestsOf({ login, services }: Connection, { parsed }: Subscription): Interests {
  const { interests, actor } = login!
  return parsed.kind === 'shared' ? services.shares.interests(actor.principal.user, parsed) : interests
}

/** A share group follows what comes after the name of the group. */
function asFollowed(subscription: Subscription): Subscription {
  const { parsed } = subscription
  return parsed.kind === 'shared' ? { ...subscription, filter: parsed.filter, parsed: parsed.of } : subscription
}

/** Makes the granted subscriptions and the cursors they start durable; where that fails they are refused. */
async function store(
  connection: Connection,
  decided: readonly (Granted | Refusal)[],
): Promise<readonly (Granted | Refusal)[]> {
  const { session } = connection.login!
  const { sessions } = connection.services.store
  if (!session.persistent) return decided
  const ops: Op[] = []
  for (const { subscription, shown, heads } of lastOfEach(decided.filter(isGranted))) {
    ops.push(
      ...sessions.subscribeOps(session.id, [stored(subscription)]),
      ...interestsOf(connection, subscription).cursorOps(shown, subscription, heads),
    )
  }
  if (ops.length === 0) return decided
  try {
    await commit(connection.services.store, { ops })
    return decided
  } catch (error) {
    const refusal = asRefusal(error)
    return decided.map((one) => (one instanceof Refusal ? one : refusal))
  }
}

function takeEffect({ login, services }: Connection, { subscription, heads }: Granted): void {
  const { session, interests } = login!
  if (subscription.parsed.kind === 'shared') services.shares.join(session, subscription, heads)
  else interests.add(subscription, heads)
}

/** Retain handling [MQTT5-3.3.1-9…11]: always, for a new subscription only, or never; never for a shared one [MQTT5-4.8.2]. */
function wantsRetained({ filter, parsed, retainHandling }: Subscription, before: ReadonlySet<string>): boolean {
  if (parsed.kind === 'shared') return false
  return retainHandling === 0 || (retainHandling === 1 && !before.has(filter))
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

/** Retained messages, room info, presence: what a new subscription gets at once [MQTT-3.3.1-6]. */
async function sendHeld(connection: Connection, granted: readonly Granted[]): Promise<void> {
  const { session, actor } = connection.login!
  const { access, store } = connection.services
  const stored: Subscription[] = []
  for (const { subscription } of granted) {
    for (const message of access.held(actor, subscription.parsed)) session.acceptDirect(message, subscription.qos)
    const { parsed } = subscription
    if (isPlainFilter(parsed) || parsed.kind === 'broadcast') stored.push(subscription)
  }
  if (stored.length === 0) return
  const replaced = session.watchReplaced()
  try {
    for await (const message of store.queue.retained(stored.map(({ filter }) => filter))) {
      await session.roomForDirect()
      if (connection.closed) return
      const matching = stored.filter(
        (one) => session.subscriptions.get(one.filter) === one && filterMatches(one.filter, message.topic),
      )
      // Unsubscribed meanwhile; or a newer one was sent, live.
      if (matching.length === 0 || replaced.has(message.topic) || isExpired(message.extra)) continue
      if (message.clientId === session.id && matching.every(({ noLocal }) => noLocal)) continue
      if (matching.every(({ unconditional }) => !unconditional) && !access.mayReceive(actor, message.topic)) continue
      if (!access.isFor(actor, message.topic, message.payload)) continue
      const qos = Math.min(message.qos, Math.max(...matching.map((subscription) => subscription.qos))) as QoS
      await sendRetained(connection, message, qos)
    }
  } finally {
    session.unwatchReplaced(replaced)
  }
}

/** At QoS 1 and 2 to a session that outlives its connection: through its queue, so that it survives like any other message. */
async function sendRetained(connection: Connection, message: PlainMessage, qos: QoS): Promise<void> {
  const { session } = connection.login!
  const { store } = connection.services
  if (qos === 0 || !session.persistent) {
    session.acceptDirect(
      direct(message.topic, message.payload, qos, { retain: true, extra: message.extra ?? null }),
      qos,
    )
    return
  }
  const { ops, number } = store.queue.enqueueOps({ ...message, retain: true }, [{ sessionId: session.id, qos }])
  await new Promise<void>((resolve, reject) => {
    const settled = (error: StoreError | null): void => {
      if (error) return reject(error)
      // In its turn, not a promise later: a live message of the same commit has the next number, and would go first.
      session.queue.announce(number)
      resolve()
    }
    store.commit({ drafts: [], ops, settled })
  })
}

/** Ops that end the cursors no other filter keeps. */
function remove({ login, services }: Connection, filter: string): Op[] {
  const { session, interests } = login!
  const parsed = session.subscriptions.get(filter)?.parsed
  if (parsed?.kind === 'shared') services.shares.leave(session, parsed)
  return interests.remove(filter)
}

/** UNSUBSCRIBE [MQTT-3.10]: no new message of the filter is sent after the UNSUBACK. */
export async function unsubscribe(connection: Connection, packet: Unsubscribe): Promise<void> {
  const { session } = connection.login!
  const { store, limits } = connection.services
  for (const filter of packet.filters) requireFilter(filter, limits.topicLevels)
  const known = new Set(session.subscriptions.keys())
  // A filter named twice is gone the second time.
  const codes = packet.filters.map((filter) => (known.delete(filter) ? Reason.success : Reason.noSubscriptionExisted))
  const ops = session.persistent ? store.sessions.unsubscribeOps(session.id, packet.filters) : []
  for (const filter of packet.filters) ops.push(...remove(connection, filter))
  if (session.persistent) await commit(store, { ops })
  if (packet.packetId > 0) connection.send(encodeUnsuback(connection.version!, packet.packetId, codes))
  connection.broker.unsubscribed(connection, packet.filters)
}
