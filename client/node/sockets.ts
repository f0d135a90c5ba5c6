/** The ways of a program to the broker: WebSocket, TCP and TLS. */
import net from 'node:net'
import tls from 'node:tls'
import { WebSocket } from 'ws'
import { ChatError } from '../base/chat-error.js'
import type { Bytes, Socket } from '../base/platform.js'
import { socketUrl } from '../connection/socket-url.js'

/** Of `node:tls`, for `https`, `wss` and `mqtts`: the certificates that are trusted in place of the usual ones, and those of the client. */
export type TlsOptions = Pick<
  tls.ConnectionOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'servername' | 'rejectUnauthorized'
>

const TCP = /^mqtt(s?):\/\/(\[[\da-f:.]+\]|[^/?#\s:@[\]]+)(?::(\d{1,5}))?\/?$/i

/**
 * Where the broker is: `mqtt://host` and `mqtts://host` with their port, anything else as on the web.
 * @throws ChatError `bad_request`
 */
export function addressOf(url: string): string {
  if (!/^mqtts?:/i.test(url)) return socketUrl(url)
  const [, secure, host, port = secure ? '8883' : '1883'] = TCP.exec(url) ?? []
  if (host === undefined)
    throw new ChatError('bad_request', `url: ${JSON.stringify(url)} is not like mqtt://host or mqtts://host:8883`, {
      field: 'url',
    })
  return `mqtt${secure!.toLowerCase()}://${host}:${port}`
}

/** Begins to connect to what `addressOf` returned. */
export function socketTo(address: string, options: TlsOptions = {}): Socket {
  const [, secure, host, port] = TCP.exec(address) ?? []
  if (host === undefined) return new WebSocket(address, 'mqtt', { ...options, perMessageDeflate: false }) as Socket
  const at = { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
  return new TcpSocket(
    secure ? tls.connect({ ...at, ...named(at.host), ...options }) : net.connect(at),
    secure ? 'secureConnect' : 'connect',
  )
}

/** For servers that have several names; an address is none (RFC 6066, 3). */
function named(host: string): { servername?: string } {
  return net.isIP(host) ? {} : { servername: host }
}

/** Bytes over TCP or TLS, as a WebSocket passes them. */
class TcpSocket implements Socket {
  binaryType = ''
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null
  onerror: Socket['onerror'] = null
  readonly #socket: net.Socket

  constructor(socket: net.Socket, opened: 'connect' | 'secureConnect') {
    this.#socket = socket.setNoDelay()
    socket.on(opened, () => this.onopen?.(undefined as never))
    socket.on('data', (data) => this.onmessage?.({ data } as never))
    socket.on('error', (error) => this.onerror?.({ error } as never))
    socket.on('close', () => this.onclose?.(undefined as never))
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength
  }

  send(bytes: Bytes): void {
    this.#socket.write(bytes)
  }

  close(): void {
    if (this.#socket.connecting) this.#socket.destroy()
    else this.#socket.end()
  }

  terminate(): void {
    this.#socket.destroy()
  }
}
