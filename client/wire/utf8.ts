/** UTF-8 without `TextDecoder`, which React Native does not have. */
import type { Bytes } from '../base/platform.js'

declare const TextEncoder: new () => { encode(text: string): Bytes }

/** Code units that are made into text at a time: arguments of one call. */
const SLICE = 4096

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text)
}

/** The text; null: the bytes are not well-formed UTF-8 (RFC 3629: no surrogates, no longer forms than needed). */
export function textOf(bytes: Uint8Array): string | null {
  let text = ''
  let units: number[] = []
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!
    const length = lengthOf(first)
    if (length === 0 || at + length > bytes.length) return null
    const code = length === 1 ? first : codePoint(bytes, at, length)
    if (code < 0) return null
    if (code > 0xffff) units.push(0xd7c0 + (code >> 10), 0xdc00 | (code & 0x3ff))
    else units.push(code)
    at += length
    if (units.length >= SLICE) {
      text += String.fromCharCode(...units)
      units = []
    }
  }
  return text + String.fromCharCode(...units)
}

/** Bytes of a character, by its first one; 0: none begins like this. */
function lengthOf(first: number): number {
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/** The smallest code point that needs so many bytes. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000]

/** -1: not well formed. */
function codePoint(bytes: Uint8Array, at: number, length: number): number {
  let code = bytes[at]! & (0x7f >> length)
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i]!
    if ((byte & 0xc0) !== 0x80) return -1
    code = (code << 6) | (byte & 0x3f)
  }
  const isSurrogate = code >= 0xd800 && code < 0xe000
  return code < LEAST[length]! || code > 0x10ffff || isSurrogate ? -1 : code
}
