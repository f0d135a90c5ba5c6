/**
 * What a file is, by its first bytes. What its sender states is not believed: a browser would run what is taken for a page. The table has
 * what may be shown in place, and what is common; the rest is only to be saved.
 */
import { isUtf8 } from 'node:buffer'

/** Bytes of the beginning that are looked at. */
export const SNIFFED = 4096

export const UNKNOWN = 'application/octet-stream'
const TEXT = 'text/plain'

/** Shown in place; all others are saved, pages, SVG and PDF included: they can hold scripts. */
const INLINE: ReadonlySet<string> = new Set([
  ...(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif'] as const),
  ...(['video/mp4', 'video/webm', 'video/ogg'] as const),
  ...(['audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/wav', TEXT] as const),
])

export function isInline(mime: string): boolean {
  return INLINE.has(mime)
}

/** As `Content-Type`. */
export function contentType(mime: string): string {
  return mime === TEXT ? `${TEXT}; charset=utf-8` : mime
}

/** @param head The first bytes, at most `SNIFFED` */
export function sniff(head: Buffer): string {
  for (const [mime, test] of TYPES) if (test(head)) return mime
  return isPlainText(head) ? TEXT : UNKNOWN
}

type Test = (head: Buffer) => boolean

const starts =
  (...bytes: number[]): Test =>
  (head) =>
    bytes.every((byte, i) => head[i] === byte)
const says =
  (text: string, at = 0): Test =>
  (head) =>
    head.toString('latin1', at, at + text.length) === text
const both =
  (...tests: Test[]): Test =>
  (head) =>
    tests.every((test) => test(head))
const holds =
  (text: string, within = 64): Test =>
  (head) =>
    head.subarray(0, within).includes(text)

/** ISO base media files (MP4 and its relatives) name their brand. */
const brand =
  (...brands: string[]): Test =>
  (head) =>
    says('ftyp', 4)(head) && brands.includes(head.toString('latin1', 8, 12))

/** MPEG audio without a tag begins with a frame: 11 bits set, a layer, and neither of the values that are reserved. */
const mpegFrame: Test = ([a = 0, b = 0, c = 0]) =>
  a === 0xff &&
  (b & 0xe0) === 0xe0 &&
  (b & 0x18) !== 0x08 &&
  (b & 0x06) === 0x02 &&
  (c & 0xf0) !== 0xf0 &&
  (c & 0x0c) !== 0x0c

const EBML = starts(0x1a, 0x45, 0xdf, 0xa3)

const TYPES: readonly (readonly [mime: string, test: Test])[] = [
  ['image/jpeg', starts(0xff, 0xd8, 0xff)],
  ['image/png', starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)],
  ['image/gif', (head) => says('GIF87a')(head) || says('GIF89a')(head)],
  ['image/webp', both(says('RIFF'), says('WEBP', 8))],
  ['audio/wav', both(says('RIFF'), says('WAVE', 8))],
  ['image/avif', brand('avif', 'avis')],
  ['image/heic', brand('heic', 'heix', 'hevc', 'hevx', 'mif1', 'msf1')],
  ['audio/mp4', brand('M4A ', 'M4B ')],
  ['video/mp4', brand('isom', 'iso2', 'iso4', 'iso5', 'iso6', 'mp41', 'mp42', 'avc1', 'M4V ', 'dash', 'MSNV')],
  ['video/quicktime', brand('qt  ')],
  ['video/webm', both(EBML, holds('webm'))],
  ['video/x-matroska', both(EBML, holds('matroska'))],
  ['video/ogg', both(says('OggS'), holds('theora', SNIFFED))],
  ['audio/ogg', says('OggS')],
  ['audio/mpeg', (head) => says('ID3')(head) || mpegFrame(head)],
  ['audio/flac', says('fLaC')],
  ['application/pdf', says('%PDF-')],
  ['application/zip', starts(0x50, 0x4b, 0x03, 0x04)],
  ['application/gzip', starts(0x1f, 0x8b)],
]

/** Control characters that no text has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const BINARY = /[\0-\x08\x0e-\x1a\x1c-\x1f]/
/** What old browsers took for a page or an image with scripts, whatever they were told. */
const MARKUP = /^\s*<(?:!|\?|[a-z])/i

function isPlainText(head: Buffer): boolean {
  const whole = head.length < SNIFFED ? head : withoutCutCharacter(head)
  if (whole.length === 0 || !isUtf8(whole)) return false
  const text = whole.toString('utf8').replace(/^\ufeff/, '')
  return !BINARY.test(text) && !MARKUP.test(text)
}

/** The last character may continue behind the bytes that are looked at. */
function withoutCutCharacter(head: Buffer): Buffer {
  let end = head.length
  for (let i = 1; i <= 3 && end === head.length; i++) if ((head[head.length - i]! & 0xc0) === 0xc0) end -= i
  return head.subarray(0, end)
}
