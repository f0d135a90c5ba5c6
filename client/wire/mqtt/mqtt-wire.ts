/** MQTT 5 over a WebSocket, or what is alike: what the SDK needs of it, and no more. Sessions end with their connection, and nothing is of QoS 2. */
import { type Bytes, type Clock, onAbort, type Signal, type Socket, type Stop } from '../../base/platform.js'
import {
  type Answer,
  type Login,
  messageOf,
  type OpenWire,
  type Outgoing,
  type Properties,
  type Subscription,
  type Wire,
  WireError,
  type WireErrorKind,
  type WireListener,
} from '../wire.js'
import { decode, type Packet } from './decode.js'
import * as encode from './encode.js'
import { FrameReader } from './frames.js'
import { Inbox } from './inbox.js'
import { KeepAlive } from './keep-alive.js'
import { DEFAULT_LIMITS, type MqttLimits } from './limits.js'
import { Malformed, protocolError } from './malformed.js'
import { PacketSender } from './packet-sender.js'
import { Reason, reasonName } from './reason-codes.js'
import { Requests } from './requests.js'

export interface MqttOptions {
  /** Makes a socket, which begins to connect by itself; a WebSocket is of the subprotocol `mqtt`. */
  socket: () => Socket
  clock: Clock
  limits?: Partial<MqttLimits>
}

export function mqttOverSocket({ socket, clock, limits = {} }: MqttOptions): OpenWire {
  return (login, listener, signal) =>
    new Promise((opened, failed) => {
      if (signal.aborted) return failed(new WireError('aborted', 'given up before it began'))
      const all = { ...DEFAULT_LIMITS, ...limits }
      try {
        new MqttWire(socket(), { login, listener, signal, clock, limits: all, opened, failed }).begin()
      } catch (cause) {
        failed(new WireError('network', `a socket cannot be made: ${messageOf(cause)}`, { cause }))
      }
    })
}

interface Opening {
  readonly login: Login
  readonly listener: WireListener
  readonly signal: Signal
  readonly clock: Clock
  readonly limits: MqttLimits
  opened(wire: Wire): void
  failed(error: WireError): void
}

/** Ends of a connection that the broker is told of by DISCONNECT. */
const TOLD: ReadonlySet<WireErrorKind> = new Set(['closed', 'protocol', 'failed'])

/** What Receive Maximum is when CONNACK does not say [MQTT5-3.2.2.3.3]. */
const UNLIMITED = 0xffff

class MqttWire implements Wire {
  readonly #socket: Socket
  readonly #opening: Opening
  readonly #frames: FrameReader
  readonly #sender: PacketSender
  readonly #requests: Requests
  readonly #inbox: Inbox
  readonly #keepAlive: KeepAlive
  #phase: 'connecting' | 'open' | 'ended' = 'connecting'
  #properties: Properties = {}
  /** What is to be undone at the end: timers, listeners. */
  readonly #cleanup: Stop[] = []
  /** Who waits for the present re-authentication. */
  #renewal: { resolve(): void; reject(error: WireError): void } | null = null
  #isClosed = false
  /** What the socket said before its end. */
  #cause: unknown
  /** Resolves when the socket is closed. */
  #ended: Promise<void> = Promise.resolve()

  constructor(socket: Socket, opening: Opening) {
    const { clock, limits, listener } = opening
    this.#socket = socket
    this.#opening = opening
    this.#frames = new FrameReader(limits.maxPacket)
    this.#sender = new PacketSender(socket, limits.buffered, (cause) => this.#end(lost('the socket failed', cause)))
    this.#requests = new Requests(limits.requests, (packet) => this.#sendChecked(packet))
    this.#inbox = new Inbox(
      listener,
      limits.receiveMaximum,
      (packetId) => this.#send(encode.encodePuback(packetId)),
      (cause) => this.#fail(cause),
    )
    this.#keepAlive = new KeepAlive(
      clock,
      () => this.#send(encode.encodePingreq()),
      (ms) => this.#end(lost(`the broker did not answer for ${ms} ms`)),
    )
  }

  get properties(): Readonly<Properties> {
    return this.#properties
  }

  /** From here on what arrives drives the connection: the socket opens, CONNACK, packets, the end. */
  begin(): void {
    const { clock, limits, signal } = this.#opening
    const socket = this.#socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => this.#connect()
    socket.onmessage = ({ data }: { data: unknown }) => this.#receive(data)
    socket.onclose = () => {
      this.#isClosed = true
      this.#end(lost('the connection was lost', this.#cause))
    }
    // The end follows. What went wrong is not told to pages.
    socket.onerror = ({ error, message }: { error?: unknown; message?: string }) =>
      void (this.#cause = error ?? message)
    const timeout = limits.openTimeout
    this.#cleanup.push(
      clock.timer(timeout, () => this.#end(lost(`there was no connection within ${timeout} ms`))),
      onAbort(signal, () => this.#end(new WireError('aborted', 'given up while it was opened'))),
    )
  }

  #connect(): void {
    const { login, limits } = this.#opening
    const { receiveMaximum, maxPacket: maximumPacketSize, keepAlive } = limits
    const properties = { receiveMaximum, maximumPacketSize, requestResponseInformation: 1 }
    try {
      this.#send(encode.encodeConnect(login, keepAlive, properties))
    } catch (error) {
      this.#end(error as WireError)
    }
  }

  #receive(data: unknown): void {
    if (this.#phase === 'ended') return
    this.#keepAlive.received()
    try {
      if (typeof data === 'string') throw protocolError('a text frame; MQTT needs binary frames')
      this.#frames.push(new Uint8Array(data as ArrayBuffer))
      // A packet may end the connection, and so may the listener that gets it.
      for (let frame = this.#frames.next(); frame; frame = this.#isOver() ? null : this.#frames.next())
        this.#handle(decode(frame))
    } catch (error) {
      this.#fail(error)
    }
  }

  #isOver(): boolean {
    return this.#phase === 'ended'
  }

  #handle(packet: Packet): void {
    if (this.#phase === 'connecting') return this.#handleConnack(packet)
    switch (packet.type) {
      case 'publish':
        return this.#inbox.take(packet)
      case 'puback':
        return this.#requests.answered('puback', packet.packetId, { ...packet, reasons: [packet.reason] })
      case 'suback':
      case 'unsuback':
        return this.#requests.answered(packet.type, packet.packetId, packet)
      case 'pingresp':
        return this.#keepAlive.answered()
      case 'auth':
        return this.#renewed(packet.reason)
      case 'disconnect':
        return this.#end(said('disconnected', 'the broker ended the connection', packet))
      case 'connack':
        throw protocolError('a second CONNACK')
    }
  }

  #handleConnack(packet: Packet): void {
    if (packet.type !== 'connack') throw protocolError(`${packet.type} before CONNACK`)
    if (packet.reason >= Reason.unspecified) return this.#end(said('refused', 'the broker refused the login', packet))
    if (packet.sessionPresent) throw protocolError('a session is present after a clean start')
    const { serverKeepAlive = 0, receiveMaximum = UNLIMITED } = packet.properties
    const { silence, pingTimeout } = this.#opening.limits
    this.#phase = 'open'
    this.#properties = packet.properties
    this.#undo()
    this.#requests.allow(receiveMaximum)
    // Twice: a ping may be sent as late as that after the last packet.
    const often = serverKeepAlive > 0 ? Math.min(silence, serverKeepAlive * 500) : silence
    this.#keepAlive.watch(often, pingTimeout, () => this.#sender.takeSent())
    this.#opening.opened(this)
  }

  async subscribe(subscriptions: readonly Subscription[], signal?: Signal): Promise<readonly number[]> {
    const encodeIt = (id: number) => encode.encodeSubscribe(subscriptions, id)
    return (await this.#ask({ answer: 'suback', count: subscriptions.length, encode: encodeIt }, signal)).reasons
  }

  async unsubscribe(filters: readonly string[], signal?: Signal): Promise<readonly number[]> {
    const encodeIt = (id: number) => encode.encodeUnsubscribe(filters, id)
    return (await this.#ask({ answer: 'unsuback', count: filters.length, encode: encodeIt }, signal)).reasons
  }

  async publish(message: Outgoing, signal?: Signal): Promise<Answer> {
    if (message.qos === 0) {
      this.#requireOpen()
      if (signal?.aborted) throw new WireError('aborted', 'given up unsent')
      this.#sendChecked(encode.encodePublish(message, 0))
      return { reason: Reason.success, properties: {} }
    }
    const encodeIt = (id: number) => encode.encodePublish(message, id)
    const { reasons, properties } = await this.#ask({ answer: 'puback', count: 1, encode: encodeIt }, signal)
    return { reason: reasons[0]!, properties }
  }

  async renew(token: string): Promise<void> {
    this.#requireOpen()
    if (!('token' in this.#opening.login)) throw new WireError('rejected', 'only a login by token can be renewed')
    if (this.#renewal) throw new WireError('rejected', 'the login is being renewed already')
    const packet = encode.encodeAuth(Reason.reAuthenticate, token)
    await new Promise<void>((resolve, reject) => {
      this.#renewal = { resolve, reject }
      this.#send(packet)
    })
  }

  #renewed(reason: number): void {
    const renewal = this.#renewal
    if (!renewal || reason !== Reason.success)
      throw protocolError(`AUTH of reason code ${reason}, which was not expected`)
    this.#renewal = null
    renewal.resolve()
  }

  async check(ms: number): Promise<void> {
    this.#requireOpen()
    await new Promise<void>((resolve, reject) => this.#keepAlive.ping(ms, resolve, reject))
  }

  close(): Promise<void> {
    this.#end(new WireError('closed', 'the connection was closed', { reason: Reason.success }))
    return this.#ended
  }

  #ask(request: Parameters<Requests['ask']>[0], signal?: Signal) {
    this.#requireOpen()
    return this.#requests.ask(request, signal)
  }

  #requireOpen(): void {
    if (this.#phase !== 'open') throw new WireError('closed', 'the connection has ended')
  }

  #send(packet: Bytes): void {
    if (this.#phase !== 'ended') this.#sender.send(packet)
  }

  /** Within the bounds of the broker and of the socket. */
  #sendChecked(packet: Bytes): void {
    const { maximumPacketSize: most = Number.POSITIVE_INFINITY } = this.#properties
    if (packet.length > most)
      throw new WireError('rejected', `a packet of ${packet.length} bytes; the broker takes ${most} at most`, {
        reason: Reason.packetTooLarge,
      })
    this.#sender.sendWithinBound(packet)
  }

  /** What the broker sent cannot be accepted, or the listener failed. */
  #fail(cause: unknown): void {
    if (cause instanceof Malformed) {
      const { reason, message } = cause
      this.#end(new WireError('protocol', `the broker broke the protocol: ${message}`, { reason, cause }))
    } else {
      const reason = Reason.implementationSpecific
      this.#end(new WireError('failed', `a message could not be taken: ${messageOf(cause)}`, { reason, cause }))
    }
  }

  /** The connection ends, whoever wants it: once. */
  #end(error: WireError): void {
    const phase = this.#phase
    if (phase === 'ended') return
    this.#phase = 'ended'
    if (phase === 'open' && TOLD.has(error.kind)) this.#sender.send(encode.encodeDisconnect(error.reason!))
    this.#sender.flush()
    this.#undo()
    this.#keepAlive.stop(error)
    this.#requests.end(error)
    this.#renewal?.reject(error)
    if (!this.#isClosed) this.#ended = closed(this.#socket, this.#opening.clock, this.#opening.limits.closeTimeout)
    if (phase === 'connecting') void this.#ended.then(() => this.#opening.failed(error))
    else if (error.kind !== 'closed') this.#opening.listener.ended(error)
  }

  #undo(): void {
    for (const undo of this.#cleanup.splice(0)) undo()
  }
}

/** Closes the socket. Resolves when that is done, and at the latest after `timeout`. */
function closed(socket: Socket, clock: Clock, timeout: number): Promise<void> {
  return new Promise((resolve) => {
    const stop = clock.timer(timeout, () => {
      socket.terminate?.()
      resolve()
    })
    socket.onopen = socket.onmessage = null
    socket.onclose = () => {
      stop()
      resolve()
    }
    socket.close()
  })
}

function lost(message: string, cause?: unknown): WireError {
  return new WireError('network', cause ? `${message}: ${messageOf(cause)}` : message, { cause })
}

function said(
  kind: 'refused' | 'disconnected',
  what: string,
  { reason, properties }: { reason: number; properties: Properties },
): WireError {
  return new WireError(kind, `${what}: ${properties.reasonString ?? reasonName(reason)}`, { reason, properties })
}
