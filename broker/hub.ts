/**
 * Delivers new entries and ephemeral messages to the sessions that follow them. The hub never waits for a session: one that cannot accept a
 * message now reads it from the log later. It knows neither MQTT nor the rules of chat.
 */
import { announcementRoles } from '../schemas/announcement.js'
import type { AppendedBatch } from './store/changes.js'
import type { LogName } from './store/log-name.js'
import type { Extra, LogEntry } from './store/logs.js'
import type { QoS } from './store/qos.js'
import type { PlainMessage } from './store/queues.js'
import { TopicTrie } from './store/topic-trie.js'

/** A view of a log: the topic on which its entries are delivered, and their form. Sessions have one cursor per view. */
export interface View {
  /** Name of the cursor; unique per (log, topic, form). */
  readonly cursor: string
  readonly log: LogName
  readonly topic: string
  /** Transforms an entry for delivery; null: as stored. An empty result is not delivered. */
  readonly form: ((entry: LogEntry) => Buffer) | null
  /** The room whose membership the view requires; null: it belongs to the user. */
  readonly room: string | null
  /** A new subscriber starts at the oldest entry, not at the head. */
  readonly fromStart?: true
}

/** Number of packet encodings: MQTT versions × QoS. */
const ENCODINGS = 6

/** Preallocated: an empty array that grows would reserve seventeen elements. */
export function emptyCache(): unknown[] {
  return new Array(ENCODINGS)
}

/** New entries of one view. `cache` holds their encodings, so that each is made once for all sessions. */
export class ViewBatch {
  readonly view: View
  /** Seqs of the first and last entry of the log in this batch. */
  readonly first: number
  readonly last: number
  /** The entries that the view delivers, in its form. */
  readonly entries: readonly LogEntry[]
  readonly cache: unknown[] = emptyCache()
  /** Some entries are restricted to certain roles. */
  readonly restricted: boolean

  constructor(view: View, entries: readonly LogEntry[]) {
    this.view = view
    this.first = entries[0]!.seq
    this.last = entries[entries.length - 1]!.seq
    this.entries = inForm(view, entries)
    this.restricted = this.entries.some(({ payload }) => announcementRoles(view.topic, payload) !== null)
  }
}

/** A session's subscription to one view. `slot` belongs to the hub. */
export interface Feed {
  slot: number
  accept(batch: ViewBatch): void
}

/** A message that is not in any log: typing, presence, a reply, a plain MQTT message. */
export interface UnloggedMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  /** A live message published with RETAIN, which replaces the retained message of the topic. */
  readonly replaces: boolean
  readonly extra: Extra | null
  /** Id of the session that published it; null: none. */
  readonly origin: string | null
  /** The presence of an unknown user, which reveals nothing and so may be delivered to anyone. */
  readonly revealsNothing?: boolean
  /** Subscription identifiers to send, if not those of the matching filters. */
  readonly ids?: readonly number[]
  readonly cache: unknown[]
}

type UnloggedOptions = Partial<Pick<UnloggedMessage, 'retain' | 'replaces' | 'extra' | 'origin' | 'revealsNothing'>>

export function unlogged(topic: string, payload: Buffer, qos: QoS, options: UnloggedOptions = {}): UnloggedMessage {
  const { retain = false, replaces = false, extra = null, origin = null, revealsNothing = false } = options
  return { topic, payload, qos, retain, replaces, extra, origin, revealsNothing, cache: emptyCache() }
}

/** What the hub needs of a connected session. */
export interface Endpoint {
  readonly id: string
  readonly user: string
  /** `qos`: granted by the subscription. */
  acceptUnlogged(message: UnloggedMessage, qos: QoS): void
  /** `queued`: the message's number in this session's durable queue; null: it is not queued. */
  acceptPlain(message: UnloggedMessage, qos: QoS, filters: readonly string[], queued: number | null): void
}

/** A session's subscription to a plain filter. The session keeps it, to unsubscribe with. */
export interface PlainSubscription {
  readonly endpoint: Endpoint
  readonly filter: string
  readonly qos: QoS
}

interface Channel {
  view: View
  feeds: Feed[]
}

interface Listener {
  endpoint: Endpoint
  qos: QoS
}

export class Hub {
  /** By log; a log has few views, each with its feeds. */
  readonly #channels = new Map<LogName, Channel[]>()
  readonly #listeners = new Map<string, Map<Endpoint, Listener>>()
  readonly #plain = new TopicTrie<PlainSubscription>()

  attach(view: View, feed: Feed): void {
    let channels = this.#channels.get(view.log)
    if (!channels) this.#channels.set(view.log, (channels = []))
    let channel = channels.find(
      (candidate) => candidate.view.cursor === view.cursor && candidate.view.topic === view.topic,
    )
    if (!channel) channels.push((channel = { view, feeds: [] }))
    feed.slot = channel.feeds.length
    channel.feeds.push(feed)
  }

  detach(view: View, feed: Feed): void {
    const channels = this.#channels.get(view.log)
    const channel = channels?.find(
      (candidate) => candidate.view.cursor === view.cursor && candidate.view.topic === view.topic,
    )
    if (!channels || !channel || channel.feeds[feed.slot] !== feed) return
    const last = channel.feeds.pop()!
    if (last !== feed) {
      channel.feeds[feed.slot] = last
      last.slot = feed.slot
    }
    feed.slot = -1
    if (channel.feeds.length > 0) return
    channels.splice(channels.indexOf(channel), 1)
    if (channels.length === 0) this.#channels.delete(view.log)
  }

  /** Delivers appended entries. Hot path: a plain loop without allocations per session. */
  deliver(batches: readonly AppendedBatch[]): void {
    for (const { log, entries } of batches) {
      const channels = this.#channels.get(log)
      if (!channels) continue
      for (const channel of channels) {
        const batch = new ViewBatch(channel.view, entries)
        const feeds = channel.feeds
        for (let i = 0; i < feeds.length; i++) feeds[i]!.accept(batch)
      }
    }
  }

  listen(topic: string, endpoint: Endpoint, qos: QoS): void {
    let listeners = this.#listeners.get(topic)
    if (!listeners) this.#listeners.set(topic, (listeners = new Map()))
    listeners.set(endpoint, { endpoint, qos })
  }

  unlisten(topic: string, endpoint: Endpoint): void {
    const listeners = this.#listeners.get(topic)
    listeners?.delete(endpoint)
    if (listeners?.size === 0) this.#listeners.delete(topic)
  }

  isListening(topic: string, endpoint: Endpoint): boolean {
    return this.#listeners.get(topic)?.has(endpoint) ?? false
  }

  /** Delivers to the sessions that listen to the topic (or to `listenedTo`) and that `accept` admits. */
  send(message: UnloggedMessage, accept?: (endpoint: Endpoint) => boolean, listenedTo = message.topic): void {
    const listeners = this.#listeners.get(listenedTo)
    if (!listeners) return
    for (const { endpoint, qos } of listeners.values()) {
      if (!accept || accept(endpoint)) endpoint.acceptUnlogged(message, qos)
    }
  }

  subscribePlain(subscription: PlainSubscription): void {
    this.#plain.add(subscription.filter, subscription)
  }

  unsubscribePlain(subscription: PlainSubscription): void {
    this.#plain.remove(subscription.filter, subscription)
  }

  /**
   * Delivers to the sessions with a matching plain filter, once each, at the highest QoS. `queued`: sessions that have it in their durable
   * queue.
   */
  publishPlain(message: PlainMessage, queued: ReadonlySet<string> | null, number: number): void {
    const matches = this.#plain.match(message.topic)
    if (matches.length === 0) return
    // RETAIN is set on the stored message only; live deliveries have it cleared [MQTT-3.3.1-9].
    const { topic, payload, qos, retain, extra = null, clientId } = message
    const out = unlogged(topic, payload, qos, { replaces: retain, extra, origin: clientId })
    if (matches.length === 1) {
      const only = matches[0]!
      only.endpoint.acceptPlain(out, only.qos, [only.filter], queued?.has(only.endpoint.id) ? number : null)
      return
    }
    const best = new Map<Endpoint, { qos: QoS; filters: string[] }>()
    for (const { endpoint, filter, qos } of matches) {
      const known = best.get(endpoint)
      if (!known) best.set(endpoint, { qos, filters: [filter] })
      else {
        known.filters.push(filter)
        if (qos > known.qos) known.qos = qos
      }
    }
    for (const [endpoint, { qos, filters }] of best) {
      endpoint.acceptPlain(out, qos, filters, queued?.has(endpoint.id) ? number : null)
    }
  }
}

function inForm(view: View, entries: readonly LogEntry[]): readonly LogEntry[] {
  const { form } = view
  if (!form) return entries
  return entries.map((entry) => ({ ...entry, payload: form(entry) })).filter((entry) => entry.payload.length > 0)
}
