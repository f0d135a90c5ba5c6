/**
 * A session: what a client subscribed to, where it is in each log, and what is under way to it [MQTT-4.1]. It lives as long as the
 * connection; what must outlive that is saved (session-keeper.ts). Hot path: sendBatch and what it calls use plain loops and buffers.
 */
import { filterMatches } from '../../schemas/topics.js'
import type { Batch, Direct, Endpoint, PlainSubscription, View } from '../hub.js'
import type { LogEntry, PlainMessage, QoS, QueuedMessage } from '../store/store.js'
import { type EncodedPublishes, encodeAck, markDuplicate, type Outgoing } from './codec/encode.js'
import type { Version } from './codec/packets.js'
import { DirectQueue, type Waiting } from './direct-queue.js'
import { type Behind, type FeedHost, type FeedWish, LogFeed, type Progress, QueueFeed, READ_BYTES } from './feeds.js'
import { type Flight, type FlightOwner, Inflight } from './inflight.js'
import { isExpired } from './message-properties.js'
import type { Outbox } from './outbox.js'
import { PacketMaker, type Shown } from './packet-maker.js'
import { Resending } from './resending.js'
import type { DeliveryGuard, SessionIdentity, SessionSaver, SessionServices } from './session-parts.js'
import type { Subscription } from './subscription.js'

export class Session implements Endpoint, FeedHost {
  readonly id: string
  readonly user: string
  readonly version: Version
  readonly persistent: boolean
  readonly subscriptions = new Map<string, Subscription>()
  readonly feeds = new Map<string, LogFeed>()
  readonly queue: QueueFeed
  readonly inflight: Inflight
  readonly dirtyFeeds = new Set<LogFeed | QueueFeed>()
  /** Queue numbers acknowledged since the last save. */
  acknowledgedQueue: number[] = []
  closed = false
  saver: SessionSaver | null = null

  readonly #services: SessionServices
  readonly #outbox: Outbox
  readonly #guard: DeliveryGuard
  readonly #waiting: DirectQueue
  readonly #plain = new Map<string, PlainSubscription>()
  readonly #listening = new Set<string>()
  readonly #directOwner: FlightOwner
  readonly #packets: PacketMaker
  /** Largest packet the client takes, in bytes. */
  readonly maxPacket: number
  readonly #resending: Resending
  /** While retained messages are read: topics that got another one since, live. */
  readonly #replaced = new Set<Set<string>>()
  #behind: Behind[] = []
  #pumping = false
  /** Room came, or more to send, while the pump ran. */
  #pumpAgain = false
  /** Until the packets from before a reconnect are on their way, nothing else is sent. */
  #held = true
  #roomAwaited: (() => void)[] = []

  constructor(identity: SessionIdentity, services: SessionServices, outbox: Outbox, guard: DeliveryGuard) {
    this.id = identity.id
    this.user = identity.user
    this.version = identity.version
    this.persistent = identity.persistent
    this.#services = services
    this.#outbox = outbox
    this.#guard = guard
    this.#packets = new PacketMaker({
      version: identity.version,
      user: identity.user,
      clientId: identity.id.slice(identity.user.length + 1),
      maxPacket: identity.maxPacket,
      subscriptions: this.subscriptions,
      counters: services.counters,
    })
    this.maxPacket = identity.maxPacket
    this.#resending = new Resending(outbox, identity.receiveMaximum)
    this.inflight = new Inflight(Math.min(services.limits.inflight, identity.receiveMaximum))
    this.#waiting = new DirectQueue(services.limits.queueMessages, services.limits.queueBytes)
    this.queue = new QueueFeed(this, 1)
    this.#directOwner = { source: null, acknowledged() {} }
  }

  get room(): number {
    return this.#stalled ? 0 : this.inflight.room
  }

  get #stalled(): boolean {
    return this.#held || this.#outbox.congested
  }

  /** What was saved is wholly back: only then may it be saved anew. */
  get started(): boolean {
    return !this.#held
  }

  /** Delivery begins. */
  start(): void {
    this.#held = false
    this.pump()
  }

  // --- what the session listens to -----------------------------------------------------------------------------------------

  /** Sends messages of a view from `next` on; what is there already is read first. */
  attach(view: View, wish: FeedWish, next: number): void {
    if (this.closed) return
    const { qos } = wish
    const feed = new LogFeed(this, view, wish, next)
    this.feeds.set(view.cursor, feed)
    this.#services.hub.attach(view, feed)
    if (qos > 0 && next <= this.headOf(view)) this.fallBehind(feed)
  }

  /** A feed that was live only has a cursor from `next` on. What it sent when it had one before stays under way [MQTT-3.10.4-3]. */
  follow(feed: LogFeed, wish: FeedWish, next: number): void {
    this.#waiting.purge((item) => item.kind === 'live' && item.feed === feed)
    Object.assign(feed, wish)
    // It may still be reading what came while it had a cursor.
    if (feed.behind) return
    feed.next = next
    if (next <= this.headOf(feed.view)) this.fallBehind(feed)
  }

  detach(feed: LogFeed): void {
    feed.attached = false
    this.feeds.delete(feed.view.cursor)
    this.dirtyFeeds.delete(feed)
    this.#services.hub.detach(feed.view, feed)
    this.inflight.forget(feed)
    this.#behind = this.#behind.filter((behind) => behind !== feed)
    this.#waiting.purge((item) => item.kind === 'live' && item.feed === feed)
  }

  listen(topic: string, qos: QoS): void {
    if (this.closed) return
    this.#listening.add(topic)
    this.#services.hub.listen(topic, this, qos)
  }

  unlisten(topic: string): void {
    if (!this.#listening.delete(topic)) return
    this.#services.hub.unlisten(topic, this)
    this.#waiting.purge((item) => item.kind === 'direct' && item.message.topic === topic)
  }

  get listening(): ReadonlySet<string> {
    return this.#listening
  }

  subscribePlain(filter: string, qos: QoS): void {
    this.unsubscribePlain(filter)
    if (this.closed) return
    const subscription: PlainSubscription = { endpoint: this, filter, qos }
    this.#plain.set(filter, subscription)
    this.#services.hub.subscribePlain(subscription)
  }

  unsubscribePlain(filter: string): void {
    const subscription = this.#plain.get(filter)
    if (!subscription) return
    this.#plain.delete(filter)
    this.#services.hub.unsubscribePlain(subscription)
  }

  /** Stops listening to everything: nothing is delivered any more. */
  close(): void {
    if (this.closed) return
    this.closed = true
    const { hub } = this.#services
    for (const feed of this.feeds.values()) {
      feed.attached = false
      hub.detach(feed.view, feed)
    }
    for (const topic of this.#listening) hub.unlisten(topic, this)
    for (const subscription of this.#plain.values()) hub.unsubscribePlain(subscription)
    this.#behind = []
    this.#waiting.purge(() => true)
    for (const resolve of this.#roomAwaited.splice(0)) resolve()
  }

  // --- live delivery (called by the hub) -----------------------------------------------------------------------------------

  sendBatch(feed: LogFeed, batch: Batch): boolean {
    if (this.#stalled || this.#guard.forward) return false
    const encoded = this.#packets.batch(feed, batch)
    if (encoded.idAt.length === 0) {
      if (encoded.bytes.length > 0) this.#outbox.push(encoded.bytes)
    } else {
      if (this.inflight.room < encoded.idAt.length || (encoded.qos === 2 && this.persistent)) return false
      this.#outbox.push(this.#number(feed, encoded))
    }
    feed.sent(batch.last)
    return true
  }

  sendLive(feed: LogFeed, batch: Batch): void {
    if (this.#waiting.length === 0 && !this.#stalled && !this.#guard.forward) {
      const { bytes } = this.#packets.batch(feed, batch)
      if (bytes.length > 0) this.#outbox.push(bytes)
      return
    }
    for (const entry of batch.entries) this.#wait({ kind: 'live', feed, entry })
    this.pump()
  }

  acceptDirect(message: Direct, qos: QoS): void {
    const level = Math.min(message.qos, qos) as QoS
    if (this.#waiting.length === 0 && this.#sendDirect(message, level)) return
    this.#wait({ kind: 'direct', message, qos: level })
    this.pump()
  }

  /** A reply on a topic of the client's choice: only where the session subscribes to it (DESIGN §2, Requests). */
  answer(message: Direct): void {
    const matching = this.#packets.matching(message.topic)
    if (matching.length > 0) this.acceptDirect(message, Math.max(...matching.map(({ qos }) => qos)) as QoS)
  }

  acceptPlain(message: Direct, qos: QoS, filters: readonly string[], queued: number | null): void {
    if (message.replaces) for (const topics of this.#replaced) topics.add(message.topic)
    const granted = message.origin === this.id ? this.#grantedOfOwn(message.topic) : qos
    if (granted === null) {
      if (queued !== null) this.queue.skip(queued)
      return
    }
    const level = Math.min(message.qos, granted) as QoS
    if (!this.#mayReceive(message.topic, filters)) {
      this.#services.counters.add('dropped.forbidden')
      if (queued !== null) this.queue.skip(queued)
      return
    }
    if (level === 0 || !this.persistent) this.acceptDirect(message, level)
    else if (queued !== null) this.queue.accept(message, level, queued)
  }

  /** The QoS at which this session gets what it published itself; null where every filter that matches says no local [MQTT5-3.8.3-3]. */
  #grantedOfOwn(topic: string): QoS | null {
    const asking = this.#packets.matching(topic).filter(({ noLocal }) => !noLocal)
    return asking.length === 0 ? null : (Math.max(...asking.map(({ qos }) => qos)) as QoS)
  }

  watchReplaced(): ReadonlySet<string> {
    const topics = new Set<string>()
    this.#replaced.add(topics)
    return topics
  }

  unwatchReplaced(topics: ReadonlySet<string>): void {
    this.#replaced.delete(topics as Set<string>)
  }

  #mayReceive(topic: string, filters: readonly string[]): boolean {
    for (const filter of filters) if (this.subscriptions.get(filter)?.unconditional) return true
    return this.#guard.mayReceive(topic)
  }

  /** Whether a message that waited may still be delivered. */
  mayReceiveQueued(topic: string): boolean {
    for (const { filter, unconditional } of this.subscriptions.values()) {
      if (unconditional && filterMatches(filter, topic)) return true
    }
    return this.#guard.mayReceive(topic)
  }

  #wait(item: Waiting): void {
    if (!this.#waiting.push(item))
      this.#services.counters.add(item.kind === 'live' ? 'dropped.slow_reader' : 'dropped.queue_full')
  }

  // --- sending ----------------------------------------------------------------------------------------------------------------

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
    return this.#pushDurably(bytes, encoded.qos)
  }

  async sendQueued(feed: QueueFeed, messages: readonly QueuedMessage[]): Promise<void> {
    for (const { number, message, qos } of messages) {
      // Others may have filled the window while the messages were read.
      if (this.closed || this.room <= 0) return
      const level = Math.min(message.qos, qos) as QoS
      const shown = this.#queuedAsShown(message, level)
      feed.sent(number)
      const packet = shown ? this.#plainPacket(feed, shown, level, number) : null
      if (packet) await this.#pushDurably(packet, level)
      else if (!shown) feed.skip(number)
    }
  }

  #queuedAsShown(message: PlainMessage, qos: QoS): PlainMessage | undefined {
    if (isExpired(message.extra)) return undefined
    if (this.mayReceiveQueued(message.topic)) return this.#forwarded(message.topic, message, qos)[0]
    this.#services.counters.add('dropped.forbidden')
    return undefined
  }

  /** What the `authorizeForward` hook lets pass of a message: one, or none. */
  #forwarded<M extends Outgoing>(topic: string, message: M, qos: QoS): M[] {
    const { forward } = this.#guard
    if (!forward) return [message]
    const payload = forward(topic, message.payload, Math.min(message.qos, qos) as QoS)
    return payload ? [{ ...message, payload }] : []
  }

  sendPlain(feed: QueueFeed, message: Direct, qos: QoS, number: number): boolean {
    if (this.room <= 0 || qos === 2 || this.#guard.forward) return false
    const packet = this.#plainPacket(feed, message, qos, number)
    feed.sent(number)
    if (packet) this.#outbox.push(packet)
    return true
  }

  /** Null: larger than the client takes, and done with. */
  #plainPacket(feed: QueueFeed, message: Shown, qos: QoS, number: number): Buffer | null {
    const encoded = this.#packets.plain(message, qos)
    if (encoded.bytes.length > this.maxPacket) {
      this.#services.counters.add('dropped.packet_too_large')
      feed.skip(number)
      return null
    }
    const flight = this.inflight.start(feed, number, qos)
    feed.outstanding.add(number)
    this.#patch(encoded.bytes, encoded.idAt[0]!, flight.packetId)
    return encoded.bytes
  }

  /** QoS 2 of a session that outlives its connection: the packet id is durable before the packet leaves (DESIGN §3). */
  #pushDurably(bytes: Buffer, qos: QoS): void | Promise<void> {
    if (qos < 2 || !this.persistent || !this.saver) {
      this.#outbox.push(bytes)
      return
    }
    return this.saver.saveNow().then(() => this.#outbox.push(bytes))
  }

  /** False when it cannot go now. */
  #sendDirect(message: Direct, qos: QoS): boolean {
    if (this.#stalled || (qos > 0 && this.inflight.room <= 0)) return false
    if (isExpired(message.extra)) return true
    const [shown] = this.#forwarded(message.topic, message, qos)
    if (!shown) return true
    // What the `authorizeForward` hook has a say in is not shared.
    const encoded = this.#packets.direct(shown, qos, this.#guard.forward ? [] : message.cache)
    if (encoded.bytes.length > this.maxPacket) {
      this.#services.counters.add('dropped.packet_too_large')
      return true
    }
    if (qos === 0) {
      this.#outbox.push(encoded.bytes)
      return true
    }
    const bytes = Buffer.from(encoded.bytes)
    this.#patch(bytes, encoded.idAt[0]!, this.inflight.start(this.#directOwner, 0, qos).packetId)
    this.#outbox.push(bytes)
    return true
  }

  #sendWaiting(): boolean {
    const item = this.#waiting.first!
    if (item.kind === 'direct') {
      if (!this.#sendDirect(item.message, item.qos)) return false
    } else {
      if (this.#stalled) return false
      const { topic } = item.feed.view
      const shown = this.#forwarded(topic, item.entry, 0)
      const { bytes } = this.#packets.entries(item.feed, shown)
      if (bytes.length > 0) this.#outbox.push(bytes)
    }
    this.#waiting.shift()
    return true
  }

  // --- catching up ---------------------------------------------------------------------------------------------------------------

  fallBehind(feed: Behind): void {
    if (feed.behind) return
    feed.behind = true
    this.#behind.push(feed)
    this.pump()
  }

  /** Sends what waits while the socket and the window take it: feeds in turn, a page each. Called whenever room may have come. */
  pump(): void {
    if (this.#held || this.closed) return
    this.#pumpAgain = this.#pumping
    if (this.#pumping) return
    if (this.#waiting.length === 0 && this.#behind.length === 0) return
    this.#pumping = true
    void this.#pumpLoop()
  }

  async #pumpLoop(): Promise<void> {
    try {
      for (let blocked = 0; ; ) {
        while (this.#waiting.length > 0 && this.#sendWaiting());
        if (this.#pumpAgain) blocked = 0
        this.#pumpAgain = false
        if (this.closed || blocked >= this.#behind.length) break
        const feed = this.#behind.shift()!
        const step = feed.advance()
        const progress: Progress = step instanceof Promise ? await step : step
        if (progress !== 'done') this.#behind.push(feed)
        blocked = progress === 'blocked' ? blocked + 1 : 0
      }
    } catch (error) {
      this.#services.counters.add('failed.replay')
      this.failed?.(error)
    } finally {
      this.#pumping = false
      for (const resolve of this.#roomAwaited.splice(0)) resolve()
    }
  }

  /** Resolves when the direct messages that wait are few enough to add more without loss. */
  async roomForDirect(): Promise<void> {
    while (!this.closed && this.#waiting.length > this.#services.limits.queueMessages / 2) {
      await new Promise<void>((resolve) => this.#roomAwaited.push(resolve))
    }
  }

  /** Called when the store could not be read or written on behalf of this session. */
  failed: ((error: unknown) => void) | null = null

  readLog(view: View, after: number, limit: number): LogEntry[] | Promise<LogEntry[]> {
    return this.#services.store.log.read(view.log, after, limit, READ_BYTES)
  }

  headOf(view: View): number {
    return this.#services.store.log.peek(view.log)?.head ?? 0
  }

  readQueue(after: number, limit: number): Promise<QueuedMessage[]> {
    return this.#services.store.queue.read(this.id, after, limit, READ_BYTES)
  }

  // --- acknowledgements from the client ------------------------------------------------------------------------------------------

  /** PUBACK, or PUBCOMP. Unknown ids are ignored: they may stem from before a crash. */
  complete(packetId: number, qos: QoS): Flight | undefined {
    const flight = this.inflight.get(packetId)
    if (!flight || flight.qos !== qos) return undefined
    const wasFull = this.inflight.room <= 0
    this.inflight.end(flight)
    flight.owner.acknowledged(flight.seq)
    this.#resending.done(packetId)
    if (wasFull || this.#behind.length > 0 || this.#waiting.length > 0) this.pump()
    return flight
  }

  /** PUBREC: the message is the client's; PUBREL follows, after the state is durable [MQTT-4.3.3-1]. */
  async release(packetId: number): Promise<boolean> {
    const flight = this.inflight.get(packetId)
    if (flight?.qos !== 2) return false
    if (!flight.released) {
      flight.released = true
      if (this.persistent && this.saver) await this.saver.saveNow()
    }
    return true
  }

  touched(feed: LogFeed | QueueFeed): void {
    if (!this.persistent || this.#held) return
    this.dirtyFeeds.add(feed)
    this.saver?.touched()
  }

  forgetQueued(number: number): void {
    this.acknowledgedQueue.push(number)
    // What is acknowledged takes room in the queue until it is saved; where room gets scarce that is soon.
    const { queueMessages, queueBytes } = this.#services.limits
    const { messages, bytes } = this.#services.store.queue.size(this.id)
    const scarce = messages * 2 >= queueMessages || bytes * 2 >= queueBytes
    if (scarce && this.acknowledgedQueue.length * 4 >= messages) this.saver?.saveSoon()
  }

  // --- after a reconnect ----------------------------------------------------------------------------------------------------------

  /** Sends a packet again under its original id, with DUP [MQTT-4.4.0-1]; where it is larger than the client takes now, it is done with. */
  resend(flight: Flight, message: Shown): void {
    const { bytes, idAt } = this.#packets.plain(message, flight.qos)
    if (bytes.length > this.maxPacket) {
      this.#services.counters.add('dropped.packet_too_large')
      this.complete(flight.packetId, flight.qos)
      return
    }
    this.#patch(bytes, idAt[0]!, flight.packetId)
    markDuplicate(bytes)
    this.#resending.add(flight.packetId, bytes)
  }

  resendRelease(flight: Flight): void {
    this.#outbox.push(encodeAck(this.version, 'pubrel', flight.packetId))
  }
}
