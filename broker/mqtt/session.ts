/**
 * A session: what a client subscribed to, where it is in each log, and what is under way to it [MQTT-4.1]. It lives as long as the
 * connection; what must outlive that is saved (session-keeper.ts). Hot path: sendBatch and what it calls use plain loops and buffers.
 */

import { deviceOf, filterMatches, isChatTopic } from '../../schemas/topics.js'
import type { Backlog } from '../following/backlog.js'
import { isExpired } from '../following/expiry.js'
import type { FlightOwner, LogFeed, QueueFeed } from '../following/feeds.js'
import type { Snapshots } from '../following/snapshots.js'
import { Subscriber } from '../following/subscriber.js'
import { emptyCache, type UnloggedMessage, unlogged, type ViewBatch } from '../hub.js'
import type { StoreError } from '../store/changes.js'
import type { LogEntry } from '../store/logs.js'
import type { QoS } from '../store/qos.js'
import type { PlainMessage, QueuedMessage } from '../store/queues.js'
import type { SavedInflight } from '../store/sessions.js'
import { LazyMap, LazySet } from '../util/lazy.js'
import { AliasWriter } from './alias-writer.js'
import { type EncodedPublishes, encodeAck, markDuplicate, type Outgoing } from './codec/encode.js'
import type { OutboundMessage } from './codec/outbound-message.js'
import type { Version } from './codec/packets.js'
import { DirectQueue, type Waiting } from './direct-queue.js'
import { type Flight, farewell, Inflight } from './inflight.js'
import type { Outbox } from './outbox.js'
import { PacketMaker } from './packet-maker.js'
import { Resending } from './resending.js'
import type { DeliveryGuard, SessionIdentity, SessionServices } from './session-parts.js'
import type { MemberSession, SharedMessage, TakeResult } from './shared/members.js'

export class Session extends Subscriber implements MemberSession {
  readonly version: Version
  readonly persistent: boolean
  readonly inflight: Inflight

  readonly #outbox: Outbox
  readonly #guard: DeliveryGuard
  readonly #waiting: DirectQueue
  /** What may wait for it while it answers: in memory, and in its queue where that outlives the connection. Each has one, for it says how much it holds. */
  readonly #backlog: Backlog
  readonly #queueBacklog: Backlog | null
  #leaveQueue: (() => void) | null = null
  readonly #directOwner: FlightOwner
  readonly #packets: PacketMaker
  /** Null: the client takes no topic aliases. */
  readonly #aliases: AliasWriter | null
  /** Largest packet the client takes, in bytes. */
  readonly maxPacket: number
  /** Groups that this session takes messages for. */
  readonly shares = new LazySet<Subscriber>()
  readonly #resending: Resending
  /** What new subscriptions get at once; null: none has asked yet. */
  snapshots: Snapshots | null = null
  /** Retained messages in the queue that were not sent yet: their topics, by number; null where a newer one went past them. */
  readonly #copies = new LazyMap<number, string | null>()
  #roomAwaited: (() => void)[] = []

  constructor(identity: SessionIdentity, services: SessionServices, outbox: Outbox, guard: DeliveryGuard) {
    super(identity.id, identity.user, services)
    this.version = identity.version
    this.persistent = identity.persistent
    this.#outbox = outbox
    this.#guard = guard
    this.#packets = new PacketMaker({
      version: identity.version,
      user: identity.user,
      clientId: identity.id.slice(identity.user.length + 1),
      maxPacket: identity.maxPacket,
      subscriptions: this.subscriptions,
      counters: services.counters,
      isFor: (topic, payload) => guard.isFor(topic, payload),
    })
    this.maxPacket = identity.maxPacket
    const { topicAliases, maxPacket } = identity
    this.#aliases = topicAliases > 0 ? new AliasWriter(topicAliases, maxPacket) : null
    this.#resending = new Resending((publish) => this.#push(publish), identity.receiveMaximum)
    this.inflight = new Inflight(Math.min(services.limits.inflight, identity.receiveMaximum))
    const own = (sessionId: string): boolean => sessionId === identity.id
    this.#backlog = services.backlogs.open(own)
    this.#queueBacklog = identity.persistent ? services.backlogs.open(own) : null
    const { queueMessages, queueBytes } = services.limits
    this.#waiting = new DirectQueue(queueMessages, queueBytes, this.#backlog, () => outbox.position)
    this.#directOwner = { source: null, acknowledged() {} }
  }

  get waiting(): number {
    return this.#waiting.length
  }

  get capacity(): number {
    return this.#stalled ? 0 : this.inflight.capacity
  }

  /** Until the packets from before a reconnect are on their way, nothing else is sent. */
  get #stalled(): boolean {
    return this.pumping.held || this.#outbox.congested
  }

  savedInflight(): SavedInflight[] {
    return this.inflight.saved()
  }

  override pump(): void {
    super.pump()
    for (const group of this.shares) group.pump()
    this.rested()
  }

  protected withdraw(from: LogFeed | string): void {
    if (typeof from === 'string') {
      this.dropWaiting(from)
      return
    }
    this.#giveUp(({ packetId }) => this.inflight.get(packetId)?.owner === from)
    this.inflight.forget(from)
    this.dropLive(from)
  }

  protected override entrust(feed: LogFeed): void {
    this.inflight.entrust(feed, farewell(feed.source))
  }

  protected override dropLive(feed: LogFeed): void {
    this.#waiting.purge((item) => item.kind === 'live' && item.feed === feed)
  }

  /** At QoS 0 a feed has no position: what is not on its way waits, unless the queue was full. */
  override owes(feed: LogFeed, seq: number): boolean {
    if (feed.qos > 0) return super.owes(feed, seq)
    return this.#waiting.some((item) => item.kind === 'live' && item.feed === feed && item.entry.seq === seq)
  }

  /** Messages of the moment on a topic that may no longer be delivered. */
  dropWaiting(topic: string): void {
    this.#waiting.purge((item) => item.kind === 'direct' && item.message.topic === topic)
  }

  override start(): void {
    if (this.#queueBacklog) this.#leaveQueue = this.services.store.queue.attend(this.id, this.#queueBacklog)
    super.start()
  }

  override close(): void {
    for (const [number, topic] of this.#copies) if (topic === null) this.queue.skip(number)
    super.close()
    this.#waiting.purge(() => true)
    this.#leaveQueue?.()
    this.#queueBacklog?.close()
    this.#backlog.close()
    this.rested()
  }

  // --- live delivery (called by the hub) -----------------------------------------------------------------------------------

  sendBatch(feed: LogFeed, batch: ViewBatch): boolean {
    if (this.#stalled || this.#guard.forward || this.#resending.isWaiting) return false
    const encoded = this.#packets.batch(feed, batch)
    if (encoded.idAt.length === 0) {
      if (encoded.bytes.length > 0) this.#push(encoded.bytes)
    } else {
      if (this.inflight.capacity < encoded.idAt.length || (encoded.qos === 2 && this.persistent)) return false
      this.#push(this.#number(feed, encoded))
    }
    feed.sent(batch.last)
    return true
  }

  sendLive(feed: LogFeed, batch: ViewBatch): void {
    if (this.#waiting.length === 0 && !this.#stalled && !this.#guard.forward) {
      const { bytes } = this.#packets.batch(feed, batch)
      if (bytes.length > 0) this.#push(bytes)
      return
    }
    for (const entry of batch.entries) this.#wait({ kind: 'live', feed, entry })
    this.pump()
  }

  acceptDirect(message: UnloggedMessage, qos: QoS): void {
    const level = Math.min(message.qos, qos) as QoS
    const sent = this.#waiting.length === 0 && this.#sendDirect(message, level)
    const taken = sent || this.#wait({ kind: 'direct', message, qos: level })
    if (taken && !message.retain) this.snapshots?.heard(message.topic)
    if (!sent) this.pump()
  }

  /** A reply on a topic of the client's choice: only where the session subscribes to it (DESIGN §2, Requests). */
  answer(message: UnloggedMessage): void {
    const matching = this.#packets.matching(message.topic)
    if (matching.length > 0) this.acceptDirect(message, Math.max(...matching.map(({ qos }) => qos)) as QoS)
  }

  acceptPlain(message: UnloggedMessage, qos: QoS, filters: readonly string[], queued: number | null): void {
    if (message.replaces && queued === null) this.#overtake(message.topic)
    const own = message.origin === this.id ? this.#packets.ownOptions(message.topic) : undefined
    if (own === null) {
      if (queued !== null) this.queue.skip(queued)
      return
    }
    const level = Math.min(message.qos, qos) as QoS
    if (!this.#mayReceive(message.topic, filters)) {
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
      this.acceptDirect(message, level)
      if (queued !== null) this.queue.skip(queued)
    } else if (!this.queueIsFull(message)) this.acceptDirect(message, 0)
  }

  // --- retained messages of new subscriptions ------------------------------------------------------------------------------------

  keeps(qos: QoS): boolean {
    return qos > 0 && this.persistent
  }

  /** By the measure by which what waits is dropped; the other half is left for what comes live. */
  hasRoom(bytes: number, qos: QoS, kept: boolean): boolean {
    const { queueMessages, queueBytes } = this.services.limits
    if (kept) {
      const waiting = this.services.store.queue.size(this.id)
      if (waiting.messages === 0) return true
      return waiting.messages * 2 < queueMessages && (waiting.bytes + bytes) * 2 <= queueBytes
    }
    if (this.#waiting.length === 0 && !this.#stalled && (qos === 0 || this.inflight.capacity > 0)) return true
    return this.#waiting.length * 2 < queueMessages && (this.#waiting.bytes + bytes) * 2 <= queueBytes
  }

  async roomCame(): Promise<void> {
    if (this.closed) return
    const came = new Promise<void>((resolve) => this.#roomAwaited.push(resolve))
    this.#saveForRoom()
    await came
  }

  override forgetQueued(number: number): void {
    super.forgetQueued(number)
    if (this.#roomAwaited.length > 0) this.#saveForRoom()
  }

  /** What is acknowledged takes room in the queue until it is saved: not in single steps. */
  #saveForRoom(): void {
    const { messages } = this.services.store.queue.size(this.id)
    const acknowledged = this.acknowledgedQueue.length
    if (acknowledged > 0 && acknowledged * 4 >= messages) this.saver?.saveSoon()
  }

  /** At QoS 1 and 2 to a session that outlives its connection: through its queue, so that it survives like any other message. */
  takeRetained(message: PlainMessage, qos: QoS, replaced: () => boolean): void {
    const { store } = this.services
    if (!this.keeps(qos)) {
      const { topic, payload, extra = null } = message
      this.acceptDirect(unlogged(topic, payload, qos, { retain: true, extra }), qos)
      return
    }
    let late = false
    const isLate = (): boolean => (late = replaced())
    const { op, number } = store.queue.copyOp({ ...message, retain: true }, { sessionId: this.id, qos }, isLate)
    const settled = (error: StoreError | null): void => {
      if (error) this.failed(error)
      else if (!late && !this.closed) this.#copies.set(number, message.topic)
      // In its turn, not a promise later: a live message of the same commit has the next number, and would go first.
      this.queue.announce(number)
    }
    store.commit({ drafts: [], ops: [op], settled })
  }

  /** A newer message of the topic goes past the queue: what waits there of the topic is not to come behind it. */
  #overtake(topic: string): void {
    for (const [number, waiting] of this.#copies) if (waiting === topic) this.#copies.set(number, null)
  }

  /** It has its turn. Whether it was overtaken. */
  #wasOvertaken(number: number): boolean {
    const topic = this.#copies.get(number)
    this.#copies.delete(number)
    return topic === null
  }

  mayReceive(topic: string): boolean {
    return this.#guard.mayReceive(topic)
  }

  isFor(topic: string, payload: Buffer): boolean {
    return this.#guard.isFor(topic, payload)
  }

  #mayReceive(topic: string, filters: readonly string[]): boolean {
    for (const filter of filters) if (this.subscriptions.get(filter)?.unconditional) return true
    return this.#guard.mayReceive(topic)
  }

  /** Whether a message that waited may still be delivered. */
  mayReceiveQueued(topic: string): boolean {
    if (this.#guard.mayReceive(topic)) return true
    for (const { filter, unconditional } of this.subscriptions.values())
      if (unconditional && filterMatches(filter, topic)) return true
    return false
  }

  /** Its roles are others now: what waits on plain topics and may not be delivered any more is dropped. */
  dropForbidden(): void {
    const forbidden = ({ topic }: { topic: string }): boolean => !isChatTopic(topic) && !this.mayReceiveQueued(topic)
    this.#waiting.purge((item) => item.kind === 'direct' && forbidden(item.message))
    for (const { owner, seq } of this.#giveUp(forbidden)) owner.acknowledged(seq)
  }

  /** Packets from before the reconnect that have not had their turn yet, and get none: their flows are over. */
  #giveUp(forbidden: Parameters<Resending['purge']>[0]): Flight[] {
    const flights = this.#resending.purge(forbidden).map((packetId) => this.inflight.get(packetId)!)
    for (const flight of flights) this.inflight.end(flight)
    return flights
  }

  /** False: it is dropped. */
  #wait(item: Waiting): boolean {
    if (this.#waiting.push(item)) return true
    this.services.counters.add(item.kind === 'live' ? 'dropped.slow_reader' : 'dropped.queue_full')
    return false
  }

  // --- sending ----------------------------------------------------------------------------------------------------------------

  /** One message of a share group; `owner` is told when it is done. */
  take(owner: FlightOwner, seq: number, message: SharedMessage): TakeResult {
    const { qos } = message
    if (this.#stalled || (qos > 0 && this.inflight.capacity <= 0)) return 'full'
    const [shown] = this.#forwarded(message.topic, message, qos)
    if (!shown) return 'done'
    const encoded = this.#packets.plain(shown, qos)
    if (encoded.bytes.length > this.maxPacket) return 'too_large'
    if (qos > 0) this.#patch(encoded.bytes, encoded.idAt[0]!, this.inflight.start(owner, seq, qos).packetId)
    this.#pushDurably(encoded.bytes, encoded)?.catch((error: unknown) => this.failed(error))
    return qos === 0 ? 'done' : 'lent'
  }

  /** A copy with this session's packet ids. */
  #number(feed: LogFeed, encoded: EncodedPublishes<LogEntry>): Buffer {
    const bytes = Buffer.allocUnsafe(encoded.bytes.length)
    encoded.bytes.copy(bytes)
    for (let i = 0; i < encoded.idAt.length; i++) {
      const entry = encoded.numbered[i]!
      const flight = this.inflight.start(feed, entry.seq, Math.min(entry.qos, feed.qos) as QoS)
      feed.outstanding.add(entry.seq)
      this.#patch(bytes, encoded.idAt[i]!, flight.packetId)
    }
    return bytes
  }

  /** Publishes on their way out. */
  #push(publishes: Buffer): void {
    this.#outbox.push(this.#aliases ? this.#aliases.rewrite(publishes) : publishes)
  }

  #patch(bytes: Buffer, at: number, packetId: number): void {
    bytes[at] = packetId >> 8
    bytes[at + 1] = packetId & 0xff
  }

  sendEntries(feed: LogFeed, entries: readonly LogEntry[]): void | Promise<void> {
    const last = entries[entries.length - 1]!.seq
    const { form, topic } = feed.view
    let shown = form
      ? entries.map((entry) => ({ ...entry, payload: form(entry) })).filter((entry) => entry.payload.length > 0)
      : entries
    if (this.#guard.forward) shown = shown.flatMap((entry) => this.#forwarded(topic, entry, feed.qos))
    if (shown.length === 0) {
      feed.sent(last)
      return
    }
    const encoded = this.#packets.entries(feed, shown)
    const bytes = encoded.idAt.length > 0 ? this.#number(feed, encoded) : encoded.bytes
    feed.sent(last)
    return this.#pushDurably(bytes, encoded)
  }

  async sendQueued(feed: QueueFeed, messages: readonly QueuedMessage[]): Promise<void> {
    const packets: EncodedPublishes[] = []
    for (const { number, message, qos } of messages) {
      // Others may have filled the window while the messages were read.
      if (this.closed || this.capacity <= 0) break
      const level = Math.min(message.qos, qos) as QoS
      const overtaken = this.#wasOvertaken(number)
      const shown = overtaken ? undefined : this.#queuedAsShown(message, level)
      feed.sent(number)
      const packet = shown ? this.#plainPacket(feed, shown, level, number) : null
      if (packet) packets.push(packet)
      else if (!shown) feed.skip(number)
    }
    await this.#pushInOrder(packets)
  }

  #queuedAsShown(message: PlainMessage, qos: QoS): PlainMessage | undefined {
    if (isExpired(message.extra)) return undefined
    const own = message.clientId === this.id ? this.#packets.ownOptions(message.topic) : undefined
    const shown: OutboundMessage & PlainMessage = own ? { ...message, ids: own.ids } : message
    const allowed = this.mayReceiveQueued(message.topic) && this.isFor(message.topic, message.payload)
    if (allowed) return this.#forwarded(message.topic, shown, qos)[0]
    this.services.counters.add('dropped.forbidden')
    return undefined
  }

  /** What the `authorizeForward` hook lets pass of a message: one, or none. */
  #forwarded<M extends Outgoing>(topic: string, message: M, qos: QoS): M[] {
    const { forward } = this.#guard
    if (!forward) return [message]
    const payload = forward(topic, message.payload, Math.min(message.qos, qos) as QoS)
    return payload ? [{ ...message, payload }] : []
  }

  sendPlain(feed: QueueFeed, message: UnloggedMessage, qos: QoS, number: number): boolean {
    if (this.capacity <= 0 || qos === 2 || this.#guard.forward || this.#waiting.length > 0) return false
    if (isExpired(message.extra)) {
      feed.sent(number)
      feed.skip(number)
      return true
    }
    const packet = this.#plainPacket(feed, message, qos, number)
    feed.sent(number)
    if (packet) this.#push(packet.bytes)
    return true
  }

  /** Null: larger than the client takes, and done with. */
  #plainPacket(feed: QueueFeed, message: OutboundMessage, qos: QoS, number: number): EncodedPublishes | null {
    const encoded = this.#packets.plain(message, qos)
    if (encoded.bytes.length > this.maxPacket) {
      this.services.counters.add('dropped.packet_too_large')
      feed.skip(number)
      return null
    }
    const flight = this.inflight.start(feed, number, qos)
    feed.outstanding.add(number)
    this.#patch(encoded.bytes, encoded.idAt[0]!, flight.packetId)
    return encoded
  }

  /** QoS 2 of a session that outlives its connection: the packet id is durable before the packet leaves (DESIGN §3). */
  #pushDurably(bytes: Buffer, { qos, idAt }: Pick<EncodedPublishes, 'qos' | 'idAt'>): void | Promise<void> {
    if (qos < 2 || !this.persistent || !this.saver) {
      this.#push(bytes)
      return
    }
    return this.saver.saveNow().then(() => {
      for (const at of idAt) this.inflight.leaves(bytes.readUInt16BE(at))
      this.#push(bytes)
    })
  }

  /** As `#pushDurably`, with one save for all of them. */
  #pushInOrder(packets: readonly EncodedPublishes[]): void | Promise<void> {
    const exactlyOnce = packets.some(({ qos }) => qos === 2)
    const push = (): void => {
      for (const { bytes } of packets) this.#push(bytes)
    }
    if (!exactlyOnce || !this.persistent || !this.saver) return push()
    return this.saver.saveNow().then(() => {
      for (const { bytes, idAt } of packets) this.inflight.leaves(bytes.readUInt16BE(idAt[0]!))
      push()
    })
  }

  /** False when it cannot go now. */
  #sendDirect(message: UnloggedMessage, qos: QoS): boolean {
    if (this.#stalled || (qos > 0 && this.inflight.capacity <= 0)) return false
    if (isExpired(message.extra)) return true
    const [shown] = this.#forwarded(message.topic, message, qos)
    if (!shown) return true
    // What the `authorizeForward` hook has a say in is not shared.
    const encoded = this.#packets.direct(shown, qos, this.#guard.forward ? [] : message.cache)
    if (encoded.bytes.length > this.maxPacket) {
      this.services.counters.add('dropped.packet_too_large')
      return true
    }
    if (qos === 0) {
      this.#push(encoded.bytes)
      return true
    }
    const bytes = Buffer.from(encoded.bytes)
    this.#patch(bytes, encoded.idAt[0]!, this.inflight.start(this.#directOwner, 0, qos).packetId)
    this.#push(bytes)
    return true
  }

  sendWaiting(): boolean {
    const item = this.#waiting.first!
    if (item.kind === 'direct') {
      if (!this.#maySeeStill(item.message)) this.services.counters.add('dropped.forbidden')
      else if (!this.#sendDirect(item.message, item.qos)) return false
    } else {
      if (this.#stalled) return false
      const { topic } = item.feed.view
      const shown = this.#forwarded(topic, item.entry, 0)
      const { bytes } = this.#packets.entries(item.feed, shown)
      if (bytes.length > 0) this.#push(bytes)
    }
    this.#waiting.shift()
    return true
  }

  /** Who may read a device, and whose presence one sees, may change while a message waits. */
  #maySeeStill({ topic, blank }: UnloggedMessage): boolean {
    if (deviceOf(topic) !== null) return this.mayReceiveQueued(topic)
    return blank === true || this.#guard.maySee(topic)
  }

  /** Whoever waits for room may look again. */
  rested(): void {
    if (this.#roomAwaited.length > 0) for (const resolve of this.#roomAwaited.splice(0)) resolve()
  }

  /** Told when the store could not be read or written on behalf of this session. */
  onFailure: ((error: unknown) => void) | null = null

  failed(error: unknown): void {
    this.services.counters.add('failed.replay')
    this.onFailure?.(error)
  }

  // --- acknowledgements from the client ------------------------------------------------------------------------------------------

  /** PUBACK, or PUBCOMP. */
  complete(flight: Flight): void {
    const wasFull = this.inflight.capacity <= 0
    this.#answered()
    this.inflight.end(flight)
    flight.owner.acknowledged(flight.seq)
    this.#resending.done(flight.packetId)
    if (wasFull || this.pumping.isBehind || this.waiting > 0) this.pump()
  }

  #answered(): void {
    this.#backlog.answered()
    this.#queueBacklog?.answered()
  }

  /** PUBREC: the message is the client's; PUBREL follows, after the state is durable [MQTT-4.3.3-1]. */
  async release(packetId: number): Promise<boolean> {
    const flight = this.inflight.get(packetId)
    const known = flight?.qos === 2
    if (known) flight.released = true
    if (known) this.#answered()
    // An id that is not known waits too: PUBRELs leave in the order of the PUBRECs [MQTT-4.6.0-4].
    if (this.persistent && this.saver) await this.saver.saveNow()
    return known
  }

  // --- after a reconnect ----------------------------------------------------------------------------------------------------------

  /** Sends a packet again under its original id, with DUP [MQTT-4.4.0-1]; where it is larger than the client takes now, it is done with. */
  resend(flight: Flight, message: OutboundMessage): void {
    const { bytes, idAt } = this.#packets.plain(message, flight.qos)
    if (bytes.length > this.maxPacket) {
      this.services.counters.add('dropped.packet_too_large')
      this.complete(flight)
      return
    }
    this.#patch(bytes, idAt[0]!, flight.packetId)
    markDuplicate(bytes)
    this.#resending.add({ packetId: flight.packetId, topic: message.topic, bytes })
  }

  resendRelease(flight: Flight): void {
    this.#outbox.push(encodeAck(this.version, 'pubrel', flight.packetId))
  }
}
