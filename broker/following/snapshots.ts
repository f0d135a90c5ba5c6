/**
 * Retained messages, room info and presence for a new subscription [MQTT-3.3.1-6]. A snapshot must be consistent with
 * the live stream: both meet at a cut, one position in the order of plain messages. What was committed before the cut comes
 * from the snapshot only; what is committed after it comes live, and replaces what the snapshot has not sent yet of the
 * same topic. One run at a time per subscriber serves all filters requested until then.
 */
import { isPlainFilter, parseFilter } from '../../schemas/topics.js'
import type { Access, CurrentState } from '../chat/access.js'
import type { Actor } from '../chat/model/actor.js'
import { parseObject } from '../chat/model/message.js'
import type { Views } from '../chat/model/views.js'
import type { StoreError } from '../store/changes.js'
import { messageSize } from '../store/message-size.js'
import type { Op } from '../store/op.js'
import type { QoS } from '../store/qos.js'
import type { PlainMessage, RetainedCut } from '../store/queues.js'
import { queuesSettled } from '../store/settled.js'
import type { Store } from '../store/store.js'
import { TopicTrie } from '../store/topic-trie.js'
import { LazyMap } from '../util/lazy.js'
import { isExpired } from './expiry.js'
import type { SubscriberServices } from './services.js'
import type { Subscriber } from './subscriber.js'
import type { Subscription } from './subscription.js'

/** Steps per turn of the event loop. */
const SLICE = 256

/** The subscriber, and its capacity. */
export interface Receiver extends Subscriber {
  /** Whether one more message of `bytes` would be buffered without loss; `kept`: in its queue in the store. */
  hasCapacity(bytes: number, qos: QoS, kept: boolean): boolean
  /** Resolves when there may be capacity again, or it is closed. */
  whenCapacity(): Promise<void>
  /** Whether a message of that QoS goes through its queue in the store, to survive a disconnect. */
  queuesInStore(qos: QoS): boolean
  takeRetained(message: PlainMessage, qos: QoS, cuts: readonly RetainedCut[]): void
}

export interface SnapshotDeps {
  readonly receiver: Receiver
  readonly actor: Actor
  readonly access: Access
  readonly services: Pick<SubscriberServices, 'store' | 'views'>
  readonly failed: (error: unknown) => void
}

interface SnapshotRequest {
  readonly cut: RetainedCut
  /** Live messages noted earlier than this preceded the subscription. */
  readonly since: number
  /** Per topic of a log: entries after this number are sent by the feed. */
  readonly places: ReadonlyMap<string, number>
}

/** By filter. */
type SnapshotRequests = LazyMap<string, SnapshotRequest>

/**
 * Calls `effect` at one position in the order of queues and retained messages: everything committed to them before has
 * been delivered, nothing committed later has. `ops` are durable by then, or `error` says why not. `lasting`: they justify
 * an fsync of their own.
 */
export function atCut<T>(
  writer: Pick<Store, 'commit'>,
  queue: Store['queue'],
  ops: readonly Op[],
  lasting: boolean,
  effect: (cut: RetainedCut, error: StoreError | null) => T,
): Promise<T> {
  const { op, cut } = queue.cut()
  return new Promise((resolve, reject) => {
    const settled = (error: StoreError | null): void => {
      try {
        resolve(effect(cut, error))
      } catch (fault) {
        cut.end()
        reject(fault)
      }
    }
    writer.commit({ drafts: [], ops: [...ops, op], lazy: !lasting, settled })
  })
}

export class Snapshots {
  readonly #receiver: Receiver
  readonly #actor: Actor
  readonly #access: Access
  readonly #store: Store
  readonly #views: Views
  readonly #failed: (error: unknown) => void
  /** Requested filters; a filter requested again before it is served is served once. */
  #requested: SnapshotRequests = new LazyMap()
  #running = false
  /** Topics of rooms and users with a live message, and when (by `#clock`). */
  #liveTopics = new LazyMap<string, number>()
  #clock = 0

  constructor({ receiver, actor, access, services, failed }: SnapshotDeps) {
    this.#receiver = receiver
    this.#actor = actor
    this.#access = access
    this.#store = services.store
    this.#views = services.views
    this.#failed = failed
  }

  /**
   * Requests snapshots, in the same turn in which the subscriptions took effect, at `cut`. Releases the cut when done.
   */
  request(subscriptions: readonly Subscription[], cut: RetainedCut): void {
    if (subscriptions.length === 0 || this.#receiver.closed) return cut.end()
    const shared = sharedCut(cut, subscriptions.length)
    for (const subscription of subscriptions) {
      this.#requested.get(subscription.filter)?.cut.end()
      this.#requested.set(subscription.filter, {
        cut: shared,
        since: this.#clock,
        places: this.#placesOf(subscription),
      })
    }
    if (!this.#running) void this.#run()
  }

  /** An ephemeral message was accepted live and not dropped. */
  noteLive(topic: string): void {
    if (this.#running && (topic.startsWith('rooms/') || topic.startsWith('users/')))
      this.#liveTopics.set(topic, ++this.#clock)
  }

  async #run(): Promise<void> {
    this.#running = true
    try {
      while (this.#requested.size > 0) {
        const asked = this.#requested
        this.#requested = new LazyMap()
        try {
          await this.#sendHeld(asked)
          await this.#sendRetained(asked)
        } finally {
          for (const { cut } of asked.values()) cut.end()
        }
      }
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#running = false
      this.#liveTopics = new LazyMap()
      for (const { cut } of this.#requested.values()) cut.end()
      this.#requested = new LazyMap()
    }
  }

  /** The subscription as last granted; null: unsubscribed meanwhile. */
  #current(filter: string): Subscription | null {
    return (!this.#receiver.closed && this.#receiver.subscriptions.get(filter)) || null
  }

  // --- held by the broker: room info, presence -----------------------------------------------------------------------

  async #sendHeld(asked: SnapshotRequests): Promise<void> {
    let steps = 0
    for (const [filter, { since }] of asked) {
      const subscription = this.#current(filter)
      if (!subscription) continue
      for (const held of this.#access.currentStates(this.#actor, subscription.parsed)) {
        if (++steps % SLICE === 0) await nextTurn()
        const { qos } = this.#current(filter) ?? {}
        if (qos === undefined) break
        await this.#send(held, qos, since)
      }
    }
  }

  async #send(held: CurrentState, qos: QoS, since: number): Promise<void> {
    for (;;) {
      if (this.#receiver.closed || (this.#liveTopics.get(held.topic) ?? 0) > since) return
      // Read when it is sent, not when it was requested.
      const message = held.current()
      if (!message) return
      if (this.#receiver.hasCapacity(messageSize(message), qos, false))
        return this.#receiver.acceptUnlogged(message, qos)
      await this.#receiver.whenCapacity()
    }
  }

  // --- stored: retained messages -------------------------------------------------------------------------------------

  async #sendRetained(asked: SnapshotRequests): Promise<void> {
    const trie = new TopicTrie<string>({ cacheWeight: 0 })
    const filters: string[] = []
    for (const filter of asked.keys()) {
      const parsed = this.#current(filter)?.parsed
      if (!parsed || (!isPlainFilter(parsed) && parsed.kind !== 'broadcast')) continue
      filters.push(filter)
      trie.add(filter, filter)
    }
    if (filters.length === 0) return
    let isKept = false
    for await (const message of this.#store.queue.retained(filters)) {
      if (this.#receiver.closed) return
      const matching = trie.match(message.topic)
      const cuts = matching.map((filter) => asked.get(filter)!.cut)
      if (message.topic.startsWith('broadcast/')) await this.#sendAnnouncement(message, asked, matching)
      else isKept = (await this.#sendStored(message, matching, cuts)) || isKept
    }
    // Kept messages check the cut when their commit is applied.
    if (isKept) await queuesSettled(this.#store)
  }

  /**
   * Resolves with whether it was sent through the receiver's queue. If a cut does not know all replacements, the message
   * is read anew after each wait; it may then be sent twice, but never an older one after a newer.
   */
  async #sendStored(found: PlainMessage, filters: readonly string[], cuts: readonly RetainedCut[]): Promise<boolean> {
    for (let message = found; ; ) {
      if (wasReplaced(found.topic, cuts) || isExpired(message.extra)) return false
      const qos = this.#wanted(message, filters)
      if (qos === null) return false
      const isKept = this.#receiver.queuesInStore(qos)
      if (this.#receiver.hasCapacity(messageSize(message), qos, isKept)) {
        this.#receiver.takeRetained(message, qos, cuts)
        return isKept
      }
      await this.#receiver.whenCapacity()
      if (cuts.every(({ complete }) => complete)) continue
      const now = await this.#retainedAt(message.topic)
      if (!now) return false
      message = now
    }
  }

  async #retainedAt(topic: string): Promise<PlainMessage | undefined> {
    for await (const message of this.#store.queue.retained([topic])) return message
    return undefined
  }

  /**
   * An announcement is in a log too, and retained one commit later: its number decides whether it is sent here or by
   * the feed.
   */
  async #sendAnnouncement(message: PlainMessage, asked: SnapshotRequests, filters: readonly string[]): Promise<void> {
    const { topic } = message
    const place = Math.max(...filters.map((filter) => asked.get(filter)!.places.get(topic) ?? 0))
    let last: PlainMessage | undefined = message
    if (this.#headOf(topic) > place) {
      await queuesSettled(this.#store)
      last = await this.#retainedAt(topic)
    }
    if (last && numberOf(last) <= place) await this.#sendStored(last, filters, [])
  }

  #headOf(topic: string): number {
    const [view] = this.#views.viewsOf(parseFilter(topic), this.#receiver.user).views
    return view ? this.#receiver.headOf(view) : 0
  }

  /** The QoS at which it is for this client; null: it is not. */
  #wanted(message: PlainMessage, filters: readonly string[]): QoS | null {
    const { topic, payload, clientId } = message
    const matching = filters.flatMap((filter) => this.#current(filter) ?? [])
    if (matching.length === 0) return null
    if (clientId === this.#receiver.id && matching.every(({ noLocal }) => noLocal)) return null
    const granted = matching.some(({ unconditional }) => unconditional)
    if (!granted && !this.#access.mayReceive(this.#actor, topic)) return null
    if (!this.#access.isFor(this.#actor, topic, payload)) return null
    return Math.min(message.qos, Math.max(...matching.map(({ qos }) => qos))) as QoS
  }

  /**
   * For each topic the number up to which the subscription's snapshot is responsible; later entries are sent by the
   * feed.
   */
  #placesOf({ parsed }: Subscription): Map<string, number> {
    const places = new Map<string, number>()
    if (parsed.kind !== 'broadcast') return places
    for (const { topic, cursor } of this.#views.viewsOf(parsed, this.#receiver.user).views) {
      const feed = this.#receiver.feeds.get(cursor)
      if (!feed) continue
      // Without a cursor it is sent what comes live.
      places.set(topic, Math.max(feed.next - 1, feed.qos > 0 ? 0 : this.#receiver.headOf(feed.view)))
    }
    return places
  }
}

/** Whether a newer message of the topic came after all of the cuts. */
function wasReplaced(topic: string, cuts: readonly RetainedCut[]): boolean {
  return cuts.length > 0 && cuts.every((cut) => cut.replaced(topic))
}

/** Shares one cut between several subscriptions; the last of them releases it. */
function sharedCut(cut: RetainedCut, among: number): RetainedCut {
  let left = among
  return {
    id: cut.id,
    replaced: (topic) => cut.replaced(topic),
    get complete() {
      return cut.complete
    },
    end: () => {
      if (--left === 0) cut.end()
    },
  }
}

/** The number of an announcement in its log. */
function numberOf({ payload }: PlainMessage): number {
  return Number(parseObject(payload.toString('utf8'))?.['seq'] ?? 0)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
