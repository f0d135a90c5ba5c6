/** The connections of the HTTP listeners: how many there may be, how the requests of one take turns, and how long its answers wait for a reader. */
import type http from 'node:http'
import type { Socket } from 'node:net'
import { networkOf } from '../util/network.js'

export interface HttpConnectionsOptions {
  readonly limits: { readonly httpConnections: number; readonly httpConnectionsPerAddress: number }
  /** Seconds in which nothing of an answer is taken, after which its connection is cut. */
  readonly answerTimeout: number
  /** Seconds without a request, after which a connection is closed; its client is told. */
  readonly idleTimeout: number
  /** Told of each connection that has no place, and of the limit that says so. */
  readonly refused: (limit: string, address: string) => void
}

/** Requests of one connection that may wait behind the one that is being answered. */
const MOST_WAITING = 16
/** Those beyond it, of all connections; who pipelines more is cut off. */
const MOST_EXTRA = 10_000

const FULL = [
  'HTTP/1.1 503 Service Unavailable',
  'content-type: application/problem+json',
  'retry-after: 5',
  'connection: close',
  '',
  '{"status":503,"code":"unavailable","title":"Service Unavailable","detail":"too many connections"}\n',
].join('\r\n')

type Answer = () => void

/** What is known of one connection. */
interface Place {
  readonly network: string
  /** A request is being answered, or its answer is on its way. */
  answering: boolean
  readonly waiting: Answer[]
}

export class HttpConnections {
  readonly #options: HttpConnectionsOptions
  readonly #places = new Map<object, Place>()
  readonly #ofNetwork = new Map<string, number>()
  #extra = 0

  constructor(options: HttpConnectionsOptions) {
    this.#options = options
  }

  /** Connections beyond the limits are told so and closed, before anything of them is read. `event` is that of a connection that can be read. */
  guard(server: http.Server, event: 'connection' | 'secureConnection'): void {
    const letIn = server.listeners(event)
    server.removeAllListeners(event).on(event, (socket: Socket) => {
      if (this.#take(socket)) for (const listener of letIn) listener.call(server, socket)
      else turnAway(socket)
    })
    server.keepAliveTimeout = this.#options.idleTimeout * 1000
    server.setTimeout(this.#options.answerTimeout * 1000, (socket) => this.#stoodStill(socket))
  }

  /** Answers a request when those before it on its connection are answered and taken: what nobody reads is one answer, however much is asked. */
  answer({ socket }: http.IncomingMessage, response: http.ServerResponse, answer: Answer): void {
    const place = this.#places.get(socket)
    if (!place) return void socket.destroy()
    const begin = (): void => {
      place.answering = true
      if (this.#isCrowded(place)) response.setHeader('connection', 'close')
      response.once('close', () => this.#next(socket, place))
      answer()
    }
    if (!place.answering) return begin()
    if (place.waiting.length >= MOST_WAITING && ++this.#extra > MOST_EXTRA) socket.destroy()
    place.waiting.push(begin)
    socket.pause()
  }

  /** It is no more one of HTTP. */
  release(socket: object): void {
    const place = this.#places.get(socket)
    if (!place) return
    this.#places.delete(socket)
    this.#extra -= Math.max(0, place.waiting.splice(0).length - MOST_WAITING)
    const left = this.#ofNetwork.get(place.network)! - 1
    if (left === 0) this.#ofNetwork.delete(place.network)
    else this.#ofNetwork.set(place.network, left)
  }

  #take(socket: Socket): boolean {
    const { httpConnections, httpConnectionsPerAddress } = this.#options.limits
    const address = socket.remoteAddress ?? ''
    const network = networkOf(address)
    const count = this.#ofNetwork.get(network) ?? 0
    const full = this.#places.size >= httpConnections
    if (full || count >= httpConnectionsPerAddress) {
      this.#options.refused(full ? 'limits.httpConnections' : 'limits.httpConnectionsPerAddress', address)
      return false
    }
    this.#ofNetwork.set(network, count + 1)
    this.#places.set(socket, { network, answering: false, waiting: [] })
    socket.once('close', () => this.release(socket))
    return true
  }

  #next(socket: Socket, place: Place): void {
    place.answering = false
    if (socket.destroyed || socket.writableEnded) return
    if (place.waiting.length > MOST_WAITING) this.#extra--
    place.waiting.shift()?.()
    if (place.waiting.length === 0) socket.resume()
  }

  /** Where half the room is taken connections end with their answers, which say so: those that are idle keep nobody out. */
  #isCrowded({ network }: Place): boolean {
    const { httpConnections, httpConnectionsPerAddress } = this.#options.limits
    const count = this.#ofNetwork.get(network)!
    return this.#places.size > Math.ceil(httpConnections / 2) || count > Math.ceil(httpConnectionsPerAddress / 2)
  }

  /**
   * For a while nothing came, and nothing of what waits went. While an answer is worked out, or an event stream has nothing to say, nothing
   * waits; with no request at all it is idle.
   */
  #stoodStill(socket: Socket): void {
    if (!this.#places.get(socket)?.answering) closeIdle(socket)
    else if (socket.writableLength > 0) socket.destroy()
    else socket.setTimeout(this.#options.answerTimeout * 1000)
  }
}

/** Where this process was busy, a request may have come in time and be read only now. */
function closeIdle(socket: Socket): void {
  const { bytesRead } = socket
  setImmediate(() => {
    if (socket.bytesRead === bytesRead) socket.destroy()
  })
}

function turnAway(socket: Socket): void {
  socket.on('error', () => {})
  socket.once('finish', () => socket.destroy())
  socket.end(FULL)
}
