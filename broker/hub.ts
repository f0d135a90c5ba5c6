/**
 * Delivers new entries and ephemeral messages to the sessions that follow them. In the store the hub follows the logs
 * that have a feed here, and only these. It never waits for a session: one that cannot accept a message now reads it from
 * the log later. It knows neither MQTT nor the rules of chat.
 */
import { announcementRoles, isAnnounced } from '../schemas/announcement.js'
import type { LogName } from './store/log-name.js'
import type { AppendedBatch, Extra, Followed, LogEntry, LogReader } from './store/logs.js'
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
    const isRestricted = ({ payload }: LogEntry): boolean => announcementRoles(view.topic, payload) !== null
    this.restricted = isAnnounced(view.topic) && this.entries.some(isRestricted)
  }
}

/** A session's subscription to one view. `slot` belongs to the hub. */
export interface Feed {
  slot: number
  accept(batch: ViewBatch): void
  /** The hub follows the log only now: entries up to `head` were not passed to `accept`. */
  followedFrom(head: number): void
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

/** A log with feeds. */
interface FollowedLog {
  /** A log has few views, each with its feeds. Replaced when it changes. */
  channels: readonly Channel[]
  /** Null: the store has not answered yet. */
  followed: Followed | null
  /** Of a log that was dropped: the entry that was added to it with that. */
  last: LogEntry | null
}

/** Milliseconds until the hub asks again to follow a log, after a failure of the store. */
const FOLLOW_RETRY = 1000

interface Listener {
  endpoint: Endpoint
  qos: QoS
}

export class Hub {
  readonly #store: Pick<LogReader, 'follow'>
  readonly #failed: (error: unknown) => void
  readonly #logs = new Map<LogName, FollowedLog>()
  readonly #listeners = new Map<string, Map<Endpoint, Listener>>()
  readonly #plain = new TopicTrie<PlainSubscription>()

  constructor(store: Pick<LogReader, 'follow'>, failed: (error: unknown) => void) {
    this.#store = store
    this.#failed = failed
  }

  attach(view: View, feed: Feed): void {
    const log = this.#followedLog(view.log)
    const channel = channelOf(log, view)
    feed.slot = channel?.feeds.length ?? 0
    // Most rooms have few feeds here, and an empty array that grows would reserve seventeen elements.
    if (channel) channel.feeds.push(feed)
    else log.channels = log.channels.concat({ view, feeds: [feed] })
  }

  /** Number of the last entry of a log with feeds; 0 if the store has not answered yet. */
  headOf(log: LogName): number {
    return this.#logs.get(log)?.followed?.head ?? 0
  }

  /** The last entry of a log that was dropped and still has feeds here, if it was added with that. */
  lastOf(log: LogName): LogEntry | null {
    return this.#logs.get(log)?.last ?? null
  }

  /** That of a log with feeds; 0 if it is not known. */
  incarnationOf(log: LogName): number {
    return this.#logs.get(log)?.followed?.incarnation ?? 0
  }

  #followedLog(name: LogName): FollowedLog {
    const known = this.#logs.get(name)
    if (known) return known
    const log: FollowedLog = { channels: [], followed: null, last: null }
    this.#logs.set(name, log)
    const following = this.#follow(name, log)
    if (following instanceof Promise) void this.#followLater(name, log, following)
    else log.followed = following
    return log
  }

  async #followLater(name: LogName, log: FollowedLog, following: Promise<Followed>): Promise<void> {
    try {
      const followed = await following
      if (this.#logs.get(name) !== log) return followed.end()
      log.followed = followed
      for (const { feeds } of log.channels) for (const feed of [...feeds]) feed.followedFrom(followed.head)
    } catch (error) {
      this.#failed(error)
      const again = async (): Promise<Followed> => this.#follow(name, log)
      const retry = (): unknown => this.#logs.get(name) === log && this.#followLater(name, log, again())
      setTimeout(retry, FOLLOW_RETRY).unref()
    }
  }

  detach(view: View, feed: Feed): void {
    const log = this.#logs.get(view.log)
    const channel = log && channelOf(log, view)
    if (!channel || channel.feeds[feed.slot] !== feed) return
    const last = channel.feeds.pop()!
    if (last !== feed) {
      channel.feeds[feed.slot] = last
      last.slot = feed.slot
    }
    feed.slot = -1
    if (channel.feeds.length > 0) return
    log.channels = log.channels.filter((other) => other !== channel)
    if (log.channels.length > 0) return
    this.#logs.delete(view.log)
    log.followed?.end()
  }

  #follow(name: LogName, log: FollowedLog): Followed | Promise<Followed> {
    return this.#store.follow(name, (batch) => deliver(batch, log))
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

/** Delivers appended entries. Hot path: a plain loop without allocations per session, and without lookups. */
function deliver({ entries, ends }: AppendedBatch, log: FollowedLog): void {
  if (ends) log.last = entries.at(-1)!
  for (const { view, feeds } of log.channels) {
    const batch = new ViewBatch(view, entries)
    for (let i = 0; i < feeds.length; i++) feeds[i]!.accept(batch)
  }
}

function channelOf({ channels }: FollowedLog, { cursor, topic }: View): Channel | undefined {
  return channels.find(({ view }) => view.cursor === cursor && view.topic === topic)
}

function inForm(view: View, entries: readonly LogEntry[]): readonly LogEntry[] {
  const { form } = view
  if (!form) return entries
  return entries.map((entry) => ({ ...entry, payload: form(entry) })).filter((entry) => entry.payload.length > 0)
}
