import http from 'node:http'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'
import { BodyTimeout } from './body-timeout.js'
import type { Accept } from './byte-stream.js'
import { certificateOf } from './certificate.js'
import type { HttpConnections } from './http-connections.js'
import { handOver, type Listener, type ListenOptions, openListener, SOCKET_OPTIONS } from './listener.js'
import { createTlsServer, readTlsOptions, renewable, type TlsSettings } from './tls.js'
import { attachWebSocket, pathOf, type WebSocketOptions } from './websocket.js'

/** Handles HTTP requests other than WebSocket upgrades. */
interface RequestHandler {
  handle(request: http.IncomingMessage, response: http.ServerResponse): void
  /** Resolves when the pending requests are answered, or their time is over. */
  drain(): Promise<void>
}

export interface HttpOptions extends ListenOptions, WebSocketOptions {
  handler: RequestHandler
  connections: HttpConnections
  /** Requests whose body may take longer, as their handler bounds it; absent: none. */
  takesLong?: (request: http.IncomingMessage) => boolean
}

/** Longest time the head of a request may take to arrive, in ms. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 0 }
/** The same for its body. */
const BODY_TIMEOUT = 30_000

/** HTTP, and MQTT over WebSocket. */
export function listenHttp(options: HttpOptions, accept: Accept): Promise<Listener> {
  return openHttp(http.createServer({ ...SOCKET_OPTIONS, ...LIMITS }), 'http', options, accept)
}

/** Protocols a client may ask for in its TLS handshake (ALPN); without ALPN it speaks HTTP. */
const PROTOCOLS = ['http/1.1', 'mqtt']

/**
 * HTTPS and MQTT over secure WebSocket, and plain MQTT over TLS for clients that ask for it by ALPN: where only one
 * port is open to the world, it serves both.
 */
export async function listenHttps(options: HttpOptions & TlsSettings, accept: Accept): Promise<Listener> {
  const tlsOptions = await readTlsOptions('https', options)
  const settings = { ...SOCKET_OPTIONS, ...LIMITS, ...tlsOptions, ALPNProtocols: PROTOCOLS }
  const server = createTlsServer(() => https.createServer(settings))
  const toHttp = server.listeners('secureConnection').at(-1) as (socket: TLSSocket) => void
  server.off('secureConnection', toHttp)
  server.on('secureConnection', (socket) => {
    if (socket.alpnProtocol !== 'mqtt') return toHttp.call(server, socket)
    options.connections.release(socket)
    handOver(socket, accept)
  })
  return renewable(await openHttp(server, 'https', options, accept), server, options)
}

export interface AttachOptions extends WebSocketOptions {
  handler: RequestHandler
  connections: HttpConnections
  /** Whether a path is the broker's where the application answers requests too. */
  serves: (path: string) => boolean
}

/**
 * HTTP and MQTT over WebSocket on the server of an application, which opens and closes it. What the application listened
 * to before goes on getting the requests and upgrades that are not the broker's.
 */
export function attachHttp(
  server: http.Server | https.Server,
  options: AttachOptions,
  accept: Accept,
): { close(): Promise<void> } {
  const { connections, handler, serves } = options
  const theirs = server.listeners('request') as http.RequestListener[]
  const answer: http.RequestListener = (request, response) => {
    if (theirs.length > 0 && !serves(pathOf(request.url!)))
      for (const listener of theirs) listener.call(server, request, response)
    else if (connections.admit(request, response))
      connections.answer(request, response, () => handler.handle(request, response))
  }
  server.removeAllListeners('request').on('request', answer)
  const detachWebSocket = attachWebSocket(server, options, accept)
  return {
    async close() {
      server.off('request', answer)
      for (const listener of theirs) server.on('request', listener)
      detachWebSocket()
      await handler.drain()
    },
  }
}

function openHttp(
  server: http.Server | https.Server,
  name: 'http' | 'https',
  options: HttpOptions,
  accept: Accept,
): Promise<Listener> {
  const { connections, handler, origins, takesLong = () => false } = options
  const bodies = new BodyTimeout(BODY_TIMEOUT, takesLong)
  connections.guard(server, name === 'https' ? 'secureConnection' : 'connection')
  server.on('request', (request, response) => {
    const certificate = certificateOf(request, origins)
    const asked = certificate ? Object.assign(request, { certificate }) : request
    bodies.watch(request, response)
    connections.answer(request, response, () => handler.handle(asked, response))
  })
  attachWebSocket(server, options, accept)
  return openListener(server, name, options, {
    stop() {
      connections.lastResponses()
      // Closing the listener does it, but not where a PROXY protocol reader listens in its place.
      server.closeIdleConnections()
    },
    async close() {
      await handler.drain()
      server.closeAllConnections()
    },
  })
}
