/** Connections of the HTTP listeners: limits on their number, one request at a time per connection, and timeouts. */
import type http from 'node:http'
import type { Socket } from 'node:net'
import { KeyCounts } from '../util/key-counts.js'
import { networkOf } from '../util/network.js'

export interface HttpConnectionsOptions {
  readonly limits: { readonly httpConnections: number; readonly httpConnectionsPerAddress: number }
  /** Seconds without progress of a response after which its connection is closed. */
  readonly answerTimeout: number
  /** Seconds without a request after which a connection is closed; told to the client. */
  readonly idleTimeout: number
  /** Called for each connection that is refused, with the limit it met. */
  readonly refused: (limit: string, address: string) => void
}

/** Requests of one connection that may wait behind the one being answered. */
const MOST_WAITING = 16
/** Waiting requests beyond that, over all connections; a client that pipelines more is disconnected. */
const MOST_EXTRA = 10_000

const FULL_HEADERS = { 'content-type': 'application/problem+json', 'retry-after': '5', connection: 'close' }
const FULL_BODY = '{"status":503,"code":"unavailable","title":"Service Unavailable","detail":"too many connections"}\n'
const FULL = [
  'HTTP/1.1 503 Service Unavailable',
  ...Object.entries(FULL_HEADERS).map(([name, value]) => `${name}: ${value}`),
  '',
  FULL_BODY,
].join('\r\n')

type Answer = () => void

/** State of one connection. */
interface ConnectionState {
  readonly network: string
  /** The response that is being made or sent. */
  answering: http.ServerResponse | null
  readonly waiting: Answer[]
}

export class HttpConnections {
  readonly #options: HttpConnectionsOptions
  readonly #states = new Map<object, ConnectionState>()
  readonly #ofNetwork = new KeyCounts()
  #extra = 0
  #isLeaving = false

  constructor(options: HttpConnectionsOptions) {
    this.#options = options
  }

  /**
   * Refuses connections beyond the limits before anything of them is read. `event` is the one emitted when a connection
   * can be read.
   */
  guard(server: http.Server, event: 'connection' | 'secureConnection'): void {
    const letIn = server.listeners(event)
    server.removeAllListeners(event).on(event, (socket: Socket) => {
      if (this.#admit(socket)) for (const listener of letIn) listener.call(server, socket)
      else refuse(socket)
    })
    server.keepAliveTimeout = this.#options.idleTimeout * 1000
    server.setTimeout(this.#options.answerTimeout * 1000, (socket) => this.#timedOut(socket))
  }

  /**
   * Answers a request once all earlier ones of its connection are answered and sent: a client that does not read costs
   * one response, however many it requests.
   */
  answer({ socket }: http.IncomingMessage, response: http.ServerResponse, answer: Answer): void {
    const state = this.#states.get(socket)
    if (!state) return void socket.destroy()
    const begin = (): void => {
      state.answering = response
      if (this.#isLeaving || this.#isCrowded(state)) response.setHeader('connection', 'close')
      response.once('close', () => this.#next(socket, state))
      answer()
    }
    if (!state.answering) return begin()
    if (state.waiting.length >= MOST_WAITING && ++this.#extra > MOST_EXTRA) socket.destroy()
    state.waiting.push(begin)
    socket.pause()
  }

  /**
   * The same for a connection of a server that is not guarded, which is another's: it counts from its first request to
   * the broker on. False: it was refused.
   */
  admit({ socket }: http.IncomingMessage, response: http.ServerResponse): boolean {
    if (this.#states.has(socket) || this.#admit(socket)) return true
    response.writeHead(503, FULL_HEADERS).end(FULL_BODY)
    return false
  }

  /** From now on each connection closes after its response, which says so. */
  lastResponses(): void {
    this.#isLeaving = true
    for (const { answering } of this.#states.values())
      if (answering?.headersSent === false) answering.setHeader('connection', 'close')
  }

  /** The connection is not one of HTTP any more (it became a WebSocket). */
  release(socket: object): void {
    const state = this.#states.get(socket)
    if (!state) return
    this.#states.delete(socket)
    this.#extra -= Math.max(0, state.waiting.splice(0).length - MOST_WAITING)
    this.#ofNetwork.remove(state.network)
  }

  #admit(socket: Socket): boolean {
    const { httpConnections, httpConnectionsPerAddress } = this.#options.limits
    const address = socket.remoteAddress ?? ''
    const network = networkOf(address)
    const count = this.#ofNetwork.get(network)
    const full = this.#states.size >= httpConnections
    if (full || count >= httpConnectionsPerAddress) {
      this.#options.refused(full ? 'limits.httpConnections' : 'limits.httpConnectionsPerAddress', address)
      return false
    }
    this.#ofNetwork.add(network)
    this.#states.set(socket, { network, answering: null, waiting: [] })
    socket.once('close', () => this.release(socket))
    return true
  }

  #next(socket: Socket, state: ConnectionState): void {
    state.answering = null
    if (socket.destroyed || socket.writableEnded) return
    if (state.waiting.length > MOST_WAITING) this.#extra--
    state.waiting.shift()?.()
    if (state.waiting.length === 0) socket.resume()
  }

  /**
   * When half of a limit is used, connections close after their response, which says so: idle ones must not keep others
   * out.
   */
  #isCrowded({ network }: ConnectionState): boolean {
    const { httpConnections, httpConnectionsPerAddress } = this.#options.limits
    const count = this.#ofNetwork.get(network)
    return this.#states.size > Math.ceil(httpConnections / 2) || count > Math.ceil(httpConnectionsPerAddress / 2)
  }

  /**
   * Nothing was received and nothing sent for a while. Without a request the connection is idle. While a response is
   * computed, or an event stream has no event, nothing is buffered and the connection stays.
   */
  #timedOut(socket: Socket): void {
    if (!this.#states.get(socket)?.answering) closeIdle(socket)
    else if (socket.writableLength > 0) socket.destroy()
    else socket.setTimeout(this.#options.answerTimeout * 1000)
  }
}

/** If this process was busy, a request may have arrived in time and not have been read yet. */
function closeIdle(socket: Socket): void {
  const { bytesRead } = socket
  setImmediate(() => {
    if (socket.bytesRead === bytesRead) socket.destroy()
  })
}

function refuse(socket: Socket): void {
  socket.on('error', () => {})
  socket.once('finish', () => socket.destroy())
  socket.end(FULL)
}
