import { textOf } from '../wire/utf8.js'

/** Unix seconds, as in the token. */
export interface TokenLife {
  readonly issuedAt: number | null
  readonly expiresAt: number
}

export function isJwt(token: string): boolean {
  return token.split('.').length === 3
}

/** Null: the token does not expire, or does not say. Its signature is the broker's business. */
export function lifeOf(token: string): TokenLife | null {
  try {
    const claims = JSON.parse(textOf(base64url(token.split('.')[1] ?? '')) ?? '') as { iat?: unknown; exp?: unknown }
    if (typeof claims.exp !== 'number') return null
    return { issuedAt: typeof claims.iat === 'number' ? claims.iat : null, expiresAt: claims.exp }
  } catch {
    return null
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** RFC 4648, 5. Not every platform has a function for it. */
function base64url(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const value = ALPHABET.indexOf(text[i]!)
    if (value < 0) throw new SyntaxError(`not base64url: ${text[i]}`)
    bits = ((bits << 6) | value) & 0xffff
    const left = (6 * (i + 1)) % 8
    if (left < 6) bytes[at++] = bits >> left
  }
  return bytes
}
