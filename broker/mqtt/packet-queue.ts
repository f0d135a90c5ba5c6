/**
 * Inbound packets of one connection. They are handled strictly one after another; reading pauses while too many publishes wait for the store, or
 * while the client is above its rate.
 */
import type { Backlog } from '../following/backlog.js'
import type { ByteStream } from '../net/byte-stream.js'
import type { QoS } from '../store/qos.js'
import { Backpressure } from './backpressure.js'
import { FrameReader } from './codec/frames.js'

/** Publishes of one client that may wait for the store; beyond that, reading pauses. */
const MAX_UNSETTLED = 1024

/** Bytes read ahead while the client does not read: enough for its pings for a long time. */
const MAX_UNHANDLED = 16_384

export interface PacketQueueLimits {
  readonly receiveMaximum: number
  readonly receiveBytes: number
  /** Seconds. */
  readonly backlogWait: number
}

/** What a queue needs of its connection. */
export interface PacketHandler {
  readonly conn: ByteStream
  readonly closed: boolean
  /** The client does not read what it is sent: the write buffer is full. */
  readonly congested: boolean
  /** Handles one packet; a returned promise holds back the packets behind it. */
  handle(frame: FrameReader): void | Promise<void>
  failed(error: unknown): void
  /** The client closed its side, and what it sent before is handled. */
  ended(): void
  count(name: 'slowed' | 'rests'): void
}

export class PacketQueue {
  readonly #handler: PacketHandler
  readonly #limits: PacketQueueLimits
  #frames: FrameReader
  /** Unsettled publishes at which reading pauses. */
  #bound: number
  /** A packet is being handled, or has failed. */
  #working = false
  #paused = false
  #ended = false
  /** Set while reading pauses because the client is above its rate. */
  #pause: NodeJS.Timeout | null = null
  /** Null: no receiver was ever behind with what this client publishes. */
  #backpressure: Backpressure | null = null
  /** Publishes that the store has not settled yet. */
  #unsettled = 0
  #unsettledBytes = 0
  #unsettledQos1 = 0
  /** Called when nothing more is under way, and reading has stopped for good. */
  #whenHeld: (() => void) | null = null

  /** `maxBytes`: of a packet. */
  constructor(handler: PacketHandler, limits: PacketQueueLimits, maxBytes: number) {
    this.#handler = handler
    this.#limits = limits
    this.#frames = new FrameReader(maxBytes)
    this.#bound = Math.min(limits.receiveMaximum, MAX_UNSETTLED)
  }

  /** The client is logged in: packets may have `maxBytes`. Clients before MQTT 5 cannot be told that limit. */
  admit(isMqtt5: boolean, maxBytes: number): void {
    this.#frames.maxBytes = maxBytes
    this.#frames.skipsPayloads = !isMqtt5
    // An MQTT 5 client knows the receive maximum: one more has to be read, to find the violation.
    this.#bound = Math.min(this.#limits.receiveMaximum + (isMqtt5 ? 1 : 0), MAX_UNSETTLED)
  }

  /** Whether the beginning of a packet has come, and the rest of it has not. */
  get isMidPacket(): boolean {
    return this.#frames.buffered > 0
  }

  /** A packet is being handled, or reading pauses: what arrives is not looked at. */
  get isBusy(): boolean {
    return this.#working || this.#paused
  }

  /** QoS 1 messages of the client that are not done [MQTT5-4.9]. */
  get qos1UnderWay(): number {
    return this.#unsettledQos1
  }

  push(chunk: Buffer): void {
    this.#frames.push(chunk)
    this.#work()
  }

  /** The client closed its side. What it sent before is still handled. */
  end(): void {
    this.#ended = true
    this.#goOn()
  }

  /** The write buffer has room again. */
  drained(): void {
    if (this.#paused || this.#frames.buffered > 0) this.#goOn()
  }

  close(): void {
    if (this.#pause) clearTimeout(this.#pause)
    this.#backpressure?.close()
    this.#whenHeld?.()
  }

  /** Handles no further packet. Resolves when those before are answered, or the connection is closed. */
  hold(): Promise<void> {
    if (this.#handler.closed) return Promise.resolve()
    this.#bound = 0
    return new Promise((resolve) => {
      this.#whenHeld = resolve
      this.#goOn()
    })
  }

  // --- flow control -------------------------------------------------------------------------------------------------------------------

  /** A packet begins to wait for the store. */
  began(qos: QoS, bytes = 0): void {
    this.#unsettled++
    this.#unsettledBytes += bytes
    if (qos === 1) this.#unsettledQos1++
  }

  /** It was settled: reading may go on. */
  settled(qos: QoS, bytes = 0): void {
    this.#unsettled--
    this.#unsettledBytes -= bytes
    if (qos === 1) this.#unsettledQos1--
    if (!this.#working && (this.#paused || this.#ended)) this.#work()
  }

  /** Stops reading for so many ms. What arrives meanwhile waits in the socket. */
  pauseFor(ms: number): void {
    if (this.#handler.closed || this.#pause) return
    this.#handler.count('rests')
    this.#pause = setTimeout(() => this.#pauseIsOver(), ms)
    if (!this.#working) this.#stopReading()
  }

  #pauseIsOver(): void {
    this.#pause = null
    this.#goOnUnlessClosed()
  }

  /** A receiver that makes progress is far behind with what this client publishes: it is read more slowly, for a bounded time. */
  slowFor(backlog: Backlog): void {
    if (this.#handler.closed || this.#backpressure?.active) return
    this.#backpressure ??= new Backpressure(this.#limits.backlogWait * 1000, () => this.#goOnUnlessClosed())
    this.#backpressure.begin(backlog)
    if (!this.#backpressure.active) return
    this.#handler.count('slowed')
    if (!this.#working) this.#stopReading()
  }

  get #isSlowed(): boolean {
    return this.#pause !== null || this.#backpressure?.active === true
  }

  /** Reading must pause. A full write buffer is no reason: the client's packets show that it is alive. */
  get #isFull(): boolean {
    return this.#unsettled >= this.#bound || this.#unsettledBytes >= this.#limits.receiveBytes || this.#isSlowed
  }

  // --- packets ------------------------------------------------------------------------------------------------------------------------

  /** Handles packets in order; one that has to wait for something holds back those behind it, and then the socket. */
  #work(): void {
    if (this.#working) return
    this.#working = true
    try {
      // Nothing is handled while too much waits for the store, or for the client to read.
      while (!this.#handler.closed && !this.#isFull && !this.#handler.congested && this.#frames.next()) {
        const waiting = this.#handler.handle(this.#frames)
        if (waiting) {
          this.#stopReading()
          waiting.then(
            () => this.#workOn(),
            (error: unknown) => this.#handler.failed(error),
          )
          return
        }
      }
    } catch (error) {
      this.#handler.failed(error)
      return
    }
    this.#working = false
    this.#allHandled()
  }

  #allHandled(): void {
    if (this.#isFull || (this.#handler.congested && this.#frames.buffered >= MAX_UNHANDLED)) this.#stopReading()
    else this.#resumeReading()
    if (this.#unsettled === 0) this.#whenHeld?.()
    if (this.#ended && this.#unsettled === 0 && !this.#isSlowed) this.#handler.ended()
  }

  #workOn(): void {
    this.#working = false
    this.#work()
  }

  #goOn(): void {
    if (!this.#working) this.#work()
  }

  #goOnUnlessClosed(): void {
    if (!this.#handler.closed) this.#goOn()
  }

  #stopReading(): void {
    if (this.#paused) return
    this.#paused = true
    this.#handler.conn.pause()
  }

  #resumeReading(): void {
    if (!this.#paused || this.#handler.closed) return
    this.#paused = false
    this.#handler.conn.resume()
  }
}
