/**
 * What a client sends, from bytes to packets: these are handled strictly one after another, and reading pauses while too much of what was
 * handled waits for the store, or while the client is above its rate.
 */
import type { Backlog } from '../following/backlog.js'
import type { ByteStream } from '../net/byte-stream.js'
import type { QoS } from '../store/qos.js'
import { FrameReader } from './codec/frames.js'
import { Slowing } from './slowing.js'

/** Publishes of one client that wait for the store at a time; what it sent beyond waits in its socket. */
const MAX_UNSETTLED = 1024

/** Bytes of a client that are read though nothing is handled, for it does not read: its pings, for a long while. */
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
  /** Whether the client does not read what it is sent. */
  readonly congested: boolean
  /** Handles one packet; what it returns holds back those behind it. */
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
  /** While it runs nothing is taken from the client, who is above its rate. */
  #pause: NodeJS.Timeout | null = null
  /** Null: nobody was ever behind with what it publishes. */
  #slowing: Slowing | null = null
  /** Publishes taken and not yet settled by the store. */
  #unsettled = 0
  #unsettledBytes = 0
  #unsettledQos1 = 0

  /** `maxBytes`: of a packet. */
  constructor(handler: PacketHandler, limits: PacketQueueLimits, maxBytes: number) {
    this.#handler = handler
    this.#limits = limits
    this.#frames = new FrameReader(maxBytes)
    this.#bound = Math.min(limits.receiveMaximum, MAX_UNSETTLED)
  }

  /** The client is logged in: packets may have so many bytes. Clients before MQTT 5 are not told how many that are. */
  admit(isMqtt5: boolean, maxBytes: number): void {
    this.#frames.maxBytes = maxBytes
    this.#frames.skipsPayloads = !isMqtt5
    // An MQTT 5 client knows the bound; one more than it is its fault, and is looked for.
    this.#bound = Math.min(this.#limits.receiveMaximum + (isMqtt5 ? 1 : 0), MAX_UNSETTLED)
  }

  /** Whether the beginning of a packet has come, and the rest of it has not. */
  get isMidPacket(): boolean {
    return this.#frames.buffered > 0
  }

  /** What the client sends meanwhile is not looked at. */
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

  /** There is room for what the client is to be sent. */
  drained(): void {
    if (this.#paused || this.#frames.buffered > 0) this.#goOn()
  }

  close(): void {
    if (this.#pause) clearTimeout(this.#pause)
    this.#slowing?.close()
  }

  // --- flow control -------------------------------------------------------------------------------------------------------------------

  /** A packet that waits for the store has begun to. */
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

  /** Takes nothing more from the client for so many ms. What comes meanwhile waits in its socket. */
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

  /** A reader that gets on is far behind with what this client publishes: it is read more slowly, for a bounded time. */
  slowFor(backlog: Backlog): void {
    if (this.#handler.closed || this.#slowing?.active) return
    this.#slowing ??= new Slowing(this.#limits.backlogWait * 1000, () => this.#goOnUnlessClosed())
    this.#slowing.begin(backlog)
    if (!this.#slowing.active) return
    this.#handler.count('slowed')
    if (!this.#working) this.#stopReading()
  }

  get #isSlowed(): boolean {
    return this.#pause !== null || this.#slowing?.active === true
  }

  /** Reading stops for reasons of ours. That the client does not read is none: what it sends shows that it lives. */
  get #isFull(): boolean {
    return this.#unsettled >= this.#bound || this.#unsettledBytes >= this.#limits.receiveBytes || this.#isSlowed
  }

  // --- packets ------------------------------------------------------------------------------------------------------------------------

  /** Handles packets in order; one that has to wait for something holds back those behind it, and then the socket. */
  #work(): void {
    if (this.#working) return
    this.#working = true
    try {
      // Nothing is handled while too much of what was waits for the store, or for the client to read its answers.
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
