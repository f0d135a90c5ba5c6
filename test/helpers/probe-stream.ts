/** A connection with a fake socket: it records the broker's writes unchanged, and can stop reading. */
import { EventEmitter } from 'node:events'
import mqttPacket, { type IConnectPacket, type Packet } from 'mqtt-packet'
import type { ByteStream } from '../../broker/net/byte-stream.js'
import type { TestBroker } from './broker.js'

export class ProbeStream extends EventEmitter implements ByteStream {
  /** The buffers of all writes. */
  readonly writes: Uint8Array[] = []
  /** What the broker sent, decoded. */
  readonly packets: Packet[] = []
  writableLength = 0
  destroyed = false
  readonly #parser = mqttPacket.parser({ protocolVersion: 4 })
  #frozen = false
  #unread: Uint8Array[] = []

  constructor() {
    super()
    this.setMaxListeners(0)
    this.#parser.on('packet', (packet: Packet) => {
      this.packets.push(packet)
      this.emit('progress')
    })
  }

  /** Logs in by token with MQTT 3.1.1; resolves after the CONNACK. */
  static async login(broker: TestBroker, user: string, options: Partial<IConnectPacket> = {}): Promise<ProbeStream> {
    const probe = new ProbeStream()
    broker.running.aedes.handle(probe as never)
    const password = Buffer.from(await broker.token(user))
    const connect = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 0 } as const
    probe.receive({ ...connect, clientId: user, username: user, password, ...options })
    await probe.until(({ cmd }) => cmd === 'connack')
    return probe
  }

  async subscribe(topic: string, qos: 0 | 1 | 2): Promise<void> {
    const isSuback = ({ cmd }: Packet): boolean => cmd === 'suback'
    const before = this.packets.filter(isSuback).length
    this.receive({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] })
    await this.until(isSuback, before + 1)
  }

  /** Sends packets to the broker, in one chunk. */
  receive(...packets: Packet[]): void {
    this.emit('data', Buffer.concat(packets.map((packet) => mqttPacket.generate(packet))))
  }

  /** The payloads of all received PUBLISHes. */
  get payloads(): string[] {
    return this.packets.flatMap((packet) => (packet.cmd === 'publish' ? [packet.payload.toString()] : []))
  }

  /** Resolves when `count` received packets match. */
  async until(pass: (packet: Packet) => boolean, count = 1): Promise<Packet[]> {
    for (;;) {
      const found = this.packets.filter(pass)
      if (found.length >= count) return found
      await new Promise((resolve) => this.once('progress', resolve))
    }
  }

  /** Stops reading: further writes wait. */
  freeze(): void {
    this.#frozen = true
  }

  thaw(): void {
    this.#frozen = false
    const unread = this.#unread
    this.#unread = []
    this.writableLength = 0
    for (const chunk of unread) this.#parser.parse(Buffer.from(chunk))
    this.emit('drain')
  }

  write(chunk: Uint8Array): boolean {
    this.writes.push(chunk)
    if (this.#frozen) {
      this.#unread.push(chunk)
      this.writableLength += chunk.length
      return false
    }
    this.#parser.parse(Buffer.from(chunk))
    return true
  }

  pause(): void {}
  resume(): void {}

  /** Closes the connection, after the broker's last write. */
  end(): void {
    this.destroy()
  }

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    setImmediate(() => this.emit('close'))
  }
}
