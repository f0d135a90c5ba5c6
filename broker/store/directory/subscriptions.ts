/** The subscriptions of persistent sessions in memory, by session and by filter. */
import { isPlainFilter, parseFilter } from '../../../schemas/topics.js'
import { filterCost } from '../filter-cost.js'
import type { QueueTarget } from '../op.js'
import type { QoS } from '../qos.js'
import type { StoredSubscription } from '../subscription.js'
import type { SubscriptionStore } from '../subscription-store.js'
import { ownerOf, partsOf, type TableChange } from '../tables.js'
import { TopicTrie } from '../topic-trie.js'
import { type MemoryTable, parse, type Value } from './memory-table.js'
import { applyTo, type TableSlot, TableSlots } from './table-slots.js'

/** A subscription of QoS ≥ 1 whose messages are queued for its session. */
export interface QueueSubscription extends StoredSubscription {
  readonly clientId: string
}

/** What is kept in memory of a subscription: all of it if queues or share groups need it, otherwise only the QoS. */
type Held = QueueSubscription | QoS

/** A session with a matching filter. */
interface Match extends QueueTarget {
  /** Highest among its matching filters. */
  qos: QoS
  /** All of them have No Local: the session does not get what it published itself. */
  noLocal: boolean
}

const NO_MATCH: readonly Match[] = []

export class Subscriptions implements SubscriptionStore {
  readonly #index: TableSlot<SubscriptionIndex>
  /** Queues that belong to no session (share groups); not stored. */
  readonly #subscribers = new TopicTrie<QueueSubscription>()

  constructor(slots: TableSlots) {
    this.#index = slots.of('subscription', () => new SubscriptionIndex())
  }

  /** Matches by a change that is being committed, for the messages that come behind it in the same commit. If that fails, all is loaded anew. */
  foresee(change: TableChange): void {
    applyTo(this.#index.now, change)
  }

  /** The sessions to queue a message for if these changes were committed first. */
  targetsAfter(changes: readonly TableChange[], topic: string, publisher: string | null): readonly QueueTarget[] {
    const slots = new TableSlots()
    const changed = new Subscriptions(slots)
    const sessions = new Set(changes.map((change) => ('key' in change ? ownerOf(change.key) : change.owner)))
    for (const id of sessions)
      for (const one of this.#index.now.queueSubscriptionsOf(id)) changed.#index.now.hold(id, one)
    for (const change of changes) changed.foresee(change)
    const others = this.targetsOf(topic, publisher).filter(({ sessionId }) => !sessions.has(sessionId))
    return [...others, ...changed.targetsOf(topic, publisher)]
  }

  topicsOf(id: string): string[] {
    return this.#index.now.topicsOf(id)
  }

  bytesOfUser(user: string): number {
    return this.#index.now.bytesByUser.get(user) ?? 0
  }

  /** The sessions to queue a message for. */
  targetsOf(topic: string, publisher: string | null): readonly QueueTarget[] {
    const matches = this.match(topic)
    const isOwn = ({ sessionId, noLocal }: Match): boolean => noLocal && sessionId === publisher
    return matches.some(isOwn) ? matches.filter((match) => !isOwn(match)) : matches
  }

  match(topic: string): readonly Match[] {
    const matches = this.#index.now.match(topic)
    const subscribers = this.#subscribers.match(topic)
    return subscribers.length === 0 ? matches : [...matches, ...bySession(subscribers)]
  }

  /** Also queues messages matching `filter` for `id`, until the function returned is called. */
  follow(id: string, filter: string, qos: QoS): () => void {
    const subscriber = { clientId: id, topic: filter, qos }
    this.#subscribers.add(filter, subscriber)
    return () => void this.#subscribers.remove(filter, subscriber)
  }

  /** Shared subscriptions with the sessions that have them. */
  *shared(): Generator<QueueSubscription> {
    yield* this.#index.now.shared()
  }

  /** The subscriptions themselves. */
  matching(topic: string): readonly QueueSubscription[] {
    return this.#index.now.trie.match(topic)
  }

  /** Clients that have exactly this filter. */
  clientsOf(topic: string): Iterable<string> {
    return this.#index.now.clientsOf(topic)
  }

  /** Subscriptions of QoS ≥ 1, and clients with any subscription. */
  count(): { subsCount: number; clientsCount: number } {
    return this.#index.now.count()
  }
}

class SubscriptionIndex implements MemoryTable {
  readonly trie = new TopicTrie<QueueSubscription>()
  readonly #byClient = new Map<string, Map<string, Held>>()
  /** Caches matches by the trie's result, which is the same object as long as nothing changes. */
  readonly #matches = new WeakMap<readonly QueueSubscription[], readonly Match[]>()
  readonly #shared = new Set<QueueSubscription>()
  readonly bytesByUser = new Map<string, number>()
  #withQoS = 0

  shared(): Iterable<QueueSubscription> {
    return this.#shared
  }

  *queueSubscriptionsOf(id: string): Generator<QueueSubscription> {
    for (const held of this.#byClient.get(id)?.values() ?? []) if (typeof held !== 'number') yield held
  }

  apply(key: string, value: Value | null): void {
    const [id, topic] = partsOf(key) as [string, string]
    if (value === null) this.release(id, topic)
    else this.hold(id, { topic, ...parse<Omit<StoredSubscription, 'topic'>>(value) })
  }

  clear(id: string): void {
    for (const topic of this.topicsOf(id)) this.release(id, topic)
  }

  hold(id: string, subscription: StoredSubscription): void {
    const { topic, qos } = subscription
    this.release(id, topic)
    let topics = this.#byClient.get(id)
    if (!topics) this.#byClient.set(id, (topics = new Map()))
    this.#count(id, filterCost(topic))
    if (qos > 0) this.#withQoS++
    const parsed = parseFilter(topic)
    const queued = { clientId: id, ...subscription }
    if (parsed.kind === 'shared') this.#shared.add(queued)
    if (parsed.kind !== 'shared' && (qos === 0 || !isPlainFilter(parsed))) {
      topics.set(topic, qos)
      return
    }
    topics.set(topic, queued)
    if (parsed.kind === 'shared') return
    this.trie.add(topic, queued)
  }

  release(id: string, topic: string): void {
    const topics = this.#byClient.get(id)
    const held = topics?.get(topic)
    if (!topics || held === undefined) return
    if ((typeof held === 'object' ? held.qos : held) !== 0) this.#withQoS--
    if (typeof held === 'object' && !this.#shared.delete(held)) this.trie.remove(topic, held)
    topics.delete(topic)
    this.#count(id, -filterCost(topic))
    if (topics.size === 0) this.#byClient.delete(id)
  }

  #count(id: string, bytes: number): void {
    const user = id.slice(0, id.indexOf('/'))
    const sum = (this.bytesByUser.get(user) ?? 0) + bytes
    if (sum === 0) this.bytesByUser.delete(user)
    else this.bytesByUser.set(user, sum)
  }

  topicsOf(id: string): string[] {
    return [...(this.#byClient.get(id)?.keys() ?? [])]
  }

  match(topic: string): readonly Match[] {
    const found = this.trie.match(topic)
    if (found.length === 0) return NO_MATCH
    let matches = this.#matches.get(found)
    if (!matches) this.#matches.set(found, (matches = bySession(found)))
    return matches
  }

  *clientsOf(topic: string): Generator<string> {
    for (const [id, topics] of this.#byClient) if (topics.has(topic)) yield id
  }

  count(): { subsCount: number; clientsCount: number } {
    return { subsCount: this.#withQoS, clientsCount: this.#byClient.size }
  }
}

function bySession(subscriptions: readonly QueueSubscription[]): Match[] {
  const matches = new Map<string, Match>()
  for (const { clientId, qos, nl = false } of subscriptions) {
    const match = matches.get(clientId)
    if (!match) matches.set(clientId, { sessionId: clientId, qos, noLocal: nl })
    else {
      if (qos > match.qos) match.qos = qos
      match.noLocal &&= nl
    }
  }
  return [...matches.values()]
}
