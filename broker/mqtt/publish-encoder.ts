/** Encodes PUBLISH packets for one session: which entries it gets, its MQTT 5 properties, and which encodings it shares with other sessions. */
import { filterMatches } from '../../schemas/topics.js'
import { isExpired } from '../following/expiry.js'
import { ownOptions } from '../following/feed-set.js'
import type { FeedOptions, LogFeed } from '../following/feeds.js'
import type { Subscription } from '../following/subscription.js'
import type { SubscriptionSet } from '../following/subscription-set.js'
import type { ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import type { QoS } from '../store/qos.js'
import type { Counters } from '../util/counters.js'
import { type EncodedPublishes, encodePublishes, type PublishOptions, publishSize } from './codec/encode.js'
import type { OutboundMessage } from './codec/outbound-message.js'
import type { Version } from './codec/packets.js'
import { messageProperties } from './message-properties.js'

export interface PublishEncoderDeps {
  readonly version: Version
  readonly user: string
  readonly clientId: string
  /** Largest packet the client takes, in bytes. */
  readonly maxPacket: number
  readonly subscriptions: Pick<SubscriptionSet, 'values' | 'particular'>
  readonly counters: Counters
  /** Whether a message on a topic is for the session's user, as far as roles say. */
  readonly isFor: (topic: string, payload: Buffer) => boolean
}

export class PublishEncoder {
  readonly maxPacket: number
  readonly #version: Version
  readonly #user: string
  readonly #clientId: string
  readonly #subscriptions: PublishEncoderDeps['subscriptions']
  readonly #counters: Counters
  readonly #isFor: PublishEncoderDeps['isFor']

  constructor({ version, user, clientId, maxPacket, subscriptions, counters, isFor }: PublishEncoderDeps) {
    this.#version = version
    this.#user = user
    this.#clientId = clientId
    this.maxPacket = maxPacket
    this.#subscriptions = subscriptions
    this.#counters = counters
    this.#isFor = isFor
  }

  /** New entries of a view: encoded once for all sessions with the same version, QoS and options. */
  batch(feed: LogFeed, batch: ViewBatch): EncodedPublishes<LogEntry> {
    if (batch.restricted || this.#isParticular(feed)) return this.entries(feed, batch.entries)
    const key = (this.#version === 5 ? 3 : 0) + feed.qos
    const known = batch.cache[key]
    if (known) return known as EncodedPublishes<LogEntry>
    const encoded = this.entries(feed, batch.entries)
    batch.cache[key] = encoded
    return encoded
  }

  /** No local, subscription identifiers or a maximum packet size: then the encoding cannot be shared. */
  #isParticular(feed: LogFeed): boolean {
    if (feed.own !== undefined) return true
    return this.#version === 5 && (feed.ids.length > 0 || this.maxPacket < Number.POSITIVE_INFINITY)
  }

  /** Entries for this session alone. */
  entries(feed: LogFeed, entries: readonly LogEntry[]): EncodedPublishes<LogEntry> {
    this.#counters.add('encoded')
    const { topic } = feed.view
    if (this.#isSimple(feed, entries))
      return encodePublishes(this.#version, topic, entries, feed.qos, this.#simply(feed))
    const own = (entry: LogEntry): boolean => feed.own !== undefined && this.#isOwn(entry)
    const properties = (entry: LogEntry): Buffer =>
      messageProperties(topic, entry.extra, (own(entry) ? feed.own : feed)?.ids ?? [])
    const passes = ({ extra, payload }: LogEntry): boolean => !isExpired(extra) && this.#isFor(topic, payload)
    const wanted = entries.flatMap((entry) => (!passes(entry) ? [] : own(entry) ? asOwn(feed, entry) : entry))
    const fitting = this.#fitting(wanted, (entry) =>
      publishSize(this.#version, topic, entry, feed.qos, properties(entry)),
    )
    return encodePublishes(this.#version, topic, fitting, feed.qos, { properties })
  }

  /** All entries, without options or properties of their own: nearly always. */
  #isSimple({ own, ids, view }: LogFeed, entries: readonly LogEntry[]): boolean {
    if (own !== undefined || ids.length > 0 || this.maxPacket < Number.POSITIVE_INFINITY) return false
    for (const { extra, payload } of entries) if (extra || !this.#isFor(view.topic, payload)) return false
    return true
  }

  #simply({ view }: LogFeed): PublishOptions<LogEntry> | undefined {
    return this.#version === 5 ? { properties: () => messageProperties(view.topic, null, []) } : undefined
  }

  #isOwn({ from, origin }: LogEntry): boolean {
    return from === this.#user && origin === this.#clientId
  }

  /** A packet larger than the client takes is not sent, as if it had been [MQTT5-3.1.2-25]. */
  #fitting<M>(messages: readonly M[], size: (message: M) => number): readonly M[] {
    if (this.maxPacket === Number.POSITIVE_INFINITY) return messages
    const fitting = messages.filter((message) => size(message) <= this.maxPacket)
    if (fitting.length < messages.length)
      this.#counters.add('dropped.packet_too_large', messages.length - fitting.length)
    return fitting
  }

  /** One message on a topic. */
  plain({ topic, payload, retain, replaces, extra = null, ids }: OutboundMessage, qos: QoS): EncodedPublishes {
    const flag = retain || (replaces === true && this.#asPublished(topic))
    const properties = (): Buffer => messageProperties(topic, extra, ids ?? this.subscriptionIds(topic))
    return encodePublishes(this.#version, topic, [{ payload, qos }], qos, { retain: flag, properties })
  }

  /** Before MQTT 5 RETAIN is never set on a live message [MQTT-3.3.1-9], also if the session was created with Retain As Published in MQTT 5. */
  #asPublished(topic: string): boolean {
    return this.#version === 5 && this.#particular(topic).some(({ retainAsPublished }) => retainAsPublished)
  }

  /** Tests every filter of the session: too slow for every message. */
  matching(topic: string): Subscription[] {
    return [...this.#subscriptions.values()].filter(({ filter }) => filterMatches(filter, topic))
  }

  #particular(topic: string): Subscription[] {
    return [...this.#subscriptions.particular].filter(({ filter }) => filterMatches(filter, topic))
  }

  /** Options of the matching filters for the session's own messages (no local). */
  ownOptions(topic: string): FeedOptions | null | undefined {
    return this.#particular(topic).some(({ noLocal }) => noLocal) ? ownOptions(this.matching(topic)) : undefined
  }

  /** Identifiers of the subscriptions that match a topic [MQTT5-3.3.4-3]. */
  subscriptionIds(topic: string): number[] {
    if (this.#version !== 5) return []
    return this.#particular(topic).flatMap(({ identifier }) => identifier ?? [])
  }

  /** An unlogged message: encoded once for all sessions with the same version, QoS and options. `cache` holds it. */
  direct(message: OutboundMessage, qos: QoS, cache: unknown[]): EncodedPublishes {
    if (this.#version === 5 && (message.ids || this.#asksForOwnBytes())) return this.plain(message, qos)
    return (cache[(this.#version === 5 ? 3 : 0) + qos] ??= this.plain(message, qos)) as EncodedPublishes
  }

  #asksForOwnBytes(): boolean {
    for (const { identifier, retainAsPublished } of this.#subscriptions.particular)
      if (identifier !== undefined || retainAsPublished) return true
    return false
  }
}

/** One's own message, at the QoS of the filters that take it [MQTT5-3.8.3-3]. */
function asOwn({ own }: LogFeed, entry: LogEntry): LogEntry[] {
  return own ? [{ ...entry, qos: Math.min(entry.qos, own.qos) as QoS }] : []
}
