/**
 * One connection's life: bytes become packets, packets are handled strictly one after another, and when it ends the session is saved and
 * the will is sent. To Aedes and its plugins this is the client.
 */
import { EventEmitter } from 'node:events'
import { SYSTEM } from '../../schemas/ids.js'
import type { Actor } from '../chat/actor.js'
import { direct } from '../hub.js'
import type { ByteStream } from '../net/byte-stream.js'
import { commit } from '../store/commit.js'
import type { QoS, SessionRecord } from '../store/store.js'
import type { Deadline } from '../wheel.js'
import { acknowledge } from './acknowledge.js'
import type { Broker } from './aedes.js'
import { decodeConnect, decodePacket, UnsupportedVersion, versionOfConnect } from './codec/decode.js'
import { encodeAck, encodeConnack, encodeDisconnect, PINGRESP } from './codec/encode.js'
import { FrameReader } from './codec/frames.js'
import type { Packet, RequestedSubscription, Version, Will } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import { ProtocolError, Reason } from './codec/reader.js'
import { connect } from './connect.js'
import { READ_BYTES, READ_ENTRIES } from './feeds.js'
import type { Interests } from './interests.js'
import { Outbox } from './outbox.js'
import { publish } from './publish.js'
import type { MqttServices } from './services.js'
import type { Session } from './session.js'
import { subscribe, unsubscribe } from './subscribe.js'
import { storedWill, willMessage } from './wills.js'

/** Why a connection ended: for the log and, on MQTT 5, the DISCONNECT. */
export interface Ending {
  reason: number
  why: string
  /** The client broke the rules or the network failed: Aedes' `clientError` or `connectionError`. */
  error?: Error
}

/** What a connection is once its CONNECT was accepted. */
export interface Login {
  readonly actor: Actor
  readonly session: Session
  readonly interests: Interests
  readonly record: SessionRecord
}

/** Refused CONNECT: answered with this code, then closed. `code` is the 3.1.1 return code, `reason` that of MQTT 5. */
export class ConnectRefused extends Error {
  readonly code: number
  readonly reason: number
  constructor(code: number, reason: number, message: string) {
    super(message)
    this.name = 'ConnectRefused'
    this.code = code
    this.reason = reason
  }
}

export class Connection extends EventEmitter implements Deadline {
  // Aedes' client, as its documentation and plugins know it. `id` is `{user}/{clientId}`.
  id = ''
  clean = true
  version: Version | null = null
  connecting = false
  connected = false
  closed = false
  /** aedes.js touches it on the birth of another broker. */
  readonly duplicates: Record<string, number> = Object.create(null)
  readonly broker: Broker
  readonly conn: ByteStream
  readonly req: unknown

  readonly services: MqttServices
  readonly outbox: Outbox
  login: Login | null = null
  will: Will | null = null
  hasStoredWill = false
  /** Packet ids of inbound QoS 2 publishes that await PUBREL. */
  incoming = new Set<number>()
  /** Topic aliases this client has set [MQTT5-3.3.2.3.4]. */
  readonly aliases = new Map<number, string>()
  /** Whether the client wants reason strings and user properties on acks [MQTT5-3.1.2.11.7]. */
  explains = false
  /** Milliseconds without a packet after which the client is gone; 0: never. */
  keepaliveMs = 0
  /** Publishes taken and not yet settled by the store. */
  unsettled = 0
  /** Those of them of QoS 1. */
  unsettledQos1 = 0
  /** A publish on its way to its place in the store's queue. */
  entering: Promise<void> | null = null

  readonly #frames: FrameReader
  #working = false
  #paused = false
  #ended = false
  #lastPacket: number
  /** The CONNECT under way or done. */
  #opening: Promise<void> | null = null
  #closing: Promise<void> | null = null

  constructor(services: MqttServices, broker: Broker, stream: ByteStream, request?: unknown) {
    super()
    this.services = services
    this.broker = broker
    this.conn = stream
    this.req = request
    this.#frames = new FrameReader(services.limits.packetBytes)
    this.outbox = new Outbox(stream, services.flusher, () => this.#flushed())
    this.#lastPacket = services.wheel.now
    services.wheel.set(this, services.wheel.now + services.connectTimeout * 1000)
    stream.on('data', (chunk: Buffer) => this.#received(chunk))
    stream.on('drain', () => this.#flushed())
    stream.on('end', () => this.#finished())
    stream.on('close', () => this.#finished())
    stream.on('error', (error: Error) => this.finish({ reason: Reason.unspecified, why: error.message, error }))
  }

  get subscriptions(): Record<string, RequestedSubscription> {
    return Object.fromEntries(this.login?.session.subscriptions ?? [])
  }

  // --- bytes in -----------------------------------------------------------------------------------------------------------------------

  #received(chunk: Buffer): void {
    if (this.closed) return
    this.#frames.push(chunk)
    this.#work()
  }

  /** Handles packets in order; one that has to wait for something holds back those behind it, and then the socket. */
  #work(): void {
    if (this.#working) return
    this.#working = true
    try {
      while (!this.closed && !this.#crowded && this.#frames.next()) {
        const waiting = this.#handle(this.#frames.header, this.#frames.body)
        if (waiting) {
          this.#pause()
          waiting.then(
            () => this.#workOn(),
            (error: unknown) => this.#fail(error),
          )
          return
        }
      }
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#working = false
    if (this.#crowded) this.#pause()
    else this.#resume()
    if (this.#ended && this.unsettled === 0)
      this.finish({ reason: Reason.unspecified, why: 'the client closed the connection' })
  }

  /** Reading stops while too much of what was read waits for the store, or for the client to read its answers. */
  get #crowded(): boolean {
    // An MQTT 5 client knows the bound; one more than it is its fault, and is looked for.
    const bound = this.services.limits.receiveMaximum + (this.version === 5 ? 1 : 0)
    return this.unsettled >= bound || this.outbox.congested
  }

  #workOn(): void {
    this.#working = false
    this.#work()
  }

  /** QoS 1 and 2 messages of the client that are not done [MQTT5-4.9]; those of QoS 2 end with their PUBREL. */
  get underWay(): number {
    return this.unsettledQos1 + this.incoming.size
  }

  /** A publish was settled: reading may go on. */
  settled(qos: QoS): void {
    this.unsettled--
    if (qos === 1) this.unsettledQos1--
    if (!this.#working && (this.#paused || this.#ended)) this.#work()
  }

  #handle(header: number, body: Buffer): void | Promise<void> {
    if (!this.login) {
      if (this.connecting) throw new ProtocolError(Reason.protocolError, 'a second CONNECT [MQTT-3.1.0-2]')
      this.connecting = true
      this.version = versionOfConnect(header, body)
      this.#opening = connect(this, decodeConnect(header, body))
      return this.#opening
    }
    this.#lastPacket = this.services.wheel.now
    return this.#dispatch(decodePacket(header, body, this.version!))
  }

  #dispatch(packet: Packet): void | Promise<void> {
    switch (packet.type) {
      case 'publish':
        return publish(this, packet)
      case 'puback':
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
        return acknowledge(this, packet)
      case 'subscribe':
        return subscribe(this, packet)
      case 'unsubscribe':
        return unsubscribe(this, packet)
      case 'pingreq':
        this.send(PINGRESP)
        this.broker.emit('ping', { cmd: 'pingreq' }, this)
        return
      case 'disconnect':
        if (packet.properties.sessionExpiry !== undefined) this.#changeExpiry(packet.properties.sessionExpiry)
        // The will is discarded [MQTT-3.14.4-3], unless MQTT 5 asks for it.
        if (packet.reason !== Reason.disconnectWithWill) this.will = null
        this.finish({ reason: Reason.success, why: 'the client disconnected' })
        return
      case 'connect':
        throw new ProtocolError(Reason.protocolError, 'a second CONNECT [MQTT-3.1.0-2]')
    }
  }

  /** A session that was to end with its connection cannot be made to outlive it now [MQTT5-3.14.2.2.2]. */
  #changeExpiry(seconds: number): void {
    const { record } = this.login!
    if (record.expiry === 0 && seconds > 0)
      throw new ProtocolError(Reason.protocolError, 'session expiry set on DISCONNECT after 0 on CONNECT')
    record.expiry = Math.min(seconds, this.services.limits.sessionExpiry)
  }

  #pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.conn.pause()
  }

  #resume(): void {
    if (!this.#paused || this.closed) return
    this.#paused = false
    this.conn.resume()
  }

  /** The peer closed its side. What it sent before is still handled. */
  #finished(): void {
    this.#ended = true
    if (!this.#working) this.#work()
  }

  // --- bytes out ----------------------------------------------------------------------------------------------------------------------

  send(bytes: Uint8Array): void {
    this.outbox.push(bytes)
  }

  #flushed(): void {
    if (this.closed || this.outbox.congested) return
    this.login?.session.pump()
    if (this.#paused && !this.#working) this.#work()
  }

  // --- deadlines ----------------------------------------------------------------------------------------------------------------------

  /** Starts the watch over keepalive and token expiry. */
  watch(): void {
    this.#lastPacket = this.services.wheel.now
    const next = this.#nextDeadline()
    this.services.wheel.delete(this)
    if (next > 0) this.services.wheel.set(this, next)
  }

  due(now: number): number {
    if (!this.login) {
      this.finish({
        reason: Reason.protocolError,
        why: 'no CONNECT in time',
        error: new Error('connect did not arrive in time'),
      })
      return 0
    }
    const { expiresAt } = this.login.actor.principal
    if (expiresAt !== null && now >= expiresAt) {
      this.finish({ reason: Reason.notAuthorized, why: 'the token expired' })
      return 0
    }
    // What the client sent meanwhile waits unread while we handle something of before.
    if (this.#working || this.#paused) this.#lastPacket = now
    if (this.keepaliveMs > 0 && now - this.#lastPacket >= this.keepaliveMs) {
      this.broker.emit('keepaliveTimeout', this)
      this.finish({
        reason: Reason.keepAliveTimeout,
        why: 'keep alive timeout',
        error: new Error('keep alive timeout'),
      })
      return 0
    }
    return this.#nextDeadline()
  }

  #nextDeadline(): number {
    const silent = this.keepaliveMs > 0 ? this.#lastPacket + this.keepaliveMs : 0
    const expiry = this.login?.actor.principal.expiresAt ?? 0
    return silent > 0 && expiry > 0 ? Math.min(silent, expiry) : silent || expiry
  }

  // --- the end ------------------------------------------------------------------------------------------------------------------------

  #fail(error: unknown): void {
    if (error instanceof ConnectRefused) {
      this.#refuseConnect(this.version!, this.version === 5 ? error.reason : error.code)
      this.finish({ reason: error.reason, why: error.message, error })
      return
    }
    if (error instanceof UnsupportedVersion) {
      if (error.isNewer) this.#refuseConnect(5, Reason.unsupportedProtocolVersion)
      else this.#refuseConnect(4, 1)
    }
    if (error instanceof ProtocolError) {
      // MQTT 5 clients are told even in answer to a CONNECT that is wrong [MQTT5-4.13.1-1].
      if (this.version === 5 && !this.login) this.#refuseConnect(5, error.reason)
      this.services.counters.add('protocol_errors')
      this.finish({ reason: error.reason, why: error.message, error })
      return
    }
    this.services.log.error({ err: error, client: this.id }, 'a packet could not be handled')
    this.finish({ reason: Reason.unspecified, why: 'internal error', error: error as Error })
  }

  #refuseConnect(version: Version, returnCode: number): void {
    this.send(encodeConnack(version, false, returnCode))
    this.broker.emit('connackSent', { cmd: 'connack', returnCode, sessionPresent: false }, this)
  }

  /** Ends the connection. The first call decides why. */
  finish(ending: Ending): Promise<void> {
    this.#closing ??= this.#close(ending)
    return this.#closing
  }

  /** Aedes' way to end a client: takeover, shutdown, plugins. Always calls back. */
  close(done?: () => void): void {
    const shutdown = this.broker.closed
    const ending = shutdown
      ? { reason: Reason.serverShuttingDown, why: 'the broker is shutting down' }
      : { reason: Reason.sessionTakenOver, why: 'another connection took over the session' }
    void this.finish(ending).then(() => done?.())
  }

  async #close(ending: Ending): Promise<void> {
    this.closed = true
    this.connected = false
    const { services } = this
    services.wheel.delete(this)
    this.#announceEnd(ending)
    if (this.version === 5 && this.login && ending.reason >= 0x80) this.send(encodeDisconnect(ending.reason))
    this.outbox.flush()
    this.conn.end()
    this.login?.session.close()
    try {
      // A CONNECT that is registered and not done yet comes to its end first: a successor waits for what it writes.
      if (this.#registered) await this.#opening?.catch(() => {})
      if (this.login) await this.#leave(this.login)
      if (this.hasStoredWill) await services.store.persistence.delWill(this)
    } catch (error) {
      services.log.error({ err: error, client: this.id }, 'the session could not be saved')
    } finally {
      this.#destroySoon()
      this.broker.connections.delete(this)
      if (this.#registered) this.broker.unregisterClient(this)
    }
  }

  get #registered(): boolean {
    return this.id !== '' && this.broker.clients[this.id] === this
  }

  /** What was written may still leave; a client that does not read it is not waited for. */
  #destroySoon(): void {
    if (this.conn.destroyed) return
    const timer = setTimeout(() => this.conn.destroy(), CLOSE_TIMEOUT).unref()
    this.conn.once('close', () => clearTimeout(timer))
  }

  #announceEnd({ reason, why, error }: Ending): void {
    this.services.log.debug({ client: this.id, address: this.conn.remoteAddress, reason, why }, 'connection ended')
    if (!error) return
    if (this.listenerCount('error') > 0) this.emit('error', error)
    this.broker.emit(this.login ? 'clientError' : 'connectionError', this, error)
  }

  /** Will, saved session, presence: what others see of the end, in this order. */
  async #leave({ actor, session, record }: Login): Promise<void> {
    const { services, will } = this
    services.registry.remove(session)
    // Publishes under way belong to this connection: a successor must find their packet ids in the store.
    await this.entering
    await commit(services.store, {}).catch(() => {})
    if (will) await this.#leaveWill(actor, will, record.expiry)
    if (record.expiry > 0) await services.keeper.finish(session, { ...record, disconnectedAt: Date.now() })
    else if (session.persistent) {
      services.keeper.forget(session)
      await services.store.sessions.discard(session.id)
    }
    if (!actor.principal.anonymous) services.presence.disconnected(actor.principal.user)
  }

  /** At once, or when its delay is over; the session's end would be earlier [MQTT5-3.1.3-9]. */
  async #leaveWill(actor: Actor, will: Will, expiry: number): Promise<void> {
    const delay = Math.min(will.properties.willDelay ?? 0, expiry)
    if (delay === 0) {
      await this.broker.publishWill(actor, willMessage(will), this)
      return
    }
    const { store, wheel } = this.services
    const due = Date.now() + delay * 1000
    await store.persistence.putWill(this, storedWill(will, actor.principal, due))
    this.hasStoredWill = false
    this.broker.delayedWill(this.id, due, () => this.broker.publishWill(actor, willMessage(will), null)).start(wheel)
  }

  // --- Aedes' client API ----------------------------------------------------------------------------------------------------------------

  /** Sends a message to this client alone [Aedes Client.md]. */
  publish(
    message: { topic: string; payload?: Buffer | string; qos?: QoS; retain?: boolean },
    done?: (error?: Error) => void,
  ): void {
    const payload = Buffer.from(message.payload ?? '')
    this.login?.session.acceptDirect(
      direct(message.topic, payload, message.qos ?? 0, { retain: message.retain ?? false }),
      message.qos ?? 0,
    )
    if (done) setImmediate(done, this.login ? undefined : new Error('not connected'))
  }

  /** Subscribes on behalf of the client, with its rights; with a `messageId` the client gets a SUBACK. */
  subscribe(subscriptions: AedesSubscriptions, done?: (error?: Error) => void): void {
    const list = 'subscriptions' in subscriptions ? subscriptions.subscriptions : [subscriptions].flat()
    const requested = list.map(({ topic, qos }) => ({
      filter: topic,
      qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
    }))
    const packetId = ('messageId' in subscriptions && subscriptions.messageId) || 0
    settle(subscribe(this, { type: 'subscribe', packetId, subscriptions: requested, properties: {} }), done)
  }

  unsubscribe(filters: string | string[] | { unsubscriptions: string[] }, done?: (error?: Error) => void): void {
    const list =
      typeof filters === 'object' && 'unsubscriptions' in filters ? filters.unsubscriptions : [filters].flat()
    settle(unsubscribe(this, { type: 'unsubscribe', packetId: 0, filters: list, properties: {} }), done)
  }

  /** Forgets the messages on plain topics that wait for this client. */
  emptyOutgoingQueue(done?: (error?: Error) => void): void {
    settle(this.#emptyQueue(), done)
  }

  async #emptyQueue(): Promise<void> {
    const { store } = this.services
    for (let after = 0; ; ) {
      const page = await store.queue.read(this.id, after, READ_ENTRIES, READ_BYTES)
      if (page.length === 0) return
      await commit(store, { ops: page.map(({ number }) => store.queue.ackOp(this.id, number)) })
      after = page[page.length - 1]!.number
    }
  }

  /** Acknowledges without a store: used where nothing has to be waited for. */
  sendAck(
    type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
    packetId: number,
    reason = 0,
    properties?: Properties,
  ): void {
    if (this.closed) return
    const bytes = encodeAck(this.version!, type, packetId, reason, properties)
    // What explains is left out where it would make the packet larger than the client takes [MQTT5-3.4.2-2, MQTT5-3.4.2-3].
    const fits = bytes.length <= this.login!.session.maxPacket
    this.send(fits ? bytes : encodeAck(this.version!, type, packetId, reason))
  }
}

type AedesSubscription = { topic: string; qos: QoS }
type AedesSubscriptions =
  | AedesSubscription
  | AedesSubscription[]
  | { subscriptions: AedesSubscription[]; messageId?: number }

/** Milliseconds a closing connection has to take its last bytes. */
const CLOSE_TIMEOUT = 2000

function settle(work: Promise<void>, done?: (error?: Error) => void): void {
  work.then(
    () => done?.(),
    (error: Error) => done?.(error),
  )
}

/** The actor of what the broker itself publishes. */
export const BROKER_ACTOR: Actor = {
  principal: { user: SYSTEM, roles: new Set(['admin']), anonymous: false, expiresAt: null },
  clientId: '',
  sessionId: null,
}
