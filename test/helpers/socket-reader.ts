/** A subscriber on a real socket that a test may stop reading from. */
import { once } from 'node:events'
import net from 'node:net'
import mqttPacket, { type Packet } from 'mqtt-packet'
import type { Test } from 'tap'
import WebSocket from 'ws'
import type { TestBroker } from './broker.js'

export abstract class Reader {
  readonly payloads: string[] = []
  readonly #parser = mqttPacket.parser({ protocolVersion: 4 })
  #packets: Packet[] = []
  #progress = (): void => {}

  constructor() {
    this.#parser.on('packet', (packet: Packet) => {
      if (packet.cmd === 'publish') {
        this.payloads.push(packet.payload.toString())
        if (packet.qos === 1) this.write(mqttPacket.generate({ cmd: 'puback', messageId: packet.messageId! }))
      } else this.#packets.push(packet)
      this.#progress()
    })
  }

  abstract pause(): void
  abstract resume(): void
  protected abstract write(bytes: Buffer): void

  async login(broker: TestBroker, user: string): Promise<void> {
    const password = Buffer.from(await broker.token(user))
    this.write(
      mqttPacket.generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        keepalive: 0,
        clientId: user,
        username: user,
        password,
      }),
    )
    await this.#until(() => this.#packets.some(({ cmd }) => cmd === 'connack'))
  }

  async subscribe(topic: string, qos: 0 | 1): Promise<void> {
    this.write(mqttPacket.generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] }))
    await this.#until(() => this.#packets.some(({ cmd }) => cmd === 'suback'))
  }

  received(count: number): Promise<void> {
    return this.#until(() => this.payloads.length >= count)
  }

  protected parse(bytes: Buffer): void {
    this.#parser.parse(bytes)
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#progress = resolve))
  }
}

export class TcpReader extends Reader {
  readonly #socket: net.Socket

  private constructor(socket: net.Socket) {
    super()
    this.#socket = socket
    socket.on('data', (chunk) => this.parse(chunk as Buffer))
  }

  static async open(t: Test, broker: TestBroker): Promise<TcpReader> {
    const socket = net.connect(broker.port, '127.0.0.1')
    t.teardown(() => void socket.destroy())
    await once(socket, 'connect')
    return new TcpReader(socket)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  protected write(bytes: Buffer): void {
    this.#socket.write(bytes)
  }
}

export class WsReader extends Reader {
  readonly #socket: WebSocket

  private constructor(socket: WebSocket) {
    super()
    this.#socket = socket
    socket.on('message', (data) => this.parse(data as Buffer))
  }

  static async open(t: Test, broker: TestBroker): Promise<WsReader> {
    const socket = new WebSocket(broker.wsUrl, 'mqtt')
    t.teardown(() => void socket.terminate())
    await once(socket, 'open')
    return new WsReader(socket)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  protected write(bytes: Buffer): void {
    this.#socket.send(bytes)
  }
}
