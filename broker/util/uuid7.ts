/**
 * Makes the ids of messages and events: UUIDs of version 7 (RFC 9562, 5.7), ascending within a process. Not left to a
 * library since every message needs one: random digits come from a pool, and the prefix that all ids of a millisecond
 * share is written once.
 */
import { randomBytes } from 'node:crypto'

/** Random bytes drawn at once. */
const POOL_BYTES = 4096
/** Hexadecimal digits of the pool per id. */
const DIGITS = 19
/** The counter within a millisecond has 12 bits, and starts in their lower half (RFC 9562, 6.2). */
const MAX_COUNT = 0xfff
const HEX = Buffer.from('0123456789abcdef')
/** The variant takes two bits of this digit. */
const VARIANT = Buffer.from('89ab')

/** Random hexadecimal digits, as bytes. */
let pool: Buffer = Buffer.alloc(0)
let at = 0
let ms = 0
let count = 0
/** The id being built; the dashes stay, and the prefix stays for a millisecond. */
const id = Buffer.from('00000000-0000-7000-8000-000000000000')

export function uuid7(now = Date.now()): string {
  if (at + DIGITS > pool.length) {
    pool = Buffer.from(randomBytes(POOL_BYTES).toString('hex'))
    at = 0
  }
  const first = at
  at += DIGITS
  if (now > ms) begin(now, Number.parseInt(pool.toString('latin1', first + 16, first + DIGITS), 16) >> 1)
  else if (count < MAX_COUNT) count++
  // The clock was set back, or the counter is exhausted: advance the time of the ids independently of the clock.
  else begin(ms + 1, 0)
  id[15] = HEX[count >> 8]!
  id[16] = HEX[(count >> 4) & 15]!
  id[17] = HEX[count & 15]!
  id[19] = VARIANT[pool[first]! & 3]!
  for (let i = 1; i < 4; i++) id[19 + i] = pool[first + i]!
  for (let i = 4; i < 16; i++) id[20 + i] = pool[first + i]!
  return id.toString('latin1')
}

function begin(time: number, from: number): void {
  ms = time
  count = from
  const digits = time.toString(16).padStart(12, '0')
  id.write(digits.slice(0, 8), 0)
  id.write(digits.slice(8), 9)
}
