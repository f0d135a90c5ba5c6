/** A proxy between a node and Redis that loses what a network may lose. */
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { pushOf, RespFrames } from './resp-frames.js'
import { SocketPair } from './socket-pair.js'

export class TcpProxy {
  /** Ms by which each reply is late. */
  delay = 0
  /** Which messages of channels are lost. */
  loses: (channel: string, message: string) => boolean = () => false
  /** What becomes of a reply, or of a message of a channel, on its way; as it is if this returns null. */
  changes: (frame: Buffer) => Buffer | null = () => null
  /** Messages that were lost. */
  lost = 0
  readonly port: number
  readonly #server: net.Server
  #target: net.NetConnectOpts
  readonly #pairs = new Set<SocketPair>()
  #silent = false
  #cutAfter: ((request: string) => boolean) | null = null

  /** Closed with the test. */
  static async start(t: Test, target: { port: number }): Promise<TcpProxy> {
    const server = net.createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new TcpProxy(server, { port: target.port, host: '127.0.0.1' })
    t.teardown(() => proxy.#close())
    return proxy
  }

  private constructor(server: net.Server, target: net.NetConnectOpts) {
    this.#server = server
    this.port = (server.address() as net.AddressInfo).port
    this.#target = target
    server.on('connection', (client) => this.#accept(client))
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Nothing passes any more, the end of a connection included. New connections are accepted, and as silent. */
  blackhole(): void {
    this.#silent = true
  }

  /** What was held back goes on: requests of a client that no longer waits for the replies, too. */
  heal(): void {
    this.#silent = false
    for (const pair of this.#pairs) pair.release()
  }

  /** New connections lead there, as those of an address that another server has got. */
  moveTo({ port }: { port: number }): void {
    this.#target = { port, host: '127.0.0.1' }
  }

  /** Ends all connections. */
  cut(): void {
    for (const pair of this.#pairs) pair.cut()
  }

  /** Lets the next request pass for which `matches` holds, then ends its connection when the reply is there, without it. Resolves then. */
  cutReply(matches: (request: string) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#cutAfter = (request) => {
        if (!matches(request)) return false
        this.#cutAfter = null
        resolve()
        return true
      }
    })
  }

  #accept(client: net.Socket): void {
    const server = net.connect(this.#target)
    const closed = (): boolean => this.#pairs.delete(pair)
    const pair = new SocketPair(client, server, () => this.#silent, closed)
    this.#pairs.add(pair)
    const requests = new RespFrames()
    const replies = new RespFrames()
    let cuts = false
    /** The replies before this one, which none overtakes. */
    let before = Promise.resolve()
    client.on('data', (chunk) => {
      cuts ||= requests.take(chunk).some((frame) => this.#cutAfter?.(frame.toString('latin1')) === true)
      pair.pass(() => server.write(chunk))
    })
    server.on('data', (chunk) => {
      const passing = replies.take(chunk).filter((frame) => !this.#drops(frame))
      const frames = passing.map((frame) => this.changes(frame) ?? frame)
      if (cuts && frames.some((frame) => pushOf(frame) === null)) pair.cut()
      else
        pair.pass(() => {
          before = this.#late(before, () => client.write(Buffer.concat(frames)))
        })
    })
  }

  #drops(frame: Buffer): boolean {
    const [kind, channel, message] = pushOf(frame) ?? []
    if (kind !== 'message' && kind !== 'smessage') return false
    if (!this.loses(channel!, message!)) return false
    this.lost++
    return true
  }

  async #late(before: Promise<void>, write: () => void): Promise<void> {
    if (this.delay > 0) await delay(this.delay)
    await before
    write()
  }

  async #close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
