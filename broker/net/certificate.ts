/** Certificates of clients: those a TLS listener asked for, and found to be of one of its authorities. */
import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Origins } from './origins.js'

/** A connection, or a request, that came with one. */
interface Certified {
  readonly certificate?: X509Certificate | undefined
}

/** Whether clients are asked for one, and whether they have to have one. */
export type ClientCertificates = 'none' | 'asked' | 'required'

/** One that was not found good is none. */
export function noteCertificate(socket: TLSSocket): void {
  if (!socket.authorized) return
  const certificate = socket.getPeerX509Certificate()
  if (certificate) Object.assign(socket, { certificate } satisfies Certified)
}

/**
 * The certificate that counts for a request. A browser shows its own whatever page makes it ask, so for pages it counts only where they are
 * of here, or `origins` names them: others need a token.
 */
export function certificateOf(request: IncomingMessage, origins: Origins): X509Certificate | undefined {
  const { certificate } = request.socket as Certified
  return certificate && origins.trusts(request) ? certificate : undefined
}
