/** Opens the listeners of the configuration, and what they need: the facts of the landing page, the log of refused pages and connections. */
import type http from 'node:http'
import type https from 'node:https'
import { API, EXPORTS } from '../../schemas/api.js'
import type { Config } from '../../schemas/config.js'
import { UPLOAD_PART, UPLOADS } from '../../schemas/file-paths.js'
import type { HttpApp } from '../http/app.js'
import type { Accept } from '../net/byte-stream.js'
import { attachHttp, type HttpOptions, listenHttp, listenHttps } from '../net/http.js'
import type { Listener } from '../net/listener.js'
import { listenTcp } from '../net/tcp.js'
import { clientCertificates, listenTls } from '../net/tls.js'
import type { Counters } from '../util/counters.js'
import type { RefusalLog } from '../util/refusal-log.js'
import { readVersion } from '../util/version.js'

/** What the landing page says. */
export function about({ listen, rooms }: Config, listeners: readonly Listener[]) {
  return { version: readVersion(), listeners, wsPath: listen.wsPath, room: rooms.list[0]?.id ?? 'lobby' }
}

/** Counts and logs refused web pages and refused HTTP connections. */
export function webRefusals(refusals: RefusalLog, counters: Counters) {
  return {
    pageRefused: (page: string): void => {
      counters.add('refused.origin')
      refusals.note('web page refused: listen.origins does not list its origin', page, { origin: page })
    },
    refused: (limit: string, address: string): void => {
      counters.add('refused.http_connections')
      refusals.note(`HTTP connection refused: ${limit}`, address, { address })
    },
  }
}

interface WebTransports extends Pick<HttpOptions, 'connections' | 'origins' | 'pageRefused'> {
  readonly accept: Accept
  readonly httpApp: HttpApp
}

/** Paths that are the broker's on the server of an application, which has others of its own. */
const SERVED = [API, EXPORTS]

/** Serves HTTP and MQTT over WebSocket on a server that the application opens and closes. */
export function attachServer(
  server: http.Server | https.Server,
  { listen }: Config,
  { accept, httpApp, ...web }: WebTransports,
): { close(): Promise<void> } {
  const { wsPath, wsPing } = listen
  const serves = (path: string): boolean => SERVED.some((base) => path === base || path.startsWith(`${base}/`))
  return attachHttp(server, { ...web, wsPath, wsPing, handler: httpApp, serves }, accept)
}

/** The broker bounds how slow an upload may be, not how long it takes. Any other body at the same path is read whole before it is looked at. */
function isUpload({ url = '', headers }: http.IncomingMessage): boolean {
  return headers['content-type'] === UPLOAD_PART && (url === UPLOADS || url.startsWith(`${UPLOADS}/`))
}

type Opened = (listener: Listener) => void

/** Opens those of MQTT over TCP and TLS that are configured; `opened` is told of each. */
export async function openListeners({ listen, auth }: Config, accept: Accept, opened: Opened): Promise<void> {
  const { host, mqtt, mqtts, tls, proxyProtocol } = listen
  const secured = { tls, clientCertificates: clientCertificates(auth.x509) }
  if (mqtt !== null) opened(await listenTcp({ host, port: mqtt, proxyProtocol }, accept))
  if (mqtts !== null) opened(await listenTls({ host, port: mqtts, proxyProtocol, ...secured }, accept))
}

/** The same for HTTP and MQTT over WebSocket. */
export async function openWebListeners(
  { listen, auth }: Config,
  { accept, httpApp, ...web }: WebTransports,
  opened: Opened,
): Promise<void> {
  const { host, http, https, tls, wsPath, wsPing, proxyProtocol } = listen
  const options = { ...web, host, proxyProtocol, wsPath, wsPing, handler: httpApp, takesLong: isUpload }
  const secured = { tls, clientCertificates: clientCertificates(auth.x509) }
  if (http !== null) opened(await listenHttp({ ...options, port: http }, accept))
  if (https !== null) opened(await listenHttps({ ...options, port: https, ...secured }, accept))
}
