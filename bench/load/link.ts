/**
 * One connection of the load, on a raw socket. It does as little as it can for a packet, so that the broker is what is measured: what
 * arrives is looked at where it lies, and acks leave once per chunk read.
 */
import { once } from 'node:events'
import net from 'node:net'
import {
  CONNACK,
  connectPacket,
  framed,
  type Login,
  PINGREQ,
  PINGRESP,
  PONG,
  PUBACK,
  PUBLISH,
  type Qos,
  SUBACK,
  subscribePacket,
  type Transport,
  UPGRADE,
} from './wire.js'

const READ_BYTES = 65536
/** Who is not answered by then never will be. */
const ANSWER_MS = 60_000

/** One for all sockets: a chunk is done with before the next one is read. */
const chunk = Buffer.allocUnsafe(READ_BYTES)

export class Link {
  readonly transport: Transport
  /** Called with each message, and where its payload begins and ends. */
  onMessage: ((bytes: Buffer, at: number, end: number) => void) | null = null
  /** Called after each chunk with how many messages it brought. */
  onMessages: ((count: number) => void) | null = null
  /** The same of PUBACKs. */
  onAcks: ((count: number) => void) | null = null
  /** Called with each PINGRESP. */
  onPong: (() => void) | null = null
  /** Called when the connection ends and nobody asked for that. */
  onLost: (error: Error) => void = fail
  readonly #socket: net.Socket
  #ended = false
  /** Start of a packet whose end has not arrived. */
  #rest: Buffer | null = null
  /** Start of a WebSocket frame's head. */
  #head: Buffer | null = null
  /** Bytes of a WebSocket frame still to come. */
  #left = 0
  #upgraded: (() => void) | null = null
  #acks = Buffer.allocUnsafe(64)
  #ackCount = 0
  #messages = 0
  #acknowledged = 0
  #answered: ((type: number) => void) | null = null

  constructor(port: number, transport: Transport) {
    this.transport = transport
    const onread = {
      buffer: chunk,
      callback: (bytes: number) => {
        this.#read(bytes)
        return true
      },
    }
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.#socket.on('close', () => this.#ended || this.onLost(new Error('a connection was closed')))
    this.#socket.on('error', (error) => this.#ended || this.onLost(error))
  }

  /** Resolves with CONNACK. */
  async open(login: Login): Promise<void> {
    await once(this.#socket, 'connect')
    if (this.transport === 'ws') {
      const upgraded = new Promise<void>((resolve) => (this.#upgraded = resolve))
      this.#socket.write(UPGRADE)
      await upgraded
    }
    await this.#ask(connectPacket(login), CONNACK)
  }

  async subscribe(topic: string, qos: Qos): Promise<void> {
    await this.#ask(subscribePacket(topic, qos), SUBACK)
  }

  /** Answered by `onPong`; any number may be under way. */
  ping(): void {
    this.write(framed(this.transport, PINGREQ))
  }

  /** Bytes as they are on the wire, already in frames. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }

  /** Bytes written that the socket has not taken. */
  get waiting(): number {
    return this.#socket.writableLength
  }

  /** Stops reading, as a client does that hangs. */
  freeze(): void {
    this.#socket.pause()
  }

  thaw(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#ended = true
    this.#socket.destroy()
  }

  async #ask(bytes: Buffer, answer: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`no packet of type ${answer} in ${ANSWER_MS} ms`)), ANSWER_MS)
      this.#answered = (type) => {
        if (type !== answer) return
        clearTimeout(late)
        this.#answered = null
        resolve()
      }
      this.#socket.write(framed(this.transport, bytes))
    })
  }

  #read(length: number): void {
    if (this.transport === 'tcp') this.#parse(chunk, 0, length)
    else if (this.#upgraded) this.#upgrade(length)
    else this.#unwrap(chunk, 0, length)
    this.#finish()
  }

  /** What a chunk asks for, once for all of it. */
  #finish(): void {
    if (this.#ackCount > 0) {
      this.#socket.write(framed(this.transport, Buffer.from(this.#acks.subarray(0, 4 * this.#ackCount))))
      this.#ackCount = 0
    }
    const messages = this.#messages
    const acknowledged = this.#acknowledged
    this.#messages = 0
    this.#acknowledged = 0
    if (messages > 0) this.onMessages?.(messages)
    if (acknowledged > 0) this.onAcks?.(acknowledged)
  }

  #upgrade(length: number): void {
    const bytes = this.#head ? Buffer.concat([this.#head, chunk.subarray(0, length)]) : chunk.subarray(0, length)
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) {
      this.#head = Buffer.from(bytes)
      return
    }
    this.#head = null
    if (!bytes.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101')))
      this.onLost(new Error(bytes.toString('latin1', 0, end)))
    this.#upgraded!()
    this.#upgraded = null
    this.#unwrap(bytes, end + 4, bytes.length)
  }

  #unwrap(bytes: Buffer, at: number, length: number): void {
    if (this.#head) {
      bytes = Buffer.concat([this.#head, bytes.subarray(at, length)])
      at = 0
      length = bytes.length
      this.#head = null
    }
    while (at < length) {
      if (this.#left > 0) {
        const end = Math.min(length, at + this.#left)
        this.#left -= end - at
        this.#parse(bytes, at, end)
        at = end
        continue
      }
      const code = length - at < 2 ? -1 : bytes[at + 1]!
      const size = code < 0 ? 14 : code === 127 ? 10 : code === 126 ? 4 : 2
      if (length - at < size) {
        this.#head = Buffer.from(bytes.subarray(at, length))
        return
      }
      const body = code === 127 ? bytes.readUInt32BE(at + 6) : code === 126 ? bytes.readUInt16BE(at + 2) : code
      // Pings of brokers have no payload to speak of; it is not taken for MQTT.
      if ((bytes[at]! & 0x0f) === 9) {
        this.#socket.write(PONG)
        at += size + body
      } else {
        this.#left = body
        at += size
      }
    }
  }

  #parse(bytes: Buffer, at: number, length: number): void {
    if (this.#rest) {
      bytes = Buffer.concat([this.#rest, bytes.subarray(at, length)])
      at = 0
      length = bytes.length
      this.#rest = null
    }
    while (at < length) {
      let size = 0
      let body = at + 1
      let shift = 0
      let more = true
      while (more && body < length) {
        const byte = bytes[body++]!
        size += (byte & 0x7f) << shift
        shift += 7
        more = byte >= 0x80
      }
      const end = body + size
      if (more || end > length) break
      this.#take(bytes, bytes[at]!, body, end)
      at = end
    }
    if (at < length) this.#rest = Buffer.from(bytes.subarray(at, length))
  }

  #take(bytes: Buffer, header: number, body: number, end: number): void {
    const type = header >> 4
    if (type === PUBLISH) {
      this.#messages++
      let payload = body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!)
      if (header & 0x06) {
        this.#acknowledge(bytes[payload]!, bytes[payload + 1]!)
        payload += 2
      }
      this.onMessage?.(bytes, payload, end)
    } else if (type === PUBACK) this.#acknowledged++
    else if (type === PINGRESP) this.onPong?.()
    else if (type === CONNACK && bytes[body + 1] !== 0) this.onLost(new Error(`CONNACK with code ${bytes[body + 1]}`))
    else this.#answered?.(type)
  }

  #acknowledge(high: number, low: number): void {
    const at = 4 * this.#ackCount++
    if (this.#acks.length < at + 4) this.#acks = Buffer.concat([this.#acks], 2 * this.#acks.length)
    this.#acks[at] = 0x40
    this.#acks[at + 1] = 2
    this.#acks[at + 2] = high
    this.#acks[at + 3] = low
  }
}

function fail(error: Error): never {
  console.error(`load: ${error.message}`)
  process.exit(1)
}
