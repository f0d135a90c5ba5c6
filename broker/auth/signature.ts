import { createHmac } from 'node:crypto'

/**
 * What shows a service that a request is from this broker, and not an old one sent again: `t={unix seconds},v1={hex}`, the HMAC-SHA256 of the
 * time, a dot and the body.
 */
export function signatureOf(secret: string, body: string, now: number): string {
  const time = Math.floor(now / 1000)
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`
}
