/** What a file is by its bytes, which part of it is asked for, and how its name is told. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { dispositionOf } from '../../broker/http/disposition.js'
import { rangeOf } from '../../broker/http/media.js'
import { contentType, isInline, SNIFFED, sniff } from '../../broker/media/media-types.js'

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))))

/** The first bytes of files of each kind. */
const KNOWN: readonly [mime: string, head: Buffer][] = [
  ['image/jpeg', bytes([0xff, 0xd8, 0xff, 0xe0], '\0\x10JFIF')],
  ['image/png', bytes([0x89], 'PNG\r\n\x1a\n\0\0\0\rIHDR')],
  ['image/gif', bytes('GIF89a')],
  ['image/webp', bytes('RIFF\x10\0\0\0WEBPVP8 ')],
  ['image/avif', bytes('\0\0\0\x1cftypavif')],
  ['image/heic', bytes('\0\0\0\x1cftypheic')],
  ['audio/wav', bytes('RIFF\x10\0\0\0WAVEfmt ')],
  ['audio/mp4', bytes('\0\0\0\x1cftypM4A ')],
  ['video/mp4', bytes('\0\0\0\x1cftypisom')],
  ['video/quicktime', bytes('\0\0\0\x14ftypqt  ')],
  ['video/webm', bytes([0x1a, 0x45, 0xdf, 0xa3, 0x9f], 'B\x86\x81\x01B\x82\x84webm')],
  ['video/x-matroska', bytes([0x1a, 0x45, 0xdf, 0xa3, 0x9f], 'B\x82\x88matroska')],
  ['audio/ogg', bytes('OggS\0\x02', [0, 0, 0, 0], 'OpusHead')],
  ['video/ogg', bytes('OggS\0\x02', [0, 0, 0, 0], '\x80theora')],
  ['audio/mpeg', bytes('ID3\x04\0')],
  ['audio/mpeg', bytes([0xff, 0xfb, 0x90, 0x64])],
  ['audio/flac', bytes('fLaC')],
  ['application/pdf', bytes('%PDF-1.7')],
  ['application/zip', bytes('PK\x03\x04')],
  ['application/gzip', bytes([0x1f, 0x8b, 8])],
  ['text/plain', Buffer.from('Grüße aus Ulm\n')],
]

t.test('kinds of files are told by their first bytes', async (t) => {
  for (const [mime, head] of KNOWN) t.equal(sniff(head), mime, mime)
  t.equal(sniff(readFileSync('LICENSE').subarray(0, SNIFFED)), 'text/plain')
})

t.test('nothing that can hold a script is shown in place', async (t) => {
  const pages = [
    '<!DOCTYPE html><script>alert(1)</script>',
    '  <html>',
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    '<?xml version="1.0"?><svg/>',
    '\ufeff<script>',
    '<body onload=x>',
  ]
  for (const page of pages) {
    const mime = sniff(Buffer.from(page))
    t.equal(mime, 'application/octet-stream', page)
    t.notOk(isInline(mime))
  }
  for (const mime of ['text/html', 'image/svg+xml', 'application/pdf', 'application/xml', 'image/heic'])
    t.notOk(isInline(mime), mime)
})

t.test('text is UTF-8 without control characters, and says so', async (t) => {
  t.equal(sniff(Buffer.from([0xff, 0xfe, 0x41, 0])), 'application/octet-stream')
  t.equal(sniff(Buffer.from('a\0b')), 'application/octet-stream')
  t.equal(sniff(Buffer.alloc(0)), 'application/octet-stream')
  for (let cut = 0; cut < 4; cut++) {
    const head = Buffer.concat([Buffer.from('x'.repeat(cut)), Buffer.from('😀'.repeat(SNIFFED))]).subarray(0, SNIFFED)
    t.equal(sniff(head), 'text/plain', `a character that is cut after ${cut}`)
  }
  t.equal(contentType('text/plain'), 'text/plain; charset=utf-8')
  t.equal(contentType('image/png'), 'image/png')
})

t.test('random bytes are never taken for anything they do not begin as', async (t) => {
  for (let i = 0; i < 2000; i++) {
    const head = Buffer.from(Array.from({ length: i % 64 }, (_, at) => (i * 31 + at * at * 17) & 0xff))
    t.ok(typeof sniff(head) === 'string')
  }
})

t.test('one range is served; what is not understood is the whole file (RFC 9110, 14)', async (t) => {
  const range = (header?: string, ifRange?: string) => rangeOf(header, ifRange, '"tag"', 100)
  t.same(range('bytes=0-9'), { start: 0, end: 9 })
  t.same(range('bytes=90-'), { start: 90, end: 99 })
  t.same(range('bytes=90-1000'), { start: 90, end: 99 })
  t.same(range('bytes=-10'), { start: 90, end: 99 })
  t.same(range('bytes=-1000'), { start: 0, end: 99 })
  t.same(range('BYTES=1-1'), { start: 1, end: 1 })
  for (const whole of [undefined, 'bytes=', 'bytes=-', 'bytes=0-1,4-5', 'bytes=9-1', 'items=0-1', 'bytes=a-b'])
    t.equal(range(whole), null, whole ?? 'none')
  for (const wrong of ['bytes=100-', 'bytes=100-200', 'bytes=-0']) t.equal(range(wrong), 'unsatisfiable', wrong)
  t.same(range('bytes=0-9', '"tag"'), { start: 0, end: 9 })
  t.equal(range('bytes=0-9', '"other"'), null)
  t.equal(range('bytes=0-9', 'W/"tag"'), null, 'a weak tag is none of bytes')
  t.equal(range('bytes=0-9', 'Mon, 30 Nov 2026 00:00:00 GMT'), null)
  t.equal(rangeOf('bytes=0-', undefined, '"tag"', 0), 'unsatisfiable')
})

t.test('a name is told in both forms (RFC 6266, RFC 8187)', async (t) => {
  t.equal(dispositionOf(true, null), 'inline')
  t.equal(dispositionOf(false, 'a.txt'), `attachment; filename="a.txt"; filename*=UTF-8''a.txt`)
  t.equal(
    dispositionOf(false, `Grüße "1"'(2)*%.txt`),
    `attachment; filename="Gr__e _1_'(2)*_.txt"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22%27%282%29%2A%25.txt`,
  )
  t.match(dispositionOf(false, 'a\r\nset-cookie: x=1'), /^[ -~]+$/, 'no control character')
})
