/** `auth.x509`: the users named by a client certificate. The TLS listener has verified its authority. */
import type { X509Certificate } from 'node:crypto'
import type { Config } from '../../schemas/config.js'
import { isAccountName } from '../../schemas/ids.js'

export interface CertifiedNames {
  /** The users it may log in as. */
  readonly names: readonly string[]
  /** Unix ms at which it expires. */
  readonly expiresAt: number
}

export function readCertificate(
  { name }: Pick<Config['auth']['x509'], 'name'>,
  certificate: X509Certificate | undefined,
): CertifiedNames | null {
  if (name === 'off' || !certificate) return null
  const names = name === 'cn' ? commonNames(certificate) : alternativeNames(certificate, name)
  return { names: names.filter(isAccountName), expiresAt: Date.parse(certificate.validTo) }
}

/** Several common names would be ambiguous, so they name nobody. */
function commonNames(certificate: X509Certificate): string[] {
  const { CN } = certificate.toLegacyObject().subject as { CN?: string | string[] }
  return typeof CN === 'string' ? [CN] : []
}

const PREFIXES = { email: 'email:', dns: 'DNS:' } as const

/** Node quotes values that could be taken for several names; valid user names need no quotes. */
function alternativeNames({ subjectAltName = '' }: X509Certificate, kind: keyof typeof PREFIXES): string[] {
  if (subjectAltName.includes('"')) return []
  const prefix = PREFIXES[kind]
  return subjectAltName
    .split(', ')
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => entry.slice(prefix.length))
}
