import { readFile } from 'node:fs/promises'
import tls from 'node:tls'
import type { Accept } from './byte-stream.js'
import {
  handOver,
  ListenError,
  type Listener,
  type ListenerName,
  type ListenOptions,
  openListener,
  SOCKET_OPTIONS,
} from './listener.js'

/** Paths of PEM files: `listen.tls`. */
export interface TlsFiles {
  cert: string | null
  key: string | null
}

/** A client that has not finished its handshake by then is dropped, in ms. */
const HANDSHAKE_TIMEOUT = 10_000

/** MQTT over TLS. */
export async function listenTls(options: ListenOptions & { tls: TlsFiles }, accept: Accept): Promise<Listener> {
  const settings = { ...SOCKET_OPTIONS, ...(await readTlsFiles('mqtts', options.tls)) }
  const server = createTlsServer(() => tls.createServer(settings, (socket) => handOver(socket, accept)))
  return openListener(server, 'mqtts', options)
}

/** What a TLS server for `name` is made with. */
export async function readTlsFiles(name: ListenerName, files: TlsFiles): Promise<tls.TlsOptions> {
  const [cert, key] = [await readPem(name, 'cert', files.cert), await readPem(name, 'key', files.key)]
  return { cert, key, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_TIMEOUT }
}

/** Runs `create`; a certificate or key that OpenSSL does not take becomes one clear error. */
export function createTlsServer<S>(create: () => S): S {
  try {
    return create()
  } catch (cause) {
    const reason = (cause as Error).message
    throw new ListenError(`listen.tls: the certificate and key cannot be used: ${reason}`, { cause })
  }
}

async function readPem(name: ListenerName, part: keyof TlsFiles, path: string | null): Promise<Buffer> {
  if (path === null) throw new ListenError(`listen.tls.${part}: listen.${name} needs a certificate and its key`)
  try {
    return await readFile(path)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission denied' : message
    throw new ListenError(`listen.tls.${part}: cannot read ${path}: ${reason}`, { cause })
  }
}
