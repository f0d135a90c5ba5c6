import type { KeyObject } from 'node:crypto'

const EC: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }

/**
 * The algorithms a public key may verify tokens with; none of them is symmetric, so no token can pass a public key off as a secret. Empty:
 * the key is too weak, or of no kind that signs tokens. `rsa`: those of an RSA key.
 */
export function algorithmsOf(key: KeyObject, rsa: readonly string[]): readonly string[] {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return modulusLength >= 2048 ? rsa : []
    case 'ec':
      return EC[namedCurve] === undefined ? [] : [EC[namedCurve]]
    // One algorithm with two names: RFC 8037, and RFC 9864 after it.
    case 'ed25519':
      return ['EdDSA', 'Ed25519']
    default:
      return []
  }
}
