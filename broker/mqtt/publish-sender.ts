/**
 * Sends PUBLISH packets to one client, with its packet ids, topic aliases and limits; after a reconnect, in-flight packets first. Hot path: plain
 * loops and buffers; a promise only where a packet id must be durable before its packet is sent.
 */
import type { FlightOwner, LogFeed, QueueFeed } from '../following/feeds.js'
import type { SubscriberSaver } from '../following/services.js'
import type { UnloggedMessage, ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import type { QoS } from '../store/qos.js'
import type { Counters } from '../util/counters.js'
import { AliasWriter } from './alias-writer.js'
import { type EncodedPublishes, encodeAck, markDuplicate } from './codec/encode.js'
import type { OutboundMessage } from './codec/outbound-message.js'
import type { Version } from './codec/packets.js'
import { type DeliveryGuard, forwarded } from './delivery-guard.js'
import { type Flight, Inflight, NO_OWNER } from './inflight.js'
import type { PublishEncoder } from './publish-encoder.js'
import { Redelivery } from './redelivery.js'
import type { SharedMessage, TakeResult } from './shared/members.js'
import type { WriteBuffer } from './write-buffer.js'

/** The client's limits, from CONNECT. */
export interface ReceiverLimits {
  readonly version: Version
  /** QoS 1 and 2 messages under way [MQTT5-3.1.2.11.3]. */
  readonly receiveMaximum: number
  /** Bytes of a packet. */
  readonly maxPacket: number
  /** Topic aliases towards the client; 0: none. */
  readonly topicAliases: number
}

/** The session that sends. */
interface SendingSession {
  readonly persistent: boolean
  readonly saver: SubscriberSaver | null
  failed(error: unknown): void
}

export interface PublishSenderDeps {
  readonly guard: DeliveryGuard
  readonly output: WriteBuffer
  readonly encoder: PublishEncoder
  readonly counters: Counters
  /** The broker's own limit of in-flight messages. */
  readonly window: number
}

export class PublishSender {
  readonly inflight: Inflight
  readonly #session: SendingSession
  readonly #guard: DeliveryGuard
  readonly #output: WriteBuffer
  readonly #encoder: PublishEncoder
  readonly #counters: Counters
  readonly #version: Version
  readonly #maxPacket: number
  /** Null: the client takes no topic aliases. */
  readonly #aliases: AliasWriter | null
  readonly #redelivery: Redelivery

  constructor(session: SendingSession, limits: ReceiverLimits, deps: PublishSenderDeps) {
    const { version, receiveMaximum, maxPacket, topicAliases } = limits
    this.#session = session
    this.#guard = deps.guard
    this.#output = deps.output
    this.#encoder = deps.encoder
    this.#counters = deps.counters
    this.#version = version
    this.#maxPacket = maxPacket
    this.inflight = new Inflight(Math.min(deps.window, receiveMaximum))
    this.#aliases = topicAliases > 0 ? new AliasWriter(topicAliases, maxPacket) : null
    this.#redelivery = new Redelivery((publish) => this.push(publish), receiveMaximum)
  }

  // --- entries of logs ------------------------------------------------------------------------------------------------------------

  /** New entries, encoded once for all sessions. False: they do not fit now, and nothing was sent. */
  sendBatch(feed: LogFeed, batch: ViewBatch): boolean {
    const encoded = this.#encoder.batch(feed, batch)
    if (encoded.idAt.length === 0) {
      if (encoded.bytes.length > 0) this.push(encoded.bytes)
    } else {
      const mustBeSaved = encoded.qos === 2 && this.#session.persistent
      if (this.inflight.capacity < encoded.idAt.length || mustBeSaved) return false
      this.push(this.#number(feed, encoded))
    }
    feed.sent(batch.last)
    return true
  }

  /** New entries at QoS 0. */
  sendLive(feed: LogFeed, batch: ViewBatch): void {
    const { bytes } = this.#encoder.batch(feed, batch)
    if (bytes.length > 0) this.push(bytes)
  }

  /** One that had to wait. */
  sendLiveEntry(feed: LogFeed, entry: LogEntry): void {
    const { bytes } = this.#encoder.entries(feed, forwarded(this.#guard, feed.view.topic, entry, 0))
    if (bytes.length > 0) this.push(bytes)
  }

  /** Entries that were read from the log. */
  sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void | Promise<void> {
    const last = entries[entries.length - 1]!.seq
    const { form, topic } = feed.view
    let shown = form
      ? entries.map((entry) => ({ ...entry, payload: form(entry) })).filter((entry) => entry.payload.length > 0)
      : entries
    if (this.#guard.forward) shown = shown.flatMap((entry) => forwarded(this.#guard, topic, entry, feed.qos))
    if (shown.length === 0) {
      feed.sent(last)
      return
    }
    const encoded = this.#encoder.entries(feed, shown)
    const bytes = encoded.idAt.length > 0 ? this.#number(feed, encoded) : encoded.bytes
    feed.sent(last)
    return this.#pushDurably(bytes, encoded)
  }

  // --- single messages ------------------------------------------------------------------------------------------------------------

  /** A message that is in no log and no queue. */
  sendUnlogged(message: UnloggedMessage, qos: QoS): void {
    const { forward } = this.#guard
    const shown = forward ? forwarded(this.#guard, message.topic, message, qos)[0] : message
    if (!shown) return
    // Not shared if the `authorizeForward` hook is set.
    const encoded = this.#encoder.direct(shown, qos, forward ? [] : message.cache)
    if (this.#isTooLarge(encoded)) return
    if (qos === 0) {
      this.push(encoded.bytes)
      return
    }
    const bytes = Buffer.from(encoded.bytes)
    this.#start(bytes, encoded.idAt[0]!, NO_OWNER, 0, qos)
    this.push(bytes)
  }

  /** One message of a share group; `owner` is told when it is done. */
  assign(owner: FlightOwner, seq: number, message: SharedMessage): Exclude<TakeResult, 'full'> {
    const { qos } = message
    const [shown] = forwarded(this.#guard, message.topic, message, qos)
    if (!shown) return 'done'
    const encoded = this.#encoder.plain(shown, qos)
    if (encoded.bytes.length > this.#maxPacket) return 'too_large'
    if (qos > 0) this.#start(encoded.bytes, encoded.idAt[0]!, owner, seq, qos)
    this.#pushDurably(encoded.bytes, encoded, owner)?.catch((error: unknown) => this.#session.failed(error))
    return qos === 0 ? 'done' : 'assigned'
  }

  /** The socket is full: what is sent now would wait in memory. */
  get congested(): boolean {
    return this.#output.congested
  }

  /** How many bytes the socket has taken. */
  get position(): number {
    return this.#output.position
  }

  /** Whole publishes. */
  push(publishes: Buffer): void {
    this.#output.push(this.#aliases ? this.#aliases.rewrite(publishes) : publishes)
  }

  /** QoS 2 of a session that outlives its connection: the packet id is durable before the packet leaves (DESIGN §3). */
  #pushDurably(
    bytes: Buffer,
    { qos, idAt }: Pick<EncodedPublishes, 'qos' | 'idAt'>,
    owner: FlightOwner = NO_OWNER,
  ): void | Promise<void> {
    const { persistent, saver } = this.#session
    if (qos < 2 || !persistent || !saver) {
      this.push(bytes)
      return
    }
    return saver.saveNow().then(() => {
      // Its group has taken it back meanwhile.
      if (owner.isStored === false) return
      this.inflight.leave(idAt.map((at) => bytes.readUInt16BE(at)))
      this.push(bytes)
    })
  }

  /** As `#pushDurably`, with one save for all of them. */
  pushInOrder(packets: readonly EncodedPublishes[]): void | Promise<void> {
    const { persistent, saver } = this.#session
    const exactlyOnce = packets.some(({ qos }) => qos === 2)
    const push = (): void => {
      for (const { bytes } of packets) this.push(bytes)
    }
    if (!exactlyOnce || !persistent || !saver) return push()
    return saver.saveNow().then(() => {
      this.inflight.leave(packets.map(({ bytes, idAt }) => bytes.readUInt16BE(idAt[0]!)))
      push()
    })
  }

  /** A copy with this session's packet ids. */
  #number(feed: LogFeed, encoded: EncodedPublishes<LogEntry>): Buffer {
    const bytes = Buffer.allocUnsafe(encoded.bytes.length)
    encoded.bytes.copy(bytes)
    for (let i = 0; i < encoded.idAt.length; i++) {
      const entry = encoded.numbered[i]!
      const flight = this.inflight.start(feed, entry.seq, Math.min(entry.qos, feed.qos) as QoS)
      feed.outstanding.add(entry.seq)
      patch(bytes, encoded.idAt[i]!, flight.packetId)
    }
    return bytes
  }

  /** A message of the queue, under way from here on. Null: larger than the client takes, and done with. */
  queued(feed: QueueFeed, message: OutboundMessage, qos: QoS, number: number): EncodedPublishes | null {
    const encoded = this.#encoder.plain(message, qos)
    if (this.#isTooLarge(encoded)) {
      feed.skip(number)
      return null
    }
    this.#start(encoded.bytes, encoded.idAt[0]!, feed, number, qos)
    feed.outstanding.add(number)
    return encoded
  }

  /** Gives the packet an id: `owner` hears of its end. */
  #start(bytes: Buffer, idAt: number, owner: FlightOwner, seq: number, qos: QoS): void {
    patch(bytes, idAt, this.inflight.start(owner, seq, qos).packetId)
  }

  /** Counted: it is dropped [MQTT5-3.1.2-25]. */
  #isTooLarge({ bytes }: EncodedPublishes): boolean {
    if (bytes.length <= this.#maxPacket) return false
    this.#counters.add('dropped.packet_too_large')
    return true
  }

  /** A message was acknowledged. */
  complete(flight: Flight): void {
    this.inflight.end(flight)
    flight.owner.acknowledged(flight.seq)
    this.#redelivery.done(flight.packetId)
  }

  // --- after a reconnect ----------------------------------------------------------------------------------------------------------

  /** Some in-flight packets are still to be resent: no entry of a log may go before them. */
  get isRedelivering(): boolean {
    return this.#redelivery.isWaiting
  }

  /** Sends a packet again under its original id, with DUP [MQTT-4.4.0-1]. False: it is larger than the client takes now. */
  resend(flight: Flight, message: OutboundMessage): boolean {
    const encoded = this.#encoder.plain(message, flight.qos)
    if (this.#isTooLarge(encoded)) return false
    patch(encoded.bytes, encoded.idAt[0]!, flight.packetId)
    markDuplicate(encoded.bytes)
    this.#redelivery.add({ packetId: flight.packetId, topic: message.topic, bytes: encoded.bytes })
    return true
  }

  resendRelease(flight: Flight): void {
    this.#output.push(encodeAck(this.#version, 'pubrel', flight.packetId))
  }

  /** Drops in-flight packets that were not resent yet and may not be any more. */
  giveUp(forbidden: Parameters<Redelivery['purge']>[0]): Flight[] {
    const flights = this.#redelivery.purge(forbidden).map((packetId) => this.inflight.get(packetId)!)
    for (const flight of flights) this.inflight.end(flight)
    return flights
  }
}

function patch(bytes: Buffer, at: number, packetId: number): void {
  bytes[at] = packetId >> 8
  bytes[at + 1] = packetId & 0xff
}
