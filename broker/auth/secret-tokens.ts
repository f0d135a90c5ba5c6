/**
 * Verifies HS256 tokens [RFC 7515, RFC 7519] synchronously: jose has WebCrypto compute the HMAC in another thread,
 * which takes ten times as long. Claims are checked by jose.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import {
  errors,
  type JWTClaimVerificationOptions,
  type JWTPayload,
  type ProtectedHeaderParameters,
  UnsecuredJWT,
} from 'jose'

const UNSECURED = Buffer.from('{"alg":"none"}').toString('base64url')

/** The claims of a token whose `header` says HS256; throws the errors of jose. */
export function verifyBySecret(
  token: string,
  header: ProtectedHeaderParameters,
  secret: KeyObject,
  options: JWTClaimVerificationOptions,
): JWTPayload {
  if (header.alg !== 'HS256') throw new errors.JOSEAlgNotAllowed('a secret signs with HS256 alone')
  // A critical extension must be understood [RFC 7515, 4.1.11]; none is supported.
  if (header.crit !== undefined) throw new errors.JOSENotSupported('the header has extensions ("crit")')
  const end = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(end + 1), 'base64url')
  const expected = createHmac('sha256', secret).update(token.slice(0, end)).digest()
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
    throw new errors.JWSSignatureVerificationFailed()
  const claims = token.slice(token.indexOf('.') + 1, end)
  return UnsecuredJWT.decode(`${UNSECURED}.${claims}.`, options).payload
}
