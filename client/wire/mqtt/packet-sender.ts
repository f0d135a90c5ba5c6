import type { Bytes, Socket } from '../../base/platform.js'
import { WireError } from '../wire.js'

/** Sends packets over the socket, those of one turn in one WebSocket frame. */
export class PacketSender {
  readonly #socket: Socket
  readonly #maxBuffered: number
  readonly #failed: (cause: unknown) => void
  #packets: Bytes[] = []
  #bytes = 0
  /** Something was sent since `takeSent`. */
  #sent = false

  /** `failed`: the socket did not take what was sent. */
  constructor(socket: Socket, maxBuffered: number, failed: (cause: unknown) => void) {
    this.#socket = socket
    this.#maxBuffered = maxBuffered
    this.#failed = failed
  }

  /** For packets that the protocol demands, which are few and small. */
  send(packet: Bytes): void {
    if (this.#packets.push(packet) === 1) void Promise.resolve().then(() => this.flush())
    this.#bytes += packet.length
  }

  /** Throws a `WireError` if too much waits in the socket already. */
  sendWithinBound(packet: Bytes): void {
    const waiting = this.#socket.bufferedAmount + this.#bytes
    if (waiting > 0 && waiting + packet.length > this.#maxBuffered)
      throw new WireError('rejected', `${waiting} bytes wait to be sent; try again when the network has taken them`)
    this.send(packet)
  }

  flush(): void {
    if (this.#packets.length === 0) return
    const bytes = this.#packets.length === 1 ? this.#packets[0]! : joined(this.#packets, this.#bytes)
    this.#packets = []
    this.#bytes = 0
    this.#sent = true
    try {
      this.#socket.send(bytes)
    } catch (cause) {
      this.#failed(cause)
    }
  }

  /** Whether something was sent since the last call. */
  takeSent(): boolean {
    const sent = this.#sent
    this.#sent = false
    return sent
  }
}

function joined(packets: readonly Bytes[], bytes: number): Bytes {
  const all = new Uint8Array(bytes)
  let at = 0
  for (const packet of packets) {
    all.set(packet, at)
    at += packet.length
  }
  return all
}
