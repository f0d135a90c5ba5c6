/** `auth.x509`: whom the certificate of a client names. Whether it is of a trusted authority was seen to when it was shown. */
import type { X509Certificate } from 'node:crypto'
import type { Config } from '../../schemas/config.js'
import { isAccountName } from '../../schemas/ids.js'

export interface CertifiedNames {
  /** Users it may log in as. */
  readonly names: readonly string[]
  /** Unix ms at which it is over. */
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

/** Of several only one could be meant, and nobody could say which. */
function commonNames(certificate: X509Certificate): string[] {
  const { CN } = certificate.toLegacyObject().subject as { CN?: string | string[] }
  return typeof CN === 'string' ? [CN] : []
}

const PREFIXES = { email: 'email:', dns: 'DNS:' } as const

/** Node puts what could be taken for more than one name into quotes; what can be a user needs none. */
function alternativeNames({ subjectAltName = '' }: X509Certificate, kind: keyof typeof PREFIXES): string[] {
  if (subjectAltName.includes('"')) return []
  const prefix = PREFIXES[kind]
  return subjectAltName
    .split(', ')
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => entry.slice(prefix.length))
}
