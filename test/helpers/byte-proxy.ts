/** A proxy that passes bytes on, and fails as a network does: cut, silent, not there. */
import { once } from 'node:events'
import net from 'node:net'
import type { Test } from 'tap'
import { SocketPair } from './socket-pair.js'

export class ByteProxy {
  readonly port: number
  readonly #server: net.Server
  readonly #target: () => number
  readonly #pairs = new Set<SocketPair>()
  #silent = false
  #holdsAnswers = false
  #refuses = false

  /** `target`: the port at present. Closed with the test. */
  static async start(t: Test, target: () => number): Promise<ByteProxy> {
    const server = net.createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new ByteProxy(server, target)
    t.teardown(async () => {
      proxy.cut()
      server.close()
      await once(server, 'close')
    })
    return proxy
  }

  private constructor(server: net.Server, target: () => number) {
    this.#server = server
    this.#target = target
    this.port = (server.address() as net.AddressInfo).port
    this.#server.on('connection', (client) => this.#accept(client))
  }

  /** Ends all connections. */
  cut(): void {
    for (const pair of this.#pairs) pair.cut()
  }

  /** Nothing passes any more, not even the end of a connection. New connections are accepted, and as silent. */
  blackhole(): void {
    this.#silent = true
  }

  /** What the target sends does not pass any more; what is sent to it does. */
  holdAnswers(): void {
    this.#holdsAnswers = true
  }

  /** Ends all connections, and each new one. */
  refuse(): void {
    this.#refuses = true
    this.cut()
  }

  /** Connections pass again; what was held back goes on. */
  heal(): void {
    this.#silent = false
    this.#holdsAnswers = false
    this.#refuses = false
    for (const pair of this.#pairs) pair.release()
  }

  #accept(client: net.Socket): void {
    if (this.#refuses) return void client.destroy()
    const server = net.connect(this.#target(), '127.0.0.1')
    const closed = (): boolean => this.#pairs.delete(pair)
    const pair = new SocketPair(client, server, () => this.#silent, closed)
    this.#pairs.add(pair)
    client.on('data', (bytes) => pair.pass(() => server.write(bytes)))
    server.on('data', (bytes) => pair.pass(() => client.write(bytes), this.#holdsAnswers))
  }
}
