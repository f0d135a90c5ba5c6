import type { X509Certificate } from 'node:crypto'
import { EventEmitter } from 'node:events'
import http from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { Refusal } from '../../schemas/errors.js'
import { PROBLEM_TYPE, problemOf } from '../../schemas/problem.js'
import { AcceptQueue } from './accept-queue.js'
import { type Accept, type ByteStream, queuedIn } from './byte-stream.js'
import { certificateOf } from './certificate.js'
import { FrameSlicer } from './frame-slicer.js'
import type { HttpConnections } from './http-connections.js'
import { foreignPageRefusal, type Origins } from './origins.js'
import { type Pinged, Pings } from './pings.js'

export interface WebSocketOptions {
  /** Path of MQTT over WebSocket. */
  wsPath: string
  /** The HTTP connections, from which an upgraded one is released. */
  connections: Pick<HttpConnections, 'release'>
  /** The pages that may connect. */
  origins: Origins
  /** Called with the origin of a page that may not. */
  pageRefused: (page: string) => void
  /** Seconds of silence after which a client is pinged; null: never. */
  wsPing: number | null
}

/**
 * [MQTT-6.0.0-3]. Older clients ask for mqttv3.1, and some libraries for other names: a browser fails the connection
 * unless one of those it offers is selected.
 */
const SUBPROTOCOL = 'mqtt'
/** WebSocket close codes (RFC 6455, 7.4.1). */
const CLOSE_NORMAL = 1000
const CLOSE_GOING_AWAY = 1001
const CLOSE_UNSUPPORTED_DATA = 1003

interface Upgrade {
  readonly request: http.IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/**
 * Accepts the WebSocket upgrades of `server` and hands each to `accept` as a byte stream, with its HTTP request. Where
 * others listen to upgrades, those of other paths are theirs. Returns a function that stops it.
 */
export function attachWebSocket(server: http.Server, options: WebSocketOptions, accept: Accept): () => void {
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    handleProtocols: (offered) => chooseSubprotocol([...offered]),
  })
  const pings = options.wsPing === null ? null : new Pings(options.wsPing)
  const acceptQueue = new AcceptQueue(({ request, socket, head }: Upgrade) => {
    sockets.handleUpgrade(request, socket, head, (ws) => {
      sliceFrames(ws, socket)
      const certificate = certificateOf(request, options.origins)
      const stream = new WebSocketStream(ws, socket, request.socket.remoteAddress, certificate)
      stream.on('error', () => {})
      if (pings) stream.once('close', pings.add(stream))
      accept(stream, request)
    })
  })
  const upgrade = (request: http.IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!isAt(request, options.wsPath) && server.listenerCount('upgrade') > 1) return
    socket.on('error', () => {})
    const refused = refuseUpgrade(request, options)
    if (refused) return endWith(socket, refused)
    options.connections.release(socket)
    acceptQueue.push({ request, socket, head })
  }
  server.on('upgrade', upgrade)
  return () => void server.off('upgrade', upgrade)
}

function isAt({ url }: http.IncomingMessage, wsPath: string): boolean {
  const path = pathOf(url!)
  return path === wsPath || path === `${wsPath}/`
}

function refuseUpgrade(
  request: http.IncomingMessage,
  { wsPath, origins, pageRefused }: WebSocketOptions,
): Refusal | null {
  if (!isAt(request, wsPath)) {
    const path = pathOf(request.url!)
    return new Refusal('not_found', `there is no WebSocket at ${path}; MQTT over WebSocket is at ${wsPath}`)
  }
  const page = origins.foreignPage(request)
  if (page !== null) {
    pageRefused(page)
    return foreignPageRefusal(page)
  }
  return null
}

/**
 * The path of a request target, without the query; also of the absolute form, which clients of proxies send (RFC 9112,
 * 3.2.2).
 */
export function pathOf(target: string): string {
  return target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split('?', 1)[0] || '/'
}

function chooseSubprotocol(offered: readonly string[]): string | false {
  if (offered.includes(SUBPROTOCOL)) return SUBPROTOCOL
  return offered.find((name) => name.toLowerCase().startsWith(SUBPROTOCOL)) ?? offered[0] ?? false
}

/** Puts a slicer between the socket and `ws`, in place of the listeners of `ws`. */
function sliceFrames(ws: WebSocket, socket: Duplex): void {
  const [toWs] = socket.listeners('data') as ((bytes: Buffer) => void)[]
  const slicer = new FrameSlicer((bytes) => toWs!.call(socket, bytes))
  const slice = (chunk: Buffer): void => slicer.push(chunk)
  const stop = (): unknown => socket.off('data', slice)
  socket.off('data', toWs!)
  socket.on('data', slice)
  ws.once('error', stop)
  // A socket closed while reading was paused still holds data that `ws` would now read.
  socket.prependOnceListener('close', () => {
    stop()
    const rest = socket.read()
    if (rest) slicer.push(rest)
  })
}

/** Answers a refused upgrade. */
function endWith(socket: Duplex, refusal: Refusal): void {
  const problem = problemOf(refusal.body())
  const body = `${JSON.stringify(problem)}\n`
  const lines = [
    `HTTP/1.1 ${problem.status} ${http.STATUS_CODES[problem.status]}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.once('finish', () => socket.destroy())
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

/**
 * A WebSocket as a byte stream: each `write` is sent as one binary frame, and the payloads of received frames are
 * concatenated, wherever packets begin and end in them.
 */
class WebSocketStream extends EventEmitter implements ByteStream, Pinged {
  readonly remoteAddress: string | undefined
  readonly certificate: X509Certificate | undefined
  readonly #ws: WebSocket
  readonly #socket: Duplex & { bytesRead?: number }
  /** Frames of the chunk that was being parsed when reading was paused; `ws` cannot hold them back. */
  #held: Buffer[] = []
  #paused = false
  /** The close frame is sent: what still arrives is ignored. */
  #ended = false
  #destroyed = false

  constructor(ws: WebSocket, socket: Duplex, remoteAddress: string | undefined, certificate?: X509Certificate) {
    super()
    this.#ws = ws
    this.#socket = socket
    this.remoteAddress = remoteAddress
    this.certificate = certificate
    ws.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary))
    ws.on('error', (error) => this.emit('error', error))
    ws.on('close', () => this.#closed())
    socket.on('drain', () => this.emit('drain'))
  }

  get writableLength(): number {
    return this.#ws.bufferedAmount
  }

  get queued(): number {
    return queuedIn(this.#socket)
  }

  get destroyed(): boolean {
    return this.#destroyed
  }

  /** Any byte counts as a sign of life: a pong, or a part of a long frame. */
  get received(): number | null {
    return this.#paused ? null : (this.#socket.bytesRead ?? null)
  }

  ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping()
  }

  terminate(): void {
    this.destroy()
  }

  write(chunk: Uint8Array): boolean {
    if (this.#ws.readyState !== this.#ws.OPEN) return false
    this.#ws.send(chunk)
    return !this.#socket.writableNeedDrain
  }

  pause(): void {
    if (this.#ended) return
    this.#paused = true
    this.#ws.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#ws.resume()
    if (this.#held.length > 0) process.nextTick(() => this.#release())
  }

  end(): void {
    this.#close(CLOSE_NORMAL)
  }

  goAway(): void {
    this.#close(CLOSE_GOING_AWAY)
  }

  destroy(error?: Error): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#held = []
    if (error) this.emit('error', error)
    this.#ws.terminate()
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#ended || this.#destroyed) return
    if (!isBinary) this.#close(CLOSE_UNSUPPORTED_DATA, 'MQTT needs binary frames')
    else if (this.#paused || this.#held.length > 0) this.#held.push(data)
    else this.emit('data', data)
  }

  #release(): void {
    while (!this.#paused && this.#held.length > 0) this.emit('data', this.#held.shift()!)
  }

  /** The close frame follows what is buffered; a peer that does not answer it is disconnected by `ws` after 30 s. */
  #close(code: number, reason?: string): void {
    this.#ended = true
    // The answering close frame comes behind what is held back.
    this.resume()
    this.#ws.close(code, reason)
  }

  #closed(): void {
    if (!this.#destroyed) this.emit('end')
    this.#destroyed = true
    this.emit('close')
  }
}
