/**
 * A session: the subscriptions of a client, its position in each log, and the packets in flight to it [MQTT-4.1]. It lives as long as the
 * connection; what must outlive that is saved (session-writer.ts) and resumed (session-resume.ts). Packets are made and sent by publish-sender.ts.
 */

import { isChatTopic } from '../../schemas/topics.js'
import type { Backlog } from '../following/backlog.js'
import { isExpired } from '../following/expiry.js'
import type { FlightOwner, LogFeed, QueueFeed } from '../following/feeds.js'
import { InflightRecords } from '../following/inflight-records.js'
import type { SubscriberServices } from '../following/services.js'
import type { Snapshots } from '../following/snapshots.js'
import { Subscriber } from '../following/subscriber.js'
import { emptyCache, type UnloggedMessage, unlogged, type ViewBatch } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import type { QoS } from '../store/qos.js'
import type { PlainMessage, QueuedMessage, RetainedCut } from '../store/queues.js'
import { LazySet } from '../util/lazy.js'
import type { EncodedPublishes } from './codec/encode.js'
import type { OutboundMessage } from './codec/outbound-message.js'
import { type DeliveryGuard, forwarded, mayDeliver, mayDeliverQueued } from './delivery-guard.js'
import { detachedOwner, type Flight, type Inflight } from './inflight.js'
import { LiveQueue } from './live-queue.js'
import { PublishEncoder } from './publish-encoder.js'
import { PublishSender, type ReceiverLimits } from './publish-sender.js'
import { RetainedDelivery } from './retained-delivery.js'
import type { MemberSession, SharedMessage, TakeResult } from './shared/members.js'
import type { WriteBuffer } from './write-buffer.js'

export interface SessionIdentity extends ReceiverLimits {
  readonly id: string
  readonly user: string
  /** The session outlives its connection. */
  readonly persistent: boolean
}

export class Session extends Subscriber implements MemberSession {
  readonly persistent: boolean
  readonly inflightRecords: InflightRecords | null
  readonly #guard: DeliveryGuard
  readonly #encoder: PublishEncoder
  readonly #sender: PublishSender
  readonly #live: LiveQueue
  /** What may wait beyond the plain limits while the client makes progress: in memory, and in the stored queue of a persistent session. */
  readonly #backlog: Backlog
  readonly #queueBacklog: Backlog | null
  #leaveQueue: (() => void) | null = null
  /** Groups that this session takes messages for. */
  readonly shares = new LazySet<Subscriber>()
  /** Retained messages and other initial state for new subscriptions; null: none has asked yet. */
  snapshots: Snapshots | null = null
  #retained: RetainedDelivery | null = null
  /** Called when the store could not be read or written on behalf of this session. */
  onFailure: ((error: unknown) => void) | null = null
  /** Set when nothing more is to be sent; called when nothing is in flight. */
  #whenSettled: (() => void) | null = null

  constructor(identity: SessionIdentity, services: SubscriberServices, output: WriteBuffer, guard: DeliveryGuard) {
    super(identity.id, identity.user, services)
    const { counters, limits, backlogs } = services
    this.persistent = identity.persistent
    this.#guard = guard
    this.#encoder = new PublishEncoder({
      version: identity.version,
      user: identity.user,
      clientId: identity.id.slice(identity.user.length + 1),
      maxPacket: identity.maxPacket,
      subscriptions: this.subscriptions,
      counters,
      isFor: (topic, payload) => guard.isFor(topic, payload),
    })
    this.#sender = new PublishSender(this, identity, {
      guard,
      output,
      counters,
      encoder: this.#encoder,
      window: limits.inflight,
    })
    this.inflightRecords = identity.persistent ? new InflightRecords(this.inflight) : null
    const own = (sessionId: string): boolean => sessionId === identity.id
    this.#backlog = backlogs.open(own)
    this.#queueBacklog = identity.persistent ? backlogs.open(own) : null
    this.#live = new LiveQueue(this, { sender: this.#sender, guard, backlog: this.#backlog, counters, limits })
  }

  /** The in-flight window towards the client. */
  get inflight(): Inflight {
    return this.#sender.inflight
  }

  get waiting(): number {
    return this.#live.length
  }

  get capacity(): number {
    return this.stalled ? 0 : this.inflight.capacity
  }

  /** Nothing may be sent: the session is still being resumed, the socket is full, or rights may have ended that this node has not heard of. */
  get stalled(): boolean {
    return this.pumping.held || this.#whenSettled !== null || this.#sender.congested || !this.services.store.fresh
  }

  /** Sends no further message. Resolves when the client has acknowledged what it was sent, or is gone. */
  settle(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenSettled = resolve
      if (this.closed || this.inflight.count === 0) resolve()
    })
  }

  override pump(): void {
    super.pump()
    for (const group of this.shares) group.pump()
    this.pumped()
  }

  protected withdraw(from: LogFeed | string): void {
    if (typeof from === 'string') {
      this.dropWaiting(from)
      return
    }
    this.#sender.giveUp(({ packetId }) => this.inflight.get(packetId)?.owner === from)
    this.inflight.forget(from)
    this.dropLive(from)
  }

  protected override disownInflight(feed: LogFeed): void {
    this.inflight.entrust(feed, detachedOwner(feed.source))
  }

  protected override dropLive(feed: LogFeed): void {
    this.#live.dropFeed(feed)
  }

  /** At QoS 0 a feed has no position: what was not sent waits in memory, unless the queue was full. */
  override isUnsent(feed: LogFeed, seq: number): boolean {
    if (feed.qos > 0) return super.isUnsent(feed, seq)
    return this.#live.holds(feed, seq)
  }

  /** Drops unlogged messages on a topic that may no longer be delivered. */
  dropWaiting(topic: string): void {
    this.#live.dropTopics((message) => message.topic === topic)
  }

  override start(): void {
    if (this.#queueBacklog && !this.closed)
      this.#leaveQueue = this.services.store.queue.setAllowance(this.id, this.#queueBacklog, this.queue)
    super.start()
  }

  override close(): void {
    this.#retained?.close()
    super.close()
    this.#live.clear()
    this.#leaveQueue?.()
    this.#queueBacklog?.close()
    this.#backlog.close()
    this.#whenSettled?.()
    this.pumped()
  }

  // --- live delivery (called by the hub) -----------------------------------------------------------------------------------

  sendBatch(feed: LogFeed, batch: ViewBatch): boolean {
    if (this.stalled || this.#guard.forward || this.#sender.isRedelivering) return false
    return this.#sender.sendBatch(feed, batch)
  }

  sendLive(feed: LogFeed, batch: ViewBatch): void {
    if (!this.#live.sendBatch(feed, batch)) this.pump()
  }

  acceptUnlogged(message: UnloggedMessage, qos: QoS): void {
    const outcome = this.#live.sendUnlogged(message, Math.min(message.qos, qos) as QoS)
    if (outcome !== 'dropped' && !message.retain) this.snapshots?.noteLive(message.topic)
    if (outcome !== 'sent') this.pump()
  }

  /** A reply on a topic of the client's choice: only where the session subscribes to it (DESIGN §2, Requests). */
  answer(message: UnloggedMessage): void {
    const matching = this.#encoder.matching(message.topic)
    if (matching.length > 0) this.acceptUnlogged(message, Math.max(...matching.map(({ qos }) => qos)) as QoS)
  }

  acceptPlain(message: UnloggedMessage, qos: QoS, filters: readonly string[], queued: number | null): void {
    if (message.replaces && queued === null) this.#retained?.overtake(message.topic)
    const own = message.origin === this.id ? this.#encoder.ownOptions(message.topic) : undefined
    if (own === null) {
      if (queued !== null) this.queue.skip(queued)
      return
    }
    const level = Math.min(message.qos, qos) as QoS
    if (!mayDeliver(this.#guard, this.subscriptions, message.topic, filters)) {
      this.services.counters.add('dropped.forbidden')
      if (queued !== null) this.queue.skip(queued)
      return
    }
    if (own) this.#accept({ ...message, ids: own.ids, cache: emptyCache() }, Math.min(level, own.qos) as QoS, queued)
    else this.#accept(message, level, queued)
  }

  #accept(message: UnloggedMessage, level: QoS, queued: number | null): void {
    if (queued !== null && level > 0) this.queue.accept(message, level, queued)
    else if (level === 0 || !this.persistent) {
      this.acceptUnlogged(message, level)
      if (queued !== null) this.queue.skip(queued)
    } else if (!this.queueIsFull(message)) this.acceptUnlogged(message, 0)
  }

  // --- retained messages of new subscriptions ------------------------------------------------------------------------------------

  queuesInStore(qos: QoS): boolean {
    return qos > 0 && this.persistent
  }

  /** Retained messages use half of the queue limits; the other half is left for live messages. */
  hasCapacity(bytes: number, qos: QoS, kept: boolean): boolean {
    if (!kept) return this.#live.hasRoom(bytes, qos)
    const { queueMessages, queueBytes } = this.services.limits
    const waiting = this.services.store.queue.size(this.id)
    if (waiting.messages === 0) return true
    return waiting.messages * 2 < queueMessages && (waiting.bytes + bytes) * 2 <= queueBytes
  }

  whenCapacity(): Promise<void> {
    return this.#retainedDelivery.roomCame()
  }

  get #retainedDelivery(): RetainedDelivery {
    this.#retained ??= new RetainedDelivery(this, this.services)
    return this.#retained
  }

  override forgetQueued(number: number): void {
    super.forgetQueued(number)
    this.#retained?.saveForRoom()
  }

  /** At QoS 1 and 2 in a persistent session: through its stored queue, so that the message survives like any other. */
  takeRetained(message: PlainMessage, qos: QoS, cuts: readonly RetainedCut[]): void {
    if (this.queuesInStore(qos)) return this.#retainedDelivery.enqueue(message, qos, cuts)
    const { topic, payload, extra = null } = message
    this.acceptUnlogged(unlogged(topic, payload, qos, { retain: true, extra }), qos)
  }

  // --- authorisation ---------------------------------------------------------------------------------------------------------------

  mayReceive(topic: string): boolean {
    return this.#guard.mayReceive(topic)
  }

  isFor(topic: string, payload: Buffer): boolean {
    return this.#guard.isFor(topic, payload)
  }

  /** Whether a message that waited may still be delivered. */
  mayReceiveQueued(topic: string): boolean {
    return mayDeliverQueued(this.#guard, this.subscriptions, topic)
  }

  /** Its roles changed: waiting messages on plain topics that may not be delivered any more are dropped. */
  dropForbidden(): void {
    const forbidden = ({ topic }: { topic: string }): boolean => !isChatTopic(topic) && !this.mayReceiveQueued(topic)
    this.#live.dropTopics(forbidden)
    for (const { owner, seq } of this.#sender.giveUp(forbidden)) owner.acknowledged(seq)
  }

  // --- sending ----------------------------------------------------------------------------------------------------------------

  /** One message of a share group; `owner` is told when it is done. */
  take(owner: FlightOwner, seq: number, message: SharedMessage): TakeResult {
    const { qos } = message
    if (this.stalled || (qos > 0 && this.inflight.capacity <= 0)) return 'full'
    return this.#sender.assign(owner, seq, message)
  }

  sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void | Promise<void> {
    return this.#sender.sendEntries(feed, entries)
  }

  async sendQueued(feed: QueueFeed, messages: readonly QueuedMessage[]): Promise<void> {
    const packets: EncodedPublishes[] = []
    for (const { number, message, qos } of messages) {
      // Other feeds may have filled the in-flight window while the messages were read.
      if (this.closed || this.capacity <= 0) break
      const level = Math.min(message.qos, qos) as QoS
      const overtaken = this.#retained?.wasOvertaken(number)
      const shown = overtaken ? undefined : this.#queuedAsShown(message, level)
      feed.sent(number)
      const packet = shown ? this.#sender.queued(feed, shown, level, number) : null
      if (packet) packets.push(packet)
      else if (!shown) feed.skip(number)
    }
    await this.#sender.pushInOrder(packets)
  }

  #queuedAsShown(message: PlainMessage, qos: QoS): PlainMessage | undefined {
    if (isExpired(message.extra)) return undefined
    const own = message.clientId === this.id ? this.#encoder.ownOptions(message.topic) : undefined
    const shown: OutboundMessage & PlainMessage = own ? { ...message, ids: own.ids } : message
    const allowed = this.mayReceiveQueued(message.topic) && this.isFor(message.topic, message.payload)
    if (allowed) return forwarded(this.#guard, message.topic, shown, qos)[0]
    this.services.counters.add('dropped.forbidden')
    return undefined
  }

  sendPlain(feed: QueueFeed, message: UnloggedMessage, qos: QoS, number: number): boolean {
    if (this.capacity <= 0 || qos === 2 || this.#guard.forward || this.waiting > 0) return false
    if (isExpired(message.extra)) {
      feed.sent(number)
      feed.skip(number)
      return true
    }
    const packet = this.#sender.queued(feed, message, qos, number)
    feed.sent(number)
    if (packet) this.#sender.push(packet.bytes)
    return true
  }

  sendWaiting(): boolean {
    return this.#live.sendFirst()
  }

  pumped(): void {
    this.#retained?.wakeWaiters()
  }

  failed(error: unknown): void {
    this.services.counters.add('failed.replay')
    this.onFailure?.(error)
  }

  // --- acknowledgements from the client ------------------------------------------------------------------------------------------

  /** PUBACK, or PUBCOMP. */
  complete(flight: Flight): void {
    const wasFull = this.inflight.capacity <= 0
    this.#answered()
    this.#sender.complete(flight)
    if (this.inflight.count === 0) this.#whenSettled?.()
    if (wasFull || this.pumping.hasLagging || this.waiting > 0) this.pump()
  }

  #answered(): void {
    this.#backlog.progressed()
    this.#queueBacklog?.progressed()
  }

  /** PUBREC: the client has the message; PUBREL follows when that state is durable [MQTT-4.3.3-1]. */
  async release(packetId: number): Promise<boolean> {
    const flight = this.inflight.get(packetId)
    const known = flight?.qos === 2
    if (known) this.inflight.release(flight)
    if (known) this.#answered()
    // An id that is not known waits too: PUBRELs leave in the order of the PUBRECs [MQTT-4.6.0-4].
    if (this.persistent && this.saver) await this.saver.saveNow()
    return known
  }

  // --- after a reconnect ----------------------------------------------------------------------------------------------------------

  /** Sends a packet again; if it is larger than the client accepts now, its flow ends. */
  resend(flight: Flight, message: OutboundMessage): void {
    if (!this.#sender.resend(flight, message)) this.complete(flight)
  }

  resendRelease(flight: Flight): void {
    this.#sender.resendRelease(flight)
  }
}
