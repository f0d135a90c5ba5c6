/** An authenticator app: computes codes from the secret by another implementation than the broker's. */
import { createHmac } from 'node:crypto'
import { Secret } from 'otpauth'

/** The code of RFC 6238 at present, or `later` steps of 30 s later. */
export function codeOf(secret: string, later = 0): string {
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later))
  const mac = createHmac('sha1', Buffer.from(Secret.fromBase32(secret).bytes))
    .update(step)
    .digest()
  const at = mac[mac.length - 1]! & 15
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}
