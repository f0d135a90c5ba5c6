import { LazySet } from '../util/lazy.js'

/** A packet that is not sent again yet. */
interface Unsent {
  readonly packetId: number
  readonly topic: string
  readonly bytes: Buffer
}

/** Resends in-flight packets after a reconnect: in their order, and within the client's current receive maximum [MQTT5-4.9]. */
export class Redelivery {
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

  /** Some are still to be sent: no entry of a log may go before them. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Drops packets that may not be sent any more; returns their packet ids. */
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
