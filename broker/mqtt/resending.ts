/** Packets from before a reconnect, sent again: in their order, and no more at once than the client takes now [MQTT5-4.9]. */
export class Resending {
  readonly #push: (publish: Buffer) => void
  readonly #receiveMaximum: number
  #waiting: { packetId: number; bytes: Buffer }[] = []
  readonly #sent = new Set<number>()

  constructor(push: (publish: Buffer) => void, receiveMaximum: number) {
    this.#push = push
    this.#receiveMaximum = receiveMaximum
  }

  add(packetId: number, bytes: Buffer): void {
    this.#waiting.push({ packetId, bytes })
    this.#sendMore()
  }

  /** Some are still to be sent: nothing of a log goes before them. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
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
