/**
 * One connection's life. Bytes become packets (packet-queue.ts), and what a packet means depends on the phase:
 *
 *   opened      the transport is there, CONNECT is awaited
 *   connecting  CONNECT is decided, step by step (connect.ts); AUTH may be part of it
 *   connected   the client is logged in; its packets go to their handlers (packet-handlers.ts)
 *   closed      the session is saved and the will is sent (connection-close.ts), whichever phase was before
 *
 * To Aedes and its plugins this is the client (aedes-client.ts).
 */
import type { ByteStream } from '../net/byte-stream.js'
import { commit } from '../store/commit.js'
import { AedesClient } from './aedes-client.js'
import type { BrokerPort } from './broker-port.js'
import type { CloseReason } from './close-reason.js'
import { decodeConnect, decodePacket, decodePublish, UnsupportedVersion, versionOfConnect } from './codec/decode.js'
import { encodeConnack, encodeDisconnect } from './codec/encode.js'
import type { FrameReader } from './codec/frames.js'
import { Type, type Version } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import { reasonProperties } from './connack.js'
import { connect, continueConnect } from './connect.js'
import { ConnectContext, type ConnectingConnection } from './connect-context.js'
import { ConnectRefused } from './connect-refused.js'
import type { ConnectedClient } from './connected-client.js'
import { completeClose } from './connection-close.js'
import { KeepAlive, type Watched } from './keep-alive.js'
import { handlePacket } from './packet-handlers.js'
import { type PacketHandler, PacketQueue } from './packet-queue.js'
import { publish } from './publish.js'
import { followAccount, followRules } from './renewal.js'
import type { MqttServices } from './services.js'
import { WriteBuffer } from './write-buffer.js'

type Phase =
  /** `refusal`: its CONNECT will be refused, whatever it says. */
  | { readonly name: 'opened'; readonly refusal: ConnectRefused | null }
  /** `step` settles when no more can be done before the client's next packet. */
  | { readonly name: 'connecting'; readonly context: ConnectContext; step: Promise<void> }
  | { readonly name: 'connected'; readonly client: ConnectedClient }
  | { readonly name: 'closed'; readonly client: ConnectedClient | null; readonly done: Promise<void> }

/** Bytes a CONNECT may have beside the payload of its will. The client is not authenticated yet, so the limit is low. */
const CONNECT_BYTES = 131_072

/** Limits of a connection whose CONNECT will be refused in any case: bytes, seconds. */
const TURNED_AWAY = { packetBytes: 16384, connectTimeout: 5 }

/** Milliseconds a closing connection has to take its last bytes. */
const CLOSE_TIMEOUT = 2000

export class Connection extends AedesClient implements ConnectingConnection, PacketHandler, Watched {
  readonly services: MqttServices
  readonly output: WriteBuffer
  readonly packets: PacketQueue
  readonly keepAlive: KeepAlive
  /** Largest packet the client takes, in bytes. */
  maxPacket = Number.POSITIVE_INFINITY
  #phase: Phase

  /** `refusal`: its CONNECT will be refused, whatever it says; until then lower limits apply. */
  constructor(
    services: MqttServices,
    broker: BrokerPort,
    stream: ByteStream,
    request: unknown,
    refusal: ConnectRefused | null,
  ) {
    super(broker, stream, request)
    const { limits, flusher, wheel, connectTimeout } = services
    this.services = services
    this.#phase = { name: 'opened', refusal }
    this.output = new WriteBuffer(stream, flusher, () => this.#flushed())
    const packetBytes = refusal ? TURNED_AWAY.packetBytes : limits.payloadBytes + CONNECT_BYTES
    this.packets = new PacketQueue(this, limits, Math.min(limits.packetBytes, packetBytes))
    this.keepAlive = new KeepAlive(this, wheel, limits)
    this.keepAlive.watch(refusal ? Math.min(connectTimeout, TURNED_AWAY.connectTimeout) : connectTimeout)
    stream.on('data', (chunk: Buffer) => this.#received(chunk))
    stream.on('drain', () => this.#flushed())
    stream.on('end', () => this.packets.end())
    stream.on('close', () => this.packets.end())
    stream.on('error', (error: Error) => void this.finish({ reason: Reason.unspecified, why: error.message, error }))
  }

  // --- the phases ---------------------------------------------------------------------------------------------------------------------

  handle(frame: FrameReader): void | Promise<void> {
    const phase = this.#phase
    switch (phase.name) {
      case 'connected':
        return this.#handle(phase.client, frame)
      case 'opened':
        return this.#connect(frame, phase.refusal)
      case 'connecting':
        phase.step = this.#continueConnect(frame, phase.context)
        return phase.step
      case 'closed':
        return
    }
  }

  async #connect({ header, body }: FrameReader, refusal: ConnectRefused | null): Promise<void> {
    this.version = versionOfConnect(header, body)
    const packet = decodeConnect(header, body)
    this.maxPacket = packet.properties.maximumPacketSize ?? this.maxPacket
    if (refusal) throw refusal
    const context = new ConnectContext(this, packet)
    const phase: Phase = { name: 'connecting', context, step: Promise.resolve() }
    this.#phase = phase
    phase.step = connect(context)
    await phase.step
  }

  /** A CONNECT that was answered with AUTH: until that is done, nothing but AUTH and DISCONNECT [MQTT5-3.1.2-30]. */
  async #continueConnect({ header, body }: FrameReader, context: ConnectContext): Promise<void> {
    const packet = decodePacket(header, body, this.version!)
    if (packet.type === 'auth') await continueConnect(context, packet)
    else if (packet.type === 'disconnect') void this.finish({ reason: Reason.success, why: 'the client disconnected' })
    else throw new ProtocolError(Reason.protocolError, `${packet.type} before the login is done [MQTT5-3.1.2-30]`)
  }

  opened(client: ConnectedClient): void {
    this.packets.admit(client.version === 5, this.services.limits.packetBytes)
  }

  accepted(client: ConnectedClient, keepAlive: number): void {
    this.#phase = { name: 'connected', client }
    this.keepAlive.watch(keepAlive)
    this.broker.emit('clientReady', this)
    this.emit('connected')
    const { remoteAddress: address } = this.conn
    this.services.log.debug({ client: this.id, address, version: this.version }, 'connected')
  }

  #handle(client: ConnectedClient, frame: FrameReader): void | Promise<void> {
    this.keepAlive.packetCame()
    const { header } = frame
    // Most packets: decoded in place.
    if (header >> 4 === Type.publish)
      return publish(client, decodePublish(header, frame.chunk, frame.from, frame.to, client.version), frame.skipped)
    return handlePacket(client, decodePacket(header, frame.body, client.version))
  }

  get connecting(): boolean {
    return this.#phase.name === 'connecting'
  }

  get connected(): boolean {
    return this.#phase.name === 'connected'
  }

  get closed(): boolean {
    return this.#phase.name === 'closed'
  }

  /** The client that is or was logged in; its session may still be resuming. */
  get client(): ConnectedClient | null {
    const phase = this.#phase
    if (phase.name === 'opened') return null
    return phase.name === 'connecting' ? phase.context.client : phase.client
  }

  // --- bytes --------------------------------------------------------------------------------------------------------------------------

  #received(chunk: Buffer): void {
    if (this.closed) return
    if (this.isLoggedIn) this.keepAlive.bytesCame(this.packets.isMidPacket)
    this.packets.push(chunk)
  }

  /** Everything that came before the client closed its side was handled. */
  ended(): void {
    void this.finish({ reason: Reason.unspecified, why: 'the client closed the connection' })
  }

  get congested(): boolean {
    return this.output.congested
  }

  count(name: 'slowed' | 'rests'): void {
    this.services.counters.add(name)
  }

  send(bytes: Uint8Array): void {
    this.output.push(bytes)
  }

  /** Without `properties` if the packet would exceed the client's maximum packet size [MQTT5-3.4.2-2, MQTT5-3.14.2-3]. */
  sendFitting(encode: (properties?: Properties) => Buffer, properties?: Properties): void {
    const bytes = encode(properties)
    this.send(properties && bytes.length > this.maxPacket ? encode() : bytes)
  }

  #flushed(): void {
    if (this.closed || this.congested) return
    this.client?.session.pump()
    this.packets.drained()
  }

  // --- what is watched ----------------------------------------------------------------------------------------------------------------

  get isLoggedIn(): boolean {
    return this.client !== null
  }

  get expiresAt(): number | null {
    return this.client?.actor.principal.expiresAt ?? null
  }

  get isBusy(): boolean {
    return this.packets.isBusy
  }

  tokenExpired(): void {
    void this.finish({ reason: Reason.notAuthorized, why: 'the token expired' })
  }

  timedOut(): void {
    if (!this.isLoggedIn) {
      const error = new Error('connect did not arrive in time')
      void this.finish({ reason: Reason.protocolError, why: 'no CONNECT in time', error })
      return
    }
    this.broker.emit('keepaliveTimeout', this)
    const error = new Error('keep alive timeout')
    void this.finish({ reason: Reason.keepAliveTimeout, why: 'keep alive timeout', error })
  }

  async followAccount(): Promise<void> {
    if (this.client) await followAccount(this.client)
  }

  async followRules(): Promise<void> {
    if (this.client) await followRules(this.client)
  }

  // --- the end ------------------------------------------------------------------------------------------------------------------------

  /** A packet could not be handled. */
  failed(error: unknown): void {
    if (error instanceof ConnectRefused) {
      const code = this.version === 5 ? error.reason : error.code
      const hasReference = this.version === 5 && error.serverReference !== undefined
      if (!error.isSilent || hasReference)
        this.#refuseConnect(this.version!, code, error.reasonString, error.properties)
      void this.finish({ reason: error.reason, why: error.message, error })
      return
    }
    if (error instanceof UnsupportedVersion) {
      if (error.isNewer) this.#refuseConnect(5, Reason.unsupportedProtocolVersion, error.message)
      else this.#refuseConnect(4, 1, error.message)
    }
    if (error instanceof ProtocolError) {
      // MQTT 5 clients are told even in answer to a CONNECT that is wrong [MQTT5-4.13.1-1].
      if (this.version === 5 && !this.isLoggedIn) this.#refuseConnect(5, error.reason, error.message)
      this.services.counters.add('protocol_errors')
      void this.finish({ reason: error.reason, why: error.message, error })
      return
    }
    this.services.log.error({ err: error, client: this.id }, 'a packet could not be handled')
    void this.finish({ reason: Reason.unspecified, why: 'internal error', error: error as Error })
  }

  #refuseConnect(version: Version, returnCode: number, why: string, properties: Properties = {}): void {
    this.sendFitting(
      (more) => encodeConnack(version, false, returnCode, { ...properties, ...more }),
      reasonProperties(why),
    )
    this.broker.emit('connackSent', { cmd: 'connack', returnCode, sessionPresent: false }, this)
  }

  /** Ends the connection. The first call decides why. */
  finish(closeReason: CloseReason): Promise<void> {
    const before = this.#phase
    if (before.name === 'closed') return before.done
    const { client } = this
    let closed!: () => void
    const done = new Promise<void>((resolve) => (closed = resolve))
    this.#phase = { name: 'closed', client, done }
    void this.#close(before, client, closeReason).then(closed)
    return done
  }

  /** Aedes' way to end a client: takeover, shutdown, plugins. Always calls back. */
  close(done?: () => void): void {
    const shutdown = this.broker.closed
    const closeReason = shutdown
      ? { reason: Reason.serverShuttingDown, why: 'the broker is shutting down' }
      : { reason: Reason.sessionTakenOver, why: 'another connection took over the session' }
    void this.finish(closeReason).then(() => done?.())
  }

  /** Another node has the session, and its will. */
  sessionLost(): void {
    const phase = this.#phase
    if (phase.name === 'connecting') phase.context.hasStoredWill = false
    this.client?.sessionLost()
    void this.finish({ reason: Reason.sessionTakenOver, why: 'another node took over the session' })
  }

  async #close(before: Phase, client: ConnectedClient | null, closeReason: CloseReason): Promise<void> {
    this.keepAlive.stop()
    this.packets.close()
    this.#announceEnd(closeReason)
    if (client?.version === 5 && closeReason.reason >= 0x80) this.#sendDisconnect(closeReason)
    this.output.flush()
    if ((closeReason.leaving || this.broker.closed) && this.conn.goAway) this.conn.goAway()
    else this.conn.end()
    // What still arrives is read and dropped, to see the client close its side.
    this.conn.resume()
    this.services.claims?.abandon(this.id, this)
    if (client) this.#stopDelivery(client)
    try {
      await this.#completeClose(before, client, closeReason)
    } catch (error) {
      this.services.log.error({ err: error, client: this.id }, 'the session could not be saved')
    } finally {
      this.#destroySoon()
      await this.services.claims?.release(this.id, this)
      this.broker.forget(this)
      if (this.broker.isRegistered(this)) this.broker.unregister(this)
    }
  }

  #sendDisconnect({ reason, why, serverReference }: CloseReason): void {
    const reference = serverReference === undefined ? {} : { serverReference }
    this.sendFitting((more) => encodeDisconnect(reason, { ...reference, ...more }), reasonProperties(why))
  }

  /** Session and will. A registered CONNECT that is still running ends first: the next connection of the session waits for what it writes. */
  async #completeClose(before: Phase, client: ConnectedClient | null, { leaving = false }: CloseReason): Promise<void> {
    const context = before.name === 'connecting' ? before.context : null
    if (before.name === 'connecting' && this.broker.isRegistered(this)) await before.step.catch(() => {})
    if (client) await completeClose(client, leaving)
    const stored = client ?? context
    if (stored?.hasStoredWill) await commit(stored.writer, { ops: [this.services.store.persistence.delWillOp(this)] })
  }

  /** Written bytes may still be sent; a client that does not read is cut off after a while. */
  #destroySoon(): void {
    if (this.conn.destroyed) return
    const timer = setTimeout(() => this.conn.destroy(), CLOSE_TIMEOUT).unref()
    this.conn.once('close', () => clearTimeout(timer))
  }

  #announceEnd({ reason, why, error }: CloseReason): void {
    this.services.log.debug({ client: this.id, address: this.conn.remoteAddress, reason, why }, 'connection ended')
    if (!error) return
    if (this.listenerCount('error') > 0) this.emit('error', error)
    this.broker.emit(this.isLoggedIn ? 'clientError' : 'connectionError', this, error)
  }

  #stopDelivery({ session }: ConnectedClient): void {
    session.close()
    this.services.shares.away(session)
  }
}
