/** Images: written anew without what their sender did not mean to send, and refused where they would harm. */
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { checksum } from '../../broker/store/level/checksum.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'
import { begin, download, tus, upload } from '../helpers/uploads.js'

async function open(t: Test, images: object = {}) {
  const broker = await startTestBroker(t, { media: { shared: true, images }, limits: { rates: 'off' } })
  return { broker, alice: await Person.connect(t, broker, 'alice') }
}

/** A picture of two colours, wider than high as it is stored; to be shown turned by a quarter, and with a place in it. */
function photo(): Promise<Buffer> {
  const image = sharp({ create: { width: 600, height: 400, channels: 3, background: { r: 200, g: 30, b: 30 } } })
  return image
    .jpeg()
    .withExif({ IFD0: { Make: 'SecretCamera' }, IFD3: { GPSLatitude: '48/1 24/1 0/1', GPSLatitudeRef: 'N' } })
    .withMetadata({ orientation: 6 })
    .toBuffer()
}

const thumbnail = (broker: TestBroker, user: string, file: string) => download(broker, user, `${file}/thumbnail`)

t.test('a photo loses its place and camera, and is turned as it is to be shown', async (t) => {
  const { broker, alice } = await open(t)
  const given = await photo()
  t.ok(given.includes('SecretCamera'), 'it is in the photo')
  const file = await upload(broker, 'alice', given, { name: 'me.jpg' })
  const known = await alice.get('files.get', { file })
  t.match(known, { mime: 'image/jpeg', width: 400, height: 600, finished: true })
  t.match(known.placeholder, /^[0-9A-Za-z#$%*+,\-.:;=?@[\]^_{|}~]{6,}$/)
  const { bytes } = await download(broker, 'alice', file)
  t.equal(bytes.length, known.size)
  t.notOk(bytes.includes('SecretCamera'))
  const { exif, orientation, width, height } = await sharp(bytes).metadata()
  t.same({ exif, orientation, width, height }, { exif: undefined, orientation: undefined, width: 400, height: 600 })
  const small = await thumbnail(broker, 'alice', file)
  t.equal(small.headers.get('content-type'), 'image/webp')
  t.match(await sharp(small.bytes).metadata(), { format: 'webp', width: 320, height: 480 })
  t.equal((await thumbnail(broker, 'bob', file)).status, 404)
  await alice.subscribe('rooms/lobby/messages')
  await alice.send('rooms/lobby/messages', { attachments: [{ type: 'image', file, width: 1 }] })
  const [message] = await alice.on('rooms/lobby/messages', 1)
  const shown = { file, mime: 'image/jpeg', width: 400, height: 600, thumbnail: known.thumbnail }
  t.match(message.attachments[0], { ...shown, placeholder: known.placeholder })
})

t.test('each format stays what it is, AVIF apart; animations keep their frames', async (t) => {
  const { broker, alice } = await open(t)
  const base = sharp({ create: { width: 40, height: 20, channels: 4, background: { r: 0, g: 90, b: 0, alpha: 0.5 } } })
  const formats = { png: 'image/png', webp: 'image/webp', gif: 'image/gif', avif: 'image/webp' } as const
  for (const [format, mime] of Object.entries(formats)) {
    const file = await upload(
      broker,
      'alice',
      await base
        .clone()
        .toFormat(format as 'png')
        .toBuffer(),
    )
    t.match(await alice.get('files.get', { file }), { mime, width: 40, height: 20 }, format)
  }
  const frames = Buffer.alloc(10 * 30 * 3, 100)
  for (let i = 0; i < 300; i++) frames[i] = i & 0xff
  const animated = await sharp(frames, { raw: { width: 10, height: 30, channels: 3, pageHeight: 10 } })
    .gif({ delay: [100, 100, 100] })
    .toBuffer()
  const file = await upload(broker, 'alice', animated)
  t.match(await alice.get('files.get', { file }), { mime: 'image/gif', width: 10, height: 10 })
  const { pages } = await sharp((await download(broker, 'alice', file)).bytes).metadata()
  t.equal(pages, (await sharp(animated).metadata()).pages)
})

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(checksum(body))
  return Buffer.concat([length, body, sum])
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Some kilobytes that become pixels without end. */
function pngBomb(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0], 8)
  const rows = deflateSync(Buffer.alloc(Math.min(20_000_000, (Math.ceil(width / 8) + 1) * height)))
  return Buffer.concat([PNG, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

/** Thirty-five bytes that say they are 65,535 pixels wide and high. */
const GIF_BOMB = Buffer.concat([
  Buffer.from('GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff', 'latin1'),
  Buffer.from([0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 2, 2, 0x44, 1, 0, 0x3b]),
])

t.test('bombs and broken images are refused, leave nothing, and others go on', async (t) => {
  const { broker, alice } = await open(t, { pixels: 1_000_000 })
  const jpeg = await photo()
  const text = Buffer.alloc(2_000_000, 'x')
  const harm: Record<string, Buffer> = {
    'pixels of PNG': pngBomb(65_500, 65_500),
    'pixels of GIF': GIF_BOMB,
    'a few too many': await sharp({ create: { width: 1001, height: 1000, channels: 3, background: 'red' } })
      .png()
      .toBuffer(),
    'cut off': jpeg.subarray(0, jpeg.length >> 1),
    'only its beginning': jpeg.subarray(0, 20),
    'a page behind a beginning': Buffer.concat([PNG, Buffer.from('<script>alert(1)</script>')]),
    'a text that unfolds': Buffer.concat([
      PNG,
      chunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0', 'latin1'), deflateSync(text)])),
    ]),
  }
  for (const [what, bytes] of Object.entries(harm)) {
    const path = (await begin(broker, 'alice', bytes.length)).headers.get('location')!
    const sent = await tus(broker, 'alice', 'PATCH', path, { headers: { 'upload-offset': '0' }, body: bytes })
    t.match(sent, { status: 400, code: 'bad_request' }, what)
    t.equal((await tus(broker, 'alice', 'HEAD', path)).status, 404, `${what}: it is gone`)
  }
  t.match((await alice.get('files.list')).used, { files: 0, bytes: 0 })
  const file = await upload(broker, 'alice', jpeg)
  t.match(await alice.get('files.get', { file }), { width: 400, height: 600 }, 'the next one is read')
})

t.test('who asks while an image is being read is answered when it is', async (t) => {
  const { broker, alice } = await open(t)
  const given = await photo()
  const path = (await begin(broker, 'alice', given.length)).headers.get('location')!
  const file = path.split('/').at(-1)!
  const sending = tus(broker, 'alice', 'PATCH', path, { headers: { 'upload-offset': '0' }, body: given })
  await until('all of it is there', async () => {
    const { headers } = await tus(broker, 'alice', 'HEAD', path)
    return headers.get('upload-offset') === String(given.length)
  })
  t.match(await alice.get('files.get', { file }), { finished: true, width: 400 })
  t.equal((await sending).status, 204)
})

t.test('what takes too long is ended', async (t) => {
  const { broker } = await open(t, { time: 0.001 })
  const image = await sharp({
    create: { width: 4000, height: 4000, channels: 3, noise: { type: 'gaussian' }, background: 'red' },
  })
    .png({ compressionLevel: 9 })
    .toBuffer()
  const path = (await begin(broker, 'alice', image.length)).headers.get('location')!
  const sent = await tus(broker, 'alice', 'PATCH', path, { headers: { 'upload-offset': '0' }, body: image })
  t.match(sent, { status: 400, code: 'bad_request' })
})

t.test('images stay as they are where that is asked for', async (t) => {
  const { broker, alice } = await open(t, { enabled: false })
  const given = await photo()
  const file = await upload(broker, 'alice', given)
  t.ok((await download(broker, 'alice', file)).bytes.equals(given))
  t.equal((await alice.get('files.get', { file })).width, undefined)
  t.equal((await thumbnail(broker, 'alice', file)).status, 404)
})
