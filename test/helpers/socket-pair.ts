import type net from 'node:net'

/** A connection to a proxy and the one behind it: either ends with the other. */
export class SocketPair {
  readonly #client: net.Socket
  readonly #server: net.Socket
  readonly #silent: () => boolean
  readonly #held: (() => void)[] = []

  /** `silent`: nothing passes at present. `closed`: called when nothing of both is left. */
  constructor(client: net.Socket, server: net.Socket, silent: () => boolean, closed: () => void) {
    this.#client = client
    this.#server = server
    this.#silent = silent
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      // An error is followed by the close.
      socket.on('error', () => {})
      socket.once('close', () => {
        if (other.destroyed) closed()
        else this.pass(() => other.end())
      })
    }
  }

  /** Now, or when what was held back is released. `isHeld`: behind what is. */
  pass(act: () => void, isHeld = false): void {
    if (isHeld || this.#silent()) this.#held.push(act)
    else act()
  }

  release(): void {
    for (const act of this.#held.splice(0)) act()
  }

  cut(): void {
    this.#client.destroy()
    this.#server.destroy()
  }
}
