/**
 * Ids of messages and events: UUIDs of version 7 (RFC 9562, 5.7), ascending within a process. Made here and not by a library, as every
 * message needs one: random digits come from a pool, and what all ids of a millisecond begin with is made once.
 */
import { randomBytes } from 'node:crypto'

/** Random bytes drawn at once. */
const POOL_BYTES = 4096
/** Hexadecimal digits that an id takes of them. */
const DIGITS = 19
/** Counts the ids of a millisecond, in 12 bits that begin below half of what they can hold (RFC 9562, 6.2). */
const MAX_COUNT = 0xfff
const COUNTS = Array.from({ length: MAX_COUNT + 1 }, (_, count) => count.toString(16).padStart(3, '0'))
/** Two bits of the digit are the variant. */
const VARIANT = '89ab'

let pool = ''
let at = 0
let ms = 0
let count = 0
let beginning = ''

export function messageId(now = Date.now()): string {
  if (at + DIGITS > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex')
    at = 0
  }
  const first = at
  at += DIGITS
  if (now > ms) begin(now, Number.parseInt(pool.slice(first + 16, first + DIGITS), 16) >> 1)
  else if (count < MAX_COUNT) count++
  // A clock that was set back, or more ids than a millisecond has numbers for: time goes on by itself.
  else begin(ms + 1, 0)
  const variant = VARIANT[pool.charCodeAt(first) & 3]
  return `${beginning}${COUNTS[count]}-${variant}${pool.slice(first + 1, first + 4)}-${pool.slice(first + 4, first + 16)}`
}

function begin(time: number, from: number): void {
  ms = time
  count = from
  const digits = time.toString(16).padStart(12, '0')
  beginning = `${digits.slice(0, 8)}-${digits.slice(8)}-7`
}
