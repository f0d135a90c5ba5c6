import { constants } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import tls from 'node:tls'
import type { Config } from '../../schemas/config.js'
import type { Accept } from './byte-stream.js'
import { type ClientCertificates, noteCertificate } from './certificate.js'
import {
  handOver,
  ListenError,
  type Listener,
  type ListenerName,
  type ListenOptions,
  openListener,
  SOCKET_OPTIONS,
  type TlsFiles,
} from './listener.js'

export interface TlsSettings {
  tls: TlsFiles
  clientCertificates?: ClientCertificates
}

/** Milliseconds after which a client that has not finished its handshake is disconnected. */
const HANDSHAKE_TIMEOUT = 10_000

/** MQTT over TLS. */
export async function listenTls(options: ListenOptions & TlsSettings, accept: Accept): Promise<Listener> {
  const settings = { ...SOCKET_OPTIONS, ...(await readTlsOptions('mqtts', options)) }
  const server = createTlsServer(() => tls.createServer(settings, (socket) => handOver(socket, accept)))
  return renewable(await openListener(server, 'mqtts', options), server, options)
}

/** Adds `renew` to a listener over TLS: certificates can be replaced while it is open. */
export function renewable(listener: Listener, server: tls.Server, settings: TlsSettings): Listener {
  const renew = async (files: TlsFiles): Promise<void> => {
    const options = await readTlsOptions(listener.name, { ...settings, tls: files })
    usable(() => server.setSecureContext(options))
  }
  return { ...listener, renew }
}

/** The options for a TLS server of `name`. */
export async function readTlsOptions(name: ListenerName, settings: TlsSettings): Promise<tls.TlsOptions> {
  const { tls: files } = settings
  const [cert, key] = [await readPem(name, 'cert', files.cert), await readPem(name, 'key', files.key)]
  const own = { cert, key, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_TIMEOUT } as const
  return { ...own, ...(await readAuthorities(name, settings)) }
}

async function readAuthorities(
  name: ListenerName,
  { tls: files, clientCertificates = 'none' }: TlsSettings,
): Promise<tls.TlsOptions> {
  if (clientCertificates === 'none') return {}
  const crl = files.crl ? { crl: await readPem(name, 'crl', files.crl) } : {}
  return {
    ca: await readPem(name, 'ca', files.ca ?? null),
    ...crl,
    requestCert: true,
    rejectUnauthorized: clientCertificates === 'required',
    // A resumed session would carry its certificate over unchecked, though it may be revoked or expired by now.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

/** Runs `create`; a certificate or key that OpenSSL rejects becomes one clear error. */
export function createTlsServer<S extends tls.Server>(create: () => S): S {
  return usable(create).prependListener('secureConnection', noteCertificate)
}

/** @throws ListenError where OpenSSL rejects what `use` passes to it. */
function usable<T>(use: () => T): T {
  try {
    return use()
  } catch (cause) {
    const reason = (cause as Error).message
    throw new ListenError(`listen.tls: the certificate and key cannot be used: ${reason}`, { cause })
  }
}

/** Checks the files by building a TLS context, without a listener. @throws ListenError */
export async function tryTls(name: ListenerName, settings: TlsSettings): Promise<void> {
  const options = await readTlsOptions(name, settings)
  usable(() => tls.createSecureContext(options))
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

/** Whether clients are asked for a certificate, by `auth.x509`. */
export function clientCertificates({ name, required }: Config['auth']['x509']): ClientCertificates {
  if (required) return 'required'
  return name === 'off' ? 'none' : 'asked'
}
