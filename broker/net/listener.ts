import net from 'node:net'
import type { Accept } from './byte-stream.js'
import { acceptProxied } from './proxy-protocol.js'

/** The key under `listen` that a listener serves. */
export type ListenerName = 'mqtt' | 'mqtts' | 'http' | 'https'

/** An open listener. */
export interface Listener {
  readonly name: ListenerName
  /** Where a client on this machine reaches it, such as `mqtt://127.0.0.1:1883`. */
  readonly url: string
  readonly port: number
  /**
   * TLS only. Uses other certificates, keys and revocation lists for connections to come; if these are invalid, nothing
   * changes.
   */
  renew?(files: TlsFiles): Promise<void>
  /** Stops accepting and frees the port. Open connections go on; those of HTTP close with their next response. */
  stop(): void
  /** Also ends what HTTP has open. Other connections remain: they belong to the broker. */
  close(): Promise<void>
}

/** Paths of PEM files: `listen.tls`. */
export interface TlsFiles {
  cert: string | null
  key: string | null
  /** Authorities of client certificates, and their revocation lists. */
  ca?: string | null
  crl?: string | null
}

export interface ListenOptions {
  /** Address to listen on; 0.0.0.0 or :: for every interface. */
  host: string
  /** 0 takes any free port. */
  port: number
  /** Every connection starts with a PROXY protocol header (v1 or v2), which names the client. */
  proxyProtocol?: boolean
}

/** A listener could not be opened; the message names the configuration key to change. */
export class ListenError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ListenError'
  }
}

/** Connections wait here during a reconnect storm; the kernel caps the value. */
const BACKLOG = 4096

/**
 * Socket options of every listener: small packets are sent at once, and dead peers without MQTT keep alive are detected
 * eventually.
 */
export const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 } as const

/** Opens `server` for `name`, behind a PROXY protocol reader if asked. */
export async function openListener(
  server: net.Server,
  name: ListenerName,
  options: ListenOptions,
  own: { stop(): void; close(): Promise<void> } = NOTHING_OWN,
): Promise<Listener> {
  const front = options.proxyProtocol ? acceptProxied(server, SOCKET_OPTIONS) : server
  await listen(front, name, options)
  const { port } = front.address() as net.AddressInfo
  const stop = (): void => {
    // `close` frees the port at once; its callback would wait for the connections, which belong to the broker.
    front.close()
    own.stop()
  }
  return {
    name,
    url: `${name}://${reachableHost(options.host)}:${port}`,
    port,
    stop,
    close() {
      stop()
      return own.close()
    },
  }
}

/** A listener without connections of its own. */
const NOTHING_OWN = { stop: () => {}, close: async () => {} }

/** Hands a socket to the broker. Its errors lead to `close`, never to an unhandled `error`. */
export function handOver(socket: net.Socket, accept: Accept): void {
  socket.on('error', () => {})
  accept(socket)
}

/** The host to put in a URL: loopback for "every interface", IPv6 addresses in brackets. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return net.isIPv6(host) ? `[${host}]` : host
}

function listen(server: net.Server, name: ListenerName, { host, port }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenFault(error, name, host, port)))
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.removeAllListeners('error')
      // Accepting a single connection can fail later (too many open files, say): only that connection is lost.
      server.on('error', () => {})
      resolve()
    })
  })
}

function listenFault(cause: NodeJS.ErrnoException, name: ListenerName, host: string, port: number): ListenError {
  const variable = `TOPICTALK_LISTEN_${name.toUpperCase()}`
  switch (cause.code) {
    case 'EADDRINUSE':
      return new ListenError(
        `listen.${name}: port ${port} is already in use; stop the other program or set ${variable}`,
        { cause },
      )
    case 'EACCES':
      return new ListenError(
        `listen.${name}: no permission to listen on port ${port}; set ${variable} to a free port`,
        {
          cause,
        },
      )
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError(
        `listen.host: ${host} is not an address of this machine; set TOPICTALK_LISTEN_HOST to one, or to 0.0.0.0`,
        { cause },
      )
    default:
      return new ListenError(`listen.${name}: cannot listen on ${host}, port ${port}: ${cause.message}`, { cause })
  }
}
