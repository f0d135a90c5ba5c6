import type { KeyObject } from 'node:crypto'

const EC: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }

/**
 * The algorithms a public key may verify tokens with. None is symmetric, so a token cannot use a public key as an HMAC
 * secret. Empty: the key is too weak, or of a kind that cannot sign tokens. `rsa`: the algorithms for RSA keys.
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
