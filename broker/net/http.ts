import http from 'node:http'
import https from 'node:https'
import type { Accept } from './byte-stream.js'
import { certificateOf } from './certificate.js'
import type { HttpConnections } from './http-connections.js'
import { type Listener, type ListenOptions, openListener, SOCKET_OPTIONS } from './listener.js'
import { createTlsServer, readTlsOptions, renewable, type TlsSettings } from './tls.js'
import { attachWebSocket, type WebSocketOptions } from './websocket.js'

/** Who answers what is not a WebSocket upgrade. */
export interface RequestHandler {
  handle(request: http.IncomingMessage, response: http.ServerResponse): void
  /** Resolves when the requests under way are answered, or have had their time. */
  drain(): Promise<void>
}

export interface HttpOptions extends ListenOptions, WebSocketOptions {
  handler: RequestHandler
  connections: HttpConnections
}

/** Bounds on how long a request may take to arrive, in ms. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000 }

/** HTTP, and MQTT over WebSocket. */
export function listenHttp(options: HttpOptions, accept: Accept): Promise<Listener> {
  return openHttp(http.createServer({ ...SOCKET_OPTIONS, ...LIMITS }), 'http', options, accept)
}

/** The same over TLS. */
export async function listenHttps(options: HttpOptions & TlsSettings, accept: Accept): Promise<Listener> {
  const settings = { ...SOCKET_OPTIONS, ...LIMITS, ...(await readTlsOptions('https', options)) }
  const server = createTlsServer(() => https.createServer(settings))
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
