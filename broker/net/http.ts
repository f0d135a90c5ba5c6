import http from 'node:http'
import https from 'node:https'
import type { TLSSocket } from 'node:tls'
import type { Accept } from './byte-stream.js'
import { certificateOf } from './certificate.js'
import type { HttpConnections } from './http-connections.js'
import { handOver, type Listener, type ListenOptions, openListener, SOCKET_OPTIONS } from './listener.js'
import { createTlsServer, readTlsOptions, renewable, type TlsSettings } from './tls.js'
import { attachWebSocket, type WebSocketOptions } from './websocket.js'

/** Handles HTTP requests other than WebSocket upgrades. */
interface RequestHandler {
  handle(request: http.IncomingMessage, response: http.ServerResponse): void
  /** Resolves when the pending requests are answered, or their time is over. */
  drain(): Promise<void>
}

export interface HttpOptions extends ListenOptions, WebSocketOptions {
  handler: RequestHandler
  connections: HttpConnections
}

/** Longest time a request may take to arrive, in ms. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000 }

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

function openHttp(
  server: http.Server | https.Server,
  name: 'http' | 'https',
  options: HttpOptions,
  accept: Accept,
): Promise<Listener> {
  const { connections, handler, origins } = options
  connections.guard(server, name === 'https' ? 'secureConnection' : 'connection')
  server.on('request', (request, response) => {
    const certificate = certificateOf(request, origins)
    const asked = certificate ? Object.assign(request, { certificate }) : request
    connections.answer(request, response, () => handler.handle(asked, response))
  })
  attachWebSocket(server, options, accept)
  return openListener(server, name, options, async () => {
    server.closeIdleConnections()
    await handler.drain()
    server.closeAllConnections()
  })
}
