import { LazySet } from '../util/lazy.js'

/** One that has to wait for its turn. */
interface Unsent {
  readonly packetId: number
  readonly topic: string
  readonly bytes: Buffer
}

/** Packets from before a reconnect, sent again: in their order, and no more at once than the client takes now [MQTT5-4.9]. */
export class Resending {
  readonly #push: (publish: Buffer) => void
  readonly #receiveMaximum: number
  #waiting: Unsent[] = []
  readonly #sent = new LazySet<number>()

  constructor(push: (publish: Buffer) => void, receiveMaximum: number) {
    this.#push = push
    this.#receiveMaximum = receiveMaximum
  }

  add(unsent: Unsent): void {
    this.#waiting.push(unsent)
    this.#sendMore()
  }

  /** Some are still to be sent: nothing of a log goes before them. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Those that may not be sent any more are not: their packet ids. */
  purge(forbidden: (unsent: Unsent) => boolean): number[] {
    const gone = this.#waiting.filter(forbidden)
    if (gone.length > 0) this.#waiting = this.#waiting.filter((unsent) => !gone.includes(unsent))
    return gone.map(({ packetId }) => packetId)
  }

  /** A packet's flow ended. */
  done(packetId: number): void {
    if (this.#waiting.length > 0 && this.#sent.delete(packetId)) this.#sendMore()
  }

  #sendMore(): void {
    while (this.#waiting.length > 0 && this.#sent.size < this.#receiveMaximum) {
      const { packetId, bytes } = this.#waiting.shift()!
      this.#sent.add(packetId)
      this.#push(bytes)
    }
  }
}
