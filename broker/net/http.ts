import http from 'node:http'
import https from 'node:https'
import type { Accept } from './byte-stream.js'
import { type About, aboutJson, landingPage } from './landing.js'
import { type Listener, type ListenOptions, openListener, SOCKET_OPTIONS } from './listener.js'
import { type Answer, problem } from './problem.js'
import { createTlsServer, readTlsFiles, type TlsFiles } from './tls.js'
import { attachWebSocket, type WebSocketOptions } from './websocket.js'

export interface HttpOptions extends ListenOptions, WebSocketOptions {
  /** What the landing page says; asked at each request, as ports may be known only then. */
  about: () => About
  /** False: `/healthz` answers 503. */
  healthy: () => boolean
}

/** Bounds on how long a request may take to arrive, in ms. */
const LIMITS = { headersTimeout: 10_000, requestTimeout: 30_000 }

/** HTTP, and MQTT over WebSocket. */
export function listenHttp(options: HttpOptions, accept: Accept): Promise<Listener> {
  return openHttp(http.createServer({ ...SOCKET_OPTIONS, ...LIMITS }), 'http', options, accept)
}

/** The same over TLS. */
export async function listenHttps(options: HttpOptions & { tls: TlsFiles }, accept: Accept): Promise<Listener> {
  const settings = { ...SOCKET_OPTIONS, ...LIMITS, ...(await readTlsFiles('https', options.tls)) }
  return openHttp(
    createTlsServer(() => https.createServer(settings)),
    'https',
    options,
    accept,
  )
}

function openHttp(
  server: http.Server | https.Server,
  name: 'http' | 'https',
  options: HttpOptions,
  accept: Accept,
): Promise<Listener> {
  server.on('request', (request, response) => answer(request, response, options))
  attachWebSocket(server, options, accept)
  return openListener(server, name, options, () => server.closeAllConnections())
}

function answer(request: http.IncomingMessage, response: http.ServerResponse, options: HttpOptions): void {
  const { status, headers, body } = respond(request, options)
  response.writeHead(status, headers)
  response.end(request.method === 'HEAD' ? undefined : body)
}

function respond(request: http.IncomingMessage, { wsPath, about, healthy }: HttpOptions): Answer {
  const path = request.url!.split('?', 1)[0]
  const reads = request.method === 'GET' || request.method === 'HEAD'
  if (reads && path === '/')
    return wantsJson(request) ? json(aboutJson(about())) : html(landingPage(about(), request.headers.host))
  if (reads && path === '/healthz') {
    return healthy() ? json({ status: 'ok' }) : problem('unavailable', 'the broker is not able to serve right now')
  }
  if (reads && path === wsPath) {
    const refusal = problem('bad_request', `${wsPath} speaks MQTT over WebSocket: connect with an MQTT client`, 426)
    return { ...refusal, headers: { ...refusal.headers, upgrade: 'websocket', connection: 'upgrade' } }
  }
  return problem('not_found', `there is no ${request.method} ${path} here; GET / says what is`)
}

/** JSON for who asks for it and not for HTML: browsers name text/html. */
function wantsJson(request: http.IncomingMessage): boolean {
  const accept = request.headers.accept ?? ''
  return accept.includes('application/json') && !accept.includes('text/html')
}

function json(value: unknown): Answer {
  const body = `${JSON.stringify(value, null, 2)}\n`
  return ok('application/json', body, {})
}

function html(body: string): Answer {
  // The page is self-contained: nothing else may load, and nothing may run.
  return ok('text/html', body, {
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  })
}

function ok(type: string, body: string, more: Record<string, string>): Answer {
  const headers = {
    'content-type': `${type}; charset=utf-8`,
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    vary: 'accept',
    ...more,
  }
  return { status: 200, headers, body }
}
