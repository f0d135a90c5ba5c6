/** The doors of the configuration: which listeners there are, and what stands behind each. */
import type { Config } from '../schemas/config.js'
import type { HttpDoor } from './http/app.js'
import type { Accept } from './net/byte-stream.js'
import type { ClientCertificates } from './net/certificate.js'
import { listenHttp, listenHttps } from './net/http.js'
import type { Listener } from './net/listener.js'
import { listenTcp } from './net/tcp.js'
import { listenTls } from './net/tls.js'
import { readVersion } from './version.js'

/** What the landing page says. */
export function about({ listen, rooms }: Config, listeners: readonly Listener[]) {
  return { version: readVersion(), listeners, wsPath: listen.wsPath, room: rooms.list[0]?.id ?? 'lobby' }
}

/** Opens those that are configured; `opened` is told of each. */
export async function openListeners(
  config: Config,
  { accept, door }: { accept: Accept; door: HttpDoor },
  opened: (listener: Listener) => void,
): Promise<void> {
  const { host, mqtt, http, mqtts, https, tls, wsPath, wsPing, origins, proxyProtocol } = config.listen
  const open = async (listening: Promise<Listener>): Promise<void> => opened(await listening)
  const web = { host, proxyProtocol, wsPath, wsPing, origins, packetBytes: config.limits.packetBytes, handler: door }
  const secured = { tls, clientCertificates: clientCertificates(config.auth.x509) }
  if (mqtt !== null) await open(listenTcp({ host, port: mqtt, proxyProtocol }, accept))
  if (mqtts !== null) await open(listenTls({ host, port: mqtts, proxyProtocol, ...secured }, accept))
  if (http !== null) await open(listenHttp({ ...web, port: http }, accept))
  if (https !== null) await open(listenHttps({ ...web, port: https, ...secured }, accept))
}

function clientCertificates({ name, required }: Config['auth']['x509']): ClientCertificates {
  if (required) return 'required'
  return name === 'off' ? 'none' : 'asked'
}
