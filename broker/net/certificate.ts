/** Certificates of clients: those requested by a TLS listener and issued by one of its authorities. */
import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Origins } from './origins.js'

/** A connection, or a request, with a client certificate. */
interface Certified {
  readonly certificate?: X509Certificate | undefined
}

/** Whether clients are asked for a certificate, and whether they must have one. */
export type ClientCertificates = 'none' | 'asked' | 'required'

/** Records the certificate of a connection; one that was not verified counts as none. */
export function noteCertificate(socket: TLSSocket): void {
  if (!socket.authorized) return
  const certificate = socket.getPeerX509Certificate()
  if (certificate) Object.assign(socket, { certificate } satisfies Certified)
}

/**
 * The client certificate that counts for a request. A browser sends its certificate whatever page makes the request, so
 * it counts only for pages of the broker's own origin or of one that `origins` names; other pages need a token.
 */
export function certificateOf(request: IncomingMessage, origins: Origins): X509Certificate | undefined {
  const { certificate } = request.socket as Certified
  return certificate && origins.trusts(request) ? certificate : undefined
}
