/**
 * One connection's life: bytes become packets, packets are handled strictly one after another, and when it ends the session is saved and
 * the will is sent. To Aedes and its plugins this is the client.
 */

import type { Principal } from '../auth/principal.js'
import type { Actor } from '../chat/model/actor.js'
import type { Backlog } from '../following/backlog.js'
import type { FeedSet } from '../following/feed-set.js'
import type { ByteStream } from '../net/byte-stream.js'
import type { QoS } from '../store/qos.js'
import type { SessionRecord } from '../store/sessions.js'
import { LazyMap } from '../util/lazy.js'
import type { Deadline } from '../util/timer-wheel.js'
import { acknowledge } from './acknowledge.js'
import type { Broker } from './aedes.js'
import { AedesClient } from './aedes-client.js'
import { reauthenticate } from './authentication.js'
import { decodeConnect, decodePacket, decodePublish, UnsupportedVersion, versionOfConnect } from './codec/decode.js'
import { encodeAck, encodeAuth, encodeConnack, encodeDisconnect, PINGRESP } from './codec/encode.js'
import { FrameReader } from './codec/frames.js'
import { type Auth, type Packet, Type, type Version, type Will } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import { connect } from './connect.js'
import { disconnect } from './disconnect.js'
import { ConnectRefused, type Ending } from './endings.js'
import { Incoming } from './incoming.js'
import { leave } from './leave.js'
import { Outbox } from './outbox.js'
import { publish } from './publish.js'
import type { MqttServices } from './services.js'
import type { Session } from './session.js'
import { Slowing } from './slowing.js'
import { subscribe, unsubscribe } from './subscribe.js'

/** Publishes of one client that wait for the store at a time; what it sent beyond waits in its socket. */
const MAX_UNSETTLED = 1024

/** What a connection is once its CONNECT was accepted. */
export interface Login {
  /** Its principal is another after a renewal; whoever holds the actor sees the new one. */
  readonly actor: Actor & { principal: Principal }
  readonly session: Session
  readonly feedSet: FeedSet
  readonly record: SessionRecord
}

export class Connection extends AedesClient implements Deadline {
  readonly services: MqttServices
  readonly outbox: Outbox
  login: Login | null = null
  will: Will | null = null
  hasStoredWill = false
  /** Its session goes on from an earlier connection. */
  resumed = false
  /** Its QoS 2 publishes that await PUBREL. */
  readonly incoming: Incoming
  /** Topic aliases this client has set [MQTT5-3.3.2.3.4]. */
  readonly aliases = new LazyMap<number, string>()
  /** Whether the client wants reason strings and user properties on acks [MQTT5-3.1.2.11.7]. */
  explains = false
  /** Largest packet the client takes, in bytes. */
  maxPacket = Number.POSITIVE_INFINITY
  /** Of enhanced authentication [MQTT5-4.12]; null: the client logged in without. */
  authMethod: string | null = null
  /** The client was asked for something with AUTH: what its answer leads to. */
  exchange: ((answer: Auth) => Promise<void>) | null = null
  /** Publishes taken and not yet settled by the store. */
  unsettled = 0
  /** Bytes of them. */
  unsettledBytes = 0
  /** Those of them of QoS 1. */
  unsettledQos1 = 0
  /** A publish on its way to its place in the store's queue. */
  entering: Promise<void> | null = null

  #frames: FrameReader
  /** The answer to its CONNECT, whatever that says. */
  #turnedAway: ConnectRefused | null = null
  #working = false
  #paused = false
  /** While it runs nothing is taken from the client, who is above its rate. */
  #rest: NodeJS.Timeout | null = null
  /** Null: nobody was ever behind with what it publishes. */
  #slowing: Slowing | null = null
  #ended = false
  /** Milliseconds without a packet after which the client is gone, or, before its login, without one. */
  #patience = Number.POSITIVE_INFINITY
  /** By the steady clock, as all that is measured rather than agreed upon: a clock that is set makes nobody silent. */
  #lastSign = 0
  /** When the packet that is arriving began to. */
  #packetSince = 0
  /** When the client was last seen to take what waits for it, and how far that was. */
  #lastTaken = 0
  #taken = 0
  /** The CONNECT under way or done. */
  #opening: Promise<void> | null = null
  #closing: Promise<void> | null = null

  constructor(services: MqttServices, broker: Broker, stream: ByteStream, request?: unknown) {
    super(broker, stream, request)
    this.services = services
    this.incoming = new Incoming(services.limits.inboundQos2)
    const { packetBytes, payloadBytes } = services.limits
    this.#frames = new FrameReader(Math.min(packetBytes, payloadBytes + CONNECT_BYTES))
    this.outbox = new Outbox(stream, services.flusher, () => this.#flushed())
    this.awaitLogin()
    stream.on('data', (chunk: Buffer) => this.#received(chunk))
    stream.on('drain', () => this.#flushed())
    stream.on('end', () => this.#finished())
    stream.on('close', () => this.#finished())
    stream.on('error', (error: Error) => void this.finish({ reason: Reason.unspecified, why: error.message, error }))
  }

  /** It has so long from now to log in. */
  awaitLogin(): void {
    this.watch(this.services.connectTimeout)
  }

  /** It is logged in: packets may be as long as they may be. Clients before MQTT 5 are not told how long that is. */
  letIn(): void {
    this.#frames.maxBytes = this.services.limits.packetBytes
    this.#frames.skipsPayloads = this.version !== 5
  }

  /** Its CONNECT will be refused, whatever it says: until then it may cost little. */
  turnAway(refusal: ConnectRefused): void {
    const { limits, connectTimeout } = this.services
    this.#turnedAway = refusal
    this.#frames = new FrameReader(Math.min(limits.packetBytes, TURNED_AWAY.packetBytes))
    this.watch(Math.min(connectTimeout, TURNED_AWAY.connectTimeout))
  }

  // --- bytes in -----------------------------------------------------------------------------------------------------------------------

  #received(chunk: Buffer): void {
    if (this.closed) return
    if (this.login) this.#noteSign(this.services.wheel.steady)
    this.#frames.push(chunk)
    this.#work()
  }

  /** Any bytes are a sign of life, those of a long packet for so long [MQTT-3.1.2-24]. */
  #noteSign(steady: number): void {
    if (this.#frames.buffered === 0) this.#packetSince = steady
    const late = steady - this.#packetSince >= this.services.limits.packetTimeout * 1000
    if (!late || this.outbox.congested) this.#lastSign = steady
  }

  /** Handles packets in order; one that has to wait for something holds back those behind it, and then the socket. */
  #work(): void {
    if (this.#working) return
    this.#working = true
    try {
      while (!this.closed && !this.#crowded && this.#frames.next()) {
        const waiting = this.#handle(this.#frames)
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
    if (this.#full || (this.outbox.congested && this.#frames.buffered >= MAX_UNHANDLED)) this.#pause()
    else this.#resume()
    if (this.#ended && this.unsettled === 0 && !this.#rests)
      void this.finish({ reason: Reason.unspecified, why: 'the client closed the connection' })
  }

  /** Nothing is handled while too much of what was waits for the store, or for the client to read its answers. */
  get #crowded(): boolean {
    return this.#full || this.outbox.congested
  }

  /** Reading stops for reasons of ours. That the client does not read is none: what it sends shows that it lives. */
  get #full(): boolean {
    // An MQTT 5 client knows the bound; one more than it is its fault, and is looked for.
    const { receiveMaximum, receiveBytes } = this.services.limits
    const bound = Math.min(receiveMaximum + (this.version === 5 ? 1 : 0), MAX_UNSETTLED)
    return this.unsettled >= bound || this.unsettledBytes >= receiveBytes || this.#rests
  }

  get #rests(): boolean {
    return this.#rest !== null || this.#slowing?.active === true
  }

  /** A reader that gets on is far behind with what this client publishes: it is read more slowly, for a bounded time. */
  slowFor(backlog: Backlog): void {
    if (this.closed || this.#slowing?.active) return
    this.#slowing ??= new Slowing(this.services.limits.backlogWait * 1000, () => this.#goOnReading())
    this.#slowing.begin(backlog)
    if (!this.#slowing.active) return
    this.services.counters.add('slowed')
    if (!this.#working) this.#pause()
  }

  /** Takes nothing more from the client for so many ms. What comes meanwhile waits in its socket. */
  rest(ms: number): void {
    if (this.closed || this.#rest) return
    this.services.counters.add('rests')
    this.#rest = setTimeout(() => this.#rested(), ms)
    if (!this.#working) this.#pause()
  }

  #rested(): void {
    this.#rest = null
    this.#goOnReading()
  }

  #goOnReading(): void {
    if (!this.#working && !this.closed) this.#work()
  }

  /** Whose publishes are counted together. */
  get rateKey(): string {
    const { user, anonymous } = this.login!.actor.principal
    return anonymous ? this.id : user
  }

  #workOn(): void {
    this.#working = false
    this.#work()
  }

  /** QoS 1 and 2 messages of the client that are not done [MQTT5-4.9]; those of QoS 2 end with their PUBREL. */
  get underWay(): number {
    return this.unsettledQos1 + this.incoming.current
  }

  /** A publish of so many bytes was settled: reading may go on. */
  settled(qos: QoS, bytes = 0): void {
    this.unsettled--
    this.unsettledBytes -= bytes
    if (qos === 1) this.unsettledQos1--
    if (!this.#working && (this.#paused || this.#ended)) this.#work()
  }

  #handle(frame: FrameReader): void | Promise<void> {
    const { header } = frame
    if (this.login) {
      this.#packetSince = this.services.wheel.steady
      if (header >> 4 === Type.publish)
        return publish(this, decodePublish(header, frame.chunk, frame.from, frame.to, this.version!), frame.skipped)
      return this.#dispatch(decodePacket(header, frame.body, this.version!))
    }
    this.#opening = this.connecting ? this.#goOn(header, frame.body) : this.#begin(header, frame.body)
    return this.#opening
  }

  async #begin(header: number, body: Buffer): Promise<void> {
    this.connecting = true
    this.version = versionOfConnect(header, body)
    const packet = decodeConnect(header, body)
    this.maxPacket = packet.properties.maximumPacketSize ?? this.maxPacket
    if (this.#turnedAway) throw this.#turnedAway
    await connect(this, packet)
  }

  /** A CONNECT that was answered with AUTH: until that is done, nothing but AUTH and DISCONNECT [MQTT5-3.1.2-30]. */
  async #goOn(header: number, body: Buffer): Promise<void> {
    const packet = decodePacket(header, body, this.version!)
    const { exchange } = this
    this.exchange = null
    if (packet.type === 'disconnect') void this.finish({ reason: Reason.success, why: 'the client disconnected' })
    else if (packet.type === 'auth' && exchange) await exchange(packet)
    else throw new ProtocolError(Reason.protocolError, `${packet.type} before the login is done [MQTT5-3.1.2-30]`)
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
      case 'auth':
        return reauthenticate(this, packet)
      case 'pingreq':
        this.send(PINGRESP)
        this.broker.emit('ping', { cmd: 'pingreq' }, this)
        return
      case 'disconnect':
        return disconnect(this, packet)
      case 'connect':
        throw new ProtocolError(Reason.protocolError, 'a second CONNECT [MQTT-3.1.0-2]')
    }
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

  /** Sends what `encode` makes, without what explains it where that would be more than the client takes [MQTT5-3.4.2-2, MQTT5-3.14.2-3]. */
  explain(encode: (properties?: Properties) => Buffer, properties?: Properties): void {
    const bytes = encode(properties)
    this.send(properties && bytes.length > this.maxPacket ? encode() : bytes)
  }

  /** For packets other than CONNACK and DISCONNECT: only to who wants to know [MQTT5-3.1.2-29]. */
  explanation(why: string): Properties | undefined {
    return this.explains ? explained(why) : undefined
  }

  /** Acknowledges without a store: used where nothing has to be waited for. */
  sendAck(
    type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
    packetId: number,
    reason = 0,
    properties?: Properties,
  ): void {
    if (!this.closed) this.explain((more) => encodeAck(this.version!, type, packetId, reason, more), properties)
  }

  /** PUBREC, now or when the client has room for it. */
  receive(packetId: number, reason = 0, properties?: Properties): void {
    if (this.incoming.answer(packetId)) this.sendAck('pubrec', packetId, reason, properties)
  }

  /** Flows have ended: PUBRECs that were withheld may leave. */
  receiveMore(): void {
    for (let id = this.incoming.next(); id !== undefined; id = this.incoming.next()) this.sendAck('pubrec', id)
  }

  sendAuth(reason: number, method: string): void {
    this.send(encodeAuth(reason, { authMethod: method }))
  }

  #flushed(): void {
    if (this.closed || this.outbox.congested) return
    this.login?.session.pump()
    if (!this.#working && (this.#paused || this.#frames.buffered > 0)) this.#work()
  }

  // --- deadlines ----------------------------------------------------------------------------------------------------------------------

  /** Starts the watch: over its silence, of which it may keep so many seconds, and over the expiry of its token. */
  watch(seconds = this.#patience / 1000): void {
    const { wheel } = this.services
    this.#patience = seconds * 1000
    this.#lastSign = this.#packetSince = this.#lastTaken = wheel.steady
    wheel.delete(this)
    wheel.set(this, this.#nextDeadline(wheel.now, wheel.steady))
  }

  due(now: number, steady: number): number {
    const expiresAt = this.login?.actor.principal.expiresAt ?? null
    if (expiresAt !== null && now >= expiresAt) {
      void this.finish({ reason: Reason.notAuthorized, why: 'the token expired' })
      return 0
    }
    if (this.login) this.#lookAround(steady)
    if (steady - this.#lastSign >= this.#patience || steady - this.#lastTaken >= this.#readingPatience) {
      this.#giveUp()
      return 0
    }
    return this.#nextDeadline(now, steady)
  }

  #lookAround(steady: number): void {
    // What the client sent meanwhile waits unread while we handle something of before.
    if (this.#working || this.#paused) this.#lastSign = steady
    const { position, congested } = this.outbox
    if (!congested || position !== this.#taken) this.#lastTaken = steady
    this.#taken = position
  }

  /** Milliseconds after which a client is gone that takes nothing of what waits for it, whatever it sends. */
  get #readingPatience(): number {
    const patience = Number.isFinite(this.#patience) ? this.#patience : this.services.limits.unreadTimeout * 1000
    return Math.max(patience, LEAST_UNREAD)
  }

  #giveUp(): void {
    if (!this.login) {
      const error = new Error('connect did not arrive in time')
      void this.finish({ reason: Reason.protocolError, why: 'no CONNECT in time', error })
      return
    }
    this.broker.emit('keepaliveTimeout', this)
    const error = new Error('keep alive timeout')
    void this.finish({ reason: Reason.keepAliveTimeout, why: 'keep alive timeout', error })
  }

  #nextDeadline(now: number, steady: number): number {
    const expiry = this.login?.actor.principal.expiresAt ?? Number.POSITIVE_INFINITY
    const silence = this.#patience - (steady - this.#lastSign)
    const unread = this.login ? this.#readingPatience - (steady - this.#lastTaken) : Number.POSITIVE_INFINITY
    return Math.min(now + silence, now + unread, expiry)
  }

  // --- the end ------------------------------------------------------------------------------------------------------------------------

  #fail(error: unknown): void {
    if (error instanceof ConnectRefused) {
      const code = this.version === 5 ? error.reason : error.code
      this.#refuseConnect(this.version!, code, error.told, error.serverReference)
      void this.finish({ reason: error.reason, why: error.message, error })
      return
    }
    if (error instanceof UnsupportedVersion) {
      if (error.isNewer) this.#refuseConnect(5, Reason.unsupportedProtocolVersion, error.message)
      else this.#refuseConnect(4, 1, error.message)
    }
    if (error instanceof ProtocolError) {
      // MQTT 5 clients are told even in answer to a CONNECT that is wrong [MQTT5-4.13.1-1].
      if (this.version === 5 && !this.login) this.#refuseConnect(5, error.reason, error.message)
      this.services.counters.add('protocol_errors')
      void this.finish({ reason: error.reason, why: error.message, error })
      return
    }
    this.services.log.error({ err: error, client: this.id }, 'a packet could not be handled')
    void this.finish({ reason: Reason.unspecified, why: 'internal error', error: error as Error })
  }

  #refuseConnect(version: Version, returnCode: number, why: string, serverReference?: string): void {
    const reference = serverReference === undefined ? {} : { serverReference }
    this.explain((more) => encodeConnack(version, false, returnCode, { ...reference, ...more }), explained(why))
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
    if (this.#rest) clearTimeout(this.#rest)
    this.#slowing?.close()
    this.#announceEnd(ending)
    if (this.version === 5 && this.login && ending.reason >= 0x80)
      this.explain((more) => encodeDisconnect(ending.reason, more), explained(ending.why))
    this.outbox.flush()
    this.conn.end()
    // What still comes is read and dropped: the end of the other side is behind it.
    this.conn.resume()
    if (this.login) this.#stopDelivery(this.login)
    try {
      // A CONNECT that is registered and not done yet comes to its end first: a successor waits for what it writes.
      if (this.#registered) await this.#opening?.catch(() => {})
      if (this.login) await leave(this, this.login)
      if (this.hasStoredWill) await services.store.persistence.delWill(this)
    } catch (error) {
      services.log.error({ err: error, client: this.id }, 'the session could not be saved')
    } finally {
      this.#destroySoon()
      this.broker.forget(this)
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

  #stopDelivery({ session }: Login): void {
    session.close()
    this.services.shares.away(session)
  }
}

/** Bytes of a client that are read though nothing is handled, for it does not read: its pings, for a long while. */
const MAX_UNHANDLED = 16_384

/** Milliseconds a client may take at least to read some of what waits for it: a kernel says so in large steps. */
const LEAST_UNREAD = 10_000

/** Milliseconds a closing connection has to take its last bytes. */
const CLOSE_TIMEOUT = 2000

/** What a CONNECT may have beside the payload of its will: names and properties. Nobody is known before it, so it has no more. */
const CONNECT_BYTES = 131_072

/** Bounds on a connection whose CONNECT is refused in any case: bytes, seconds. */
const TURNED_AWAY = { packetBytes: 16384, connectTimeout: 5 }

/** Longest reason string, in characters. */
const MAX_REASON = 1024

function explained(why: string): Properties {
  return { reasonString: why.slice(0, MAX_REASON) }
}
