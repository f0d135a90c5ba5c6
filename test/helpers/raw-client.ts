/** An MQTT client on the level of bytes: sends exactly what a test says, and decodes with mqtt-packet, which is not the broker's codec. */
import { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import mqttPacket, { type Packet } from 'mqtt-packet'
import type { TestBroker } from './broker.js'

/** Two ends of an in-memory byte stream. */
export function streamPair(): [Duplex, Duplex] {
  const make = (peer: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        // Passes data in the next turn of the event loop, as a socket does.
        setImmediate(() => {
          if (!peer().destroyed) peer().push(Buffer.from(chunk))
          done()
        })
      },
      final(done) {
        setImmediate(() => {
          if (!peer().destroyed) peer().push(null)
          done()
        })
      },
      destroy(error, done) {
        setImmediate(() => {
          const other = peer()
          if (!other.destroyed) other.destroy()
        })
        done(error)
      },
    })
  const one: Duplex = make(() => other)
  const other: Duplex = make(() => one)
  return [one, other]
}

export class RawClient extends EventEmitter {
  readonly stream: Duplex
  /** The broker's end of it; null: it is not in memory. */
  readonly peer: Duplex | null
  readonly packets: Packet[] = []
  readonly version: 3 | 4 | 5
  closed = false
  #taken = 0

  /** `stream`: a connection to the broker; in memory by default. */
  constructor(broker: TestBroker, version: 3 | 4 | 5 = 4, stream?: Duplex) {
    super()
    this.version = version
    const [mine, peer] = stream ? [stream, null] : streamPair()
    this.stream = mine
    this.peer = peer
    if (peer) broker.running.aedes.handle(peer as never)
    const parser = mqttPacket.parser({ protocolVersion: version })
    parser.on('packet', (packet: Packet) => {
      this.packets.push(packet)
      this.emit('progress')
    })
    mine.on('data', (chunk: Buffer) => parser.parse(chunk))
    const ended = (): void => {
      this.closed = true
      this.emit('progress')
    }
    mine.on('end', ended).on('close', ended).on('error', ended)
  }

  /** Sends packets encoded by mqtt-packet, raw bytes, or bytes as hex with spaces. */
  send(...parts: (Packet | Buffer | string)[]): void {
    const bytes = parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part.replaceAll(' ', ''), 'hex')
      return Buffer.isBuffer(part) ? part : mqttPacket.generate(part, { protocolVersion: this.version })
    })
    this.stream.write(Buffer.concat(bytes))
  }

  /** The next packet; null if the connection closed. */
  async next(): Promise<Packet | null> {
    while (this.#taken >= this.packets.length) {
      if (this.closed) return null
      await new Promise((resolve) => this.once('progress', resolve))
    }
    return this.packets[this.#taken++]!
  }

  /** Packets not yet taken by `next`. */
  get pending(): Packet[] {
    return this.packets.slice(this.#taken)
  }

  async whenClosed(): Promise<void> {
    while (!this.closed) await new Promise((resolve) => this.once('progress', resolve))
  }
}
