/**
 * What a new subscription gets at once: retained messages, room info, presence [MQTT-3.3.1-6]. It is a snapshot beside a stream, and the
 * two meet at one place in the order of commits: what is before it is in the snapshot alone, what is behind it comes live, and takes
 * the place of what the snapshot still has of that topic. One walk at a time for each follower, for all that was asked for till then.
 */
import { isPlainFilter, parseFilter } from '../../schemas/topics.js'
import type { Access, Held } from '../chat/access.js'
import type { Actor } from '../chat/model/actor.js'
import { parseObject } from '../chat/model/message.js'
import type { Views } from '../chat/model/views.js'
import type { StoreError } from '../store/changes.js'
import { commit } from '../store/commit.js'
import { messageSize } from '../store/message-size.js'
import type { Op } from '../store/op.js'
import type { QoS } from '../store/qos.js'
import type { PlainMessage, RetainedCut } from '../store/queues.js'
import type { Store } from '../store/store.js'
import { TopicTrie } from '../store/topic-trie.js'
import { LazyMap } from '../util/lazy.js'
import { isExpired } from './expiry.js'
import type { SubscriberServices } from './services.js'
import type { Subscriber } from './subscriber.js'
import type { Subscription } from './subscription.js'

/** Steps in one turn of the event loop. */
const SLICE = 256

/** Who gets it, and how much of it at a time. */
export interface Receiver extends Subscriber {
  /** Whether one more of so many bytes would wait without loss; `kept`: in its queue in the store. */
  hasRoom(bytes: number, qos: QoS, kept: boolean): boolean
  /** Resolves when it is worth asking again, or it is closed. */
  roomCame(): Promise<void>
  /** Whether a message of that QoS goes through its queue in the store, so that it outlives the connection. */
  keeps(qos: QoS): boolean
  takeRetained(message: PlainMessage, qos: QoS, replaced: () => boolean): void
}

export interface SnapshotParts {
  readonly receiver: Receiver
  readonly actor: Actor
  readonly access: Access
  readonly services: Pick<SubscriberServices, 'store' | 'views'>
  readonly failed: (error: unknown) => void
}

interface Asked {
  readonly cut: RetainedCut
  /** What was heard before was before the subscription. */
  readonly since: number
  /** Of logs: what is behind these numbers comes by its feed. By topic. */
  readonly places: ReadonlyMap<string, number>
}

/** By filter. */
type Asking = LazyMap<string, Asked>

/**
 * Calls `effect` at one place in the order of commits: all that was published before is told, nothing of what comes behind it. The ops
 * are durable by then, or `error` says why not. `lasting`: they are worth asking the disk for.
 */
export function atCut<T>(
  store: Store,
  ops: readonly Op[],
  lasting: boolean,
  effect: (cut: RetainedCut, error: StoreError | null) => T,
): Promise<T> {
  const { op, cut } = store.queue.cut()
  return new Promise((resolve, reject) => {
    const settled = (error: StoreError | null): void => {
      try {
        resolve(effect(cut, error))
      } catch (fault) {
        cut.end()
        reject(fault)
      }
    }
    store.commit({ drafts: [], ops: [...ops, op], lazy: !lasting, settled })
  })
}

export class Snapshots {
  readonly #receiver: Receiver
  readonly #actor: Actor
  readonly #access: Access
  readonly #store: Store
  readonly #views: Views
  readonly #failed: (error: unknown) => void
  /** By filter: asked again before its turn, it is asked once. */
  #asked: Asking = new LazyMap()
  #walking = false
  /** Topics of rooms and users that were heard of live, by when. */
  #heard = new LazyMap<string, number>()
  #clock = 0

  constructor({ receiver, actor, access, services, failed }: SnapshotParts) {
    this.#receiver = receiver
    this.#actor = actor
    this.#access = access
    this.#store = services.store
    this.#views = services.views
    this.#failed = failed
  }

  /** In the turn in which the subscriptions took effect, at `cut`. It ends the cut. */
  ask(subscriptions: readonly Subscription[], cut: RetainedCut): void {
    if (subscriptions.length === 0 || this.#receiver.closed) return cut.end()
    const shared = sharedCut(cut, subscriptions.length)
    for (const subscription of subscriptions) {
      this.#asked.get(subscription.filter)?.cut.end()
      this.#asked.set(subscription.filter, {
        cut: shared,
        since: this.#clock,
        places: this.#placesOf(subscription),
      })
    }
    if (!this.#walking) void this.#walk()
  }

  /** A message of the moment was taken, live, and not dropped. */
  heard(topic: string): void {
    if (this.#walking && (topic.startsWith('rooms/') || topic.startsWith('users/')))
      this.#heard.set(topic, ++this.#clock)
  }

  async #walk(): Promise<void> {
    this.#walking = true
    try {
      while (this.#asked.size > 0) {
        const asked = this.#asked
        this.#asked = new LazyMap()
        try {
          await this.#giveHeld(asked)
          await this.#giveRetained(asked)
        } finally {
          for (const { cut } of asked.values()) cut.end()
        }
      }
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#walking = false
      this.#heard = new LazyMap()
      for (const { cut } of this.#asked.values()) cut.end()
      this.#asked = new LazyMap()
    }
  }

  /** Null: unsubscribed meanwhile. As it was given last. */
  #current(filter: string): Subscription | null {
    return (!this.#receiver.closed && this.#receiver.subscriptions.get(filter)) || null
  }

  // --- what the broker knows: room info, presence -------------------------------------------------------------------------------------

  async #giveHeld(asked: Asking): Promise<void> {
    let steps = 0
    for (const [filter, { since }] of asked) {
      const subscription = this.#current(filter)
      if (!subscription) continue
      for (const held of this.#access.held(this.#actor, subscription.parsed)) {
        if (++steps % SLICE === 0) await turn()
        const { qos } = this.#current(filter) ?? {}
        if (qos === undefined) break
        await this.#give(held, qos, since)
      }
    }
  }

  async #give(held: Held, qos: QoS, since: number): Promise<void> {
    for (;;) {
      if (this.#receiver.closed || (this.#heard.get(held.topic) ?? 0) > since) return
      // As it is when it goes, not when it was asked for.
      const message = held.current()
      if (!message) return
      if (this.#receiver.hasRoom(messageSize(message), qos, false)) return this.#receiver.acceptDirect(message, qos)
      await this.#receiver.roomCame()
    }
  }

  // --- what is stored ------------------------------------------------------------------------------------------------------------------

  async #giveRetained(asked: Asking): Promise<void> {
    const trie = new TopicTrie<string>({ cacheWeight: 0 })
    const filters: string[] = []
    for (const filter of asked.keys()) {
      const parsed = this.#current(filter)?.parsed
      if (!parsed || (!isPlainFilter(parsed) && parsed.kind !== 'broadcast')) continue
      filters.push(filter)
      trie.add(filter, filter)
    }
    if (filters.length === 0) return
    for await (const message of this.#store.queue.retained(filters)) {
      if (this.#receiver.closed) return
      const matching = trie.match(message.topic)
      const replaced = (): boolean => matching.every((filter) => asked.get(filter)!.cut.replaced(message.topic))
      const isKnown = (): boolean => matching.every((filter) => asked.get(filter)!.cut.complete)
      if (message.topic.startsWith('broadcast/')) await this.#giveAnnouncement(message, asked, matching)
      else await this.#giveStored(message, matching, replaced, isKnown)
    }
    // What is kept asks the cuts in its turn.
    await commit(this.#store, {})
  }

  /** `isKnown`: whether all that replaced it is known. Else it is read anew whenever it had to wait: it may come twice then, but no older one after a newer. */
  async #giveStored(
    found: PlainMessage,
    filters: readonly string[],
    replaced: () => boolean,
    isKnown: () => boolean,
  ): Promise<void> {
    for (let message = found; ; ) {
      if (replaced() || isExpired(message.extra)) return
      const qos = this.#wanted(message, filters)
      if (qos === null) return
      if (this.#receiver.hasRoom(messageSize(message), qos, this.#receiver.keeps(qos)))
        return this.#receiver.takeRetained(message, qos, replaced)
      await this.#receiver.roomCame()
      if (isKnown()) continue
      const now = await this.#retainedAt(message.topic)
      if (!now) return
      message = now
    }
  }

  async #retainedAt(topic: string): Promise<PlainMessage | undefined> {
    for await (const message of this.#store.queue.retained([topic])) return message
    return undefined
  }

  /** It is in a log, too, and retained a commit later: by its number it comes here or by the feed. */
  async #giveAnnouncement(message: PlainMessage, asked: Asking, filters: readonly string[]): Promise<void> {
    const { topic } = message
    const place = Math.max(...filters.map((filter) => asked.get(filter)!.places.get(topic) ?? 0))
    let last: PlainMessage | undefined = message
    if (this.#headOf(topic) > place) {
      await commit(this.#store, {})
      last = await this.#retainedAt(topic)
    }
    if (last && numberOf(last) <= place)
      await this.#giveStored(
        last,
        filters,
        () => false,
        () => true,
      )
  }

  #headOf(topic: string): number {
    const [view] = this.#views.viewsOf(parseFilter(topic), this.#receiver.user).views
    return (view && this.#store.log.peek(view.log)?.head) ?? 0
  }

  /** At which QoS it is for the client; null: it is not. */
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

  /** Up to where a feed's entries are no news to the subscription: those behind it the feed sends. */
  #placesOf({ parsed }: Subscription): Map<string, number> {
    const places = new Map<string, number>()
    if (parsed.kind !== 'broadcast') return places
    for (const { topic, log, cursor } of this.#views.viewsOf(parsed, this.#receiver.user).views) {
      const feed = this.#receiver.feeds.get(cursor)
      places.set(topic, feed && feed.qos > 0 ? feed.next - 1 : (this.#store.log.peek(log)?.head ?? 0))
    }
    return places
  }
}

/** One cut of several subscriptions: the last of them ends it. */
function sharedCut(cut: RetainedCut, among: number): RetainedCut {
  let left = among
  return {
    replaced: (topic) => cut.replaced(topic),
    get complete() {
      return cut.complete
    },
    end: () => {
      if (--left === 0) cut.end()
    },
  }
}

/** Of an announcement in its log. */
function numberOf({ payload }: PlainMessage): number {
  return Number(parseObject(payload.toString('utf8'))?.['seq'] ?? 0)
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
