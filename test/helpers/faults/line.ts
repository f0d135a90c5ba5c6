/** One connection of a client over a real socket, on the level of packets. */
import net from 'node:net'
import mqttPacket, { type Packet } from 'mqtt-packet'

const VERSION = { protocolVersion: 5 } as const

export class Line {
  readonly #socket: net.Socket

  /** @param closed Called once, however it ends */
  constructor(port: number, taken: (packet: Packet) => void, closed: () => void) {
    const parser = mqttPacket.parser(VERSION)
    parser.on('packet', taken)
    this.#socket = net.connect(port, '127.0.0.1')
    this.#socket.on('data', (chunk) => parser.parse(chunk))
    // An error is followed by the close.
    this.#socket.on('error', () => {})
    this.#socket.once('close', closed)
  }

  send(packet: Packet): void {
    if (this.#socket.writable) this.#socket.write(mqttPacket.generate(packet, VERSION))
  }

  end(): void {
    this.#socket.destroy()
  }
}
