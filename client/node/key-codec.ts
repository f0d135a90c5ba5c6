/** Keys of the client's store as bytes that compare as they do. */
import type { Key } from '../store/store.js'

/** What a part begins with. Below `AFTER_ZERO`, so that the end of a text comes before any character. */
const NUMBER = 1
const TEXT = 2
/** Ends a text. */
const ZERO = 0
/** Follows a zero that is a character of the text. */
const AFTER_ZERO = 0xff
/** Is above all that may follow the bytes of a key. */
export const BEHIND = 0xff

export function encodeKey(key: Key): Buffer {
  return Buffer.concat(key.map((part) => (typeof part === 'number' ? encodeNumber(part) : encodeText(part))))
}

/** Of positive numbers the sign, of negative ones all bits are inverted. */
function encodeNumber(number: number): Buffer {
  const bytes = Buffer.alloc(9)
  bytes[0] = NUMBER
  // Minus zero is zero.
  bytes.writeDoubleBE(number + 0, 1)
  const isNegative = bytes[1]! >= 0x80
  bytes[1]! ^= 0x80
  if (isNegative) for (let i = 1; i < 9; i++) bytes[i]! ^= i === 1 ? 0x7f : 0xff
  return bytes
}

/** Each code unit by itself as UTF-8 does it: the order is that of code units, surrogates included. */
function encodeText(text: string): Buffer {
  const bytes: number[] = [TEXT]
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit === 0) bytes.push(ZERO, AFTER_ZERO)
    else if (unit < 0x80) bytes.push(unit)
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f))
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f))
  }
  bytes.push(ZERO)
  return Buffer.from(bytes)
}

export function decodeKey(bytes: Uint8Array): Key {
  const key: (string | number)[] = []
  for (let at = 0; at < bytes.length; ) {
    const [part, next] = bytes[at] === NUMBER ? decodeNumber(bytes, at + 1) : decodeText(bytes, at + 1)
    key.push(part)
    at = next
  }
  return key
}

function decodeNumber(bytes: Uint8Array, at: number): [number, number] {
  const number = Buffer.from(bytes.subarray(at, at + 8))
  const isNegative = number[0]! < 0x80
  number[0]! ^= 0x80
  if (isNegative) for (let i = 0; i < 8; i++) number[i]! ^= i === 0 ? 0x7f : 0xff
  return [number.readDoubleBE(0), at + 8]
}

function decodeText(bytes: Uint8Array, from: number): [string, number] {
  let text = ''
  let at = from
  while (bytes[at] !== ZERO || bytes[at + 1] === AFTER_ZERO) {
    const first = bytes[at]!
    const length = first === ZERO ? 2 : first < 0x80 ? 1 : first < 0xe0 ? 2 : 3
    text += String.fromCharCode(unitOf(bytes, at, length))
    at += length
  }
  return [text, at + 1]
}

function unitOf(bytes: Uint8Array, at: number, length: number): number {
  if (bytes[at] === ZERO) return 0
  if (length === 1) return bytes[at]!
  const low = bytes[at + length - 1]! & 0x3f
  return length === 2
    ? ((bytes[at]! & 0x1f) << 6) | low
    : ((bytes[at]! & 0x0f) << 12) | ((bytes[at + 1]! & 0x3f) << 6) | low
}
