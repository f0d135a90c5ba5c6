/** Audio and video: how long and how large they are is read from their bytes, whatever their sender states. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BufferTarget,
  EncodedAudioPacketSource,
  EncodedPacket,
  OggOutputFormat,
  Output,
  type OutputFormat,
} from 'mediabunny'
import t, { type Test } from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { Person } from '../helpers/people.js'
import { upload } from '../helpers/uploads.js'

const FIXTURES = 'test/fixtures/media'

async function open(t: Test, recordings: object = {}) {
  const broker = await startTestBroker(t, { media: { shared: true, recordings }, limits: { rates: 'off' } })
  const alice = await Person.connect(t, broker, 'alice')
  const facts = async (bytes: Buffer) => alice.get('files.get', { file: await upload(broker, 'alice', bytes) })
  return { broker, alice, facts }
}

/** Silence of 16 bits, 8,000 samples a second. */
function wav(seconds: number): Buffer {
  const samples = Buffer.alloc(seconds * 16_000)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + samples.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8000, 24)
  head.writeUInt32LE(16_000, 28)
  head.writeUInt16LE(2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(samples.length, 40)
  return Buffer.concat([head, samples])
}

/** Frames of 1,152 samples at 44,100 Hz and 128 kbit/s, without the header of a variable rate. */
function mp3(frames: number): Buffer {
  const frame = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(413)])
  return Buffer.concat(Array.from({ length: frames }, () => frame))
}

/** Opus of 20 ms a packet. */
async function opus(format: OutputFormat, packets: number): Promise<Buffer> {
  const output = new Output({ format, target: new BufferTarget() })
  const source = new EncodedAudioPacketSource('opus')
  output.addAudioTrack(source)
  await output.start()
  // RFC 7845, 5.1: one channel, 48,000 Hz.
  const description = new Uint8Array(Buffer.from('OpusHead\x01\x01\0\0\x80\xbb\0\0\0\0\0', 'latin1'))
  const decoderConfig = { codec: 'opus', numberOfChannels: 1, sampleRate: 48_000, description }
  const silence = new Uint8Array([0xf8, 0xff, 0xfe])
  for (let i = 0; i < packets; i++)
    await source.add(new EncodedPacket(silence, 'key', i * 0.02, 0.02), { decoderConfig })
  await output.finalize()
  return Buffer.from((output.target as BufferTarget).buffer!)
}

t.test('how long it lasts is found in each format, and how large a video is', async (t) => {
  const { facts } = await open(t)
  t.match(await facts(wav(3)), { mime: 'audio/wav', duration: 3 })
  const { mime, duration, width } = await facts(mp3(383))
  t.match({ mime, width }, { mime: 'audio/mpeg', width: undefined })
  t.ok(Math.abs(duration - 10) < 0.1, `${duration} s`)
  const ogg = await facts(await opus(new OggOutputFormat(), 100))
  t.match(ogg, { mime: 'audio/ogg' })
  t.ok(Math.abs(ogg.duration - 2) < 0.1, `${ogg.duration} s`)
  // As Chromium records them: without an index, and without their duration at the beginning.
  for (const [name, mime] of [
    ['clip.webm', 'video/webm'],
    ['clip.mp4', 'video/mp4'],
  ] as const) {
    const clip = await facts(readFileSync(join(FIXTURES, name)))
    t.match(clip, { mime, width: 64, height: 48 })
    t.ok(Math.abs(clip.duration - 2) < 0.2, `${name}: ${clip.duration} s`)
  }
})

t.test('the broker sets them in messages; loudness is what the sender states, within bounds', async (t) => {
  const { broker, alice } = await open(t)
  const file = await upload(broker, 'alice', wav(2))
  await alice.subscribe('rooms/lobby/messages')
  const send = (more: object) =>
    alice.send('rooms/lobby/messages', { attachments: [{ type: 'audio', file, duration: 999, width: 7, ...more }] })
  t.ok((await send({ waveform: [0, 50, 100] })).ok)
  const [message] = await alice.on('rooms/lobby/messages', 1)
  t.match(message.attachments[0], { duration: 2, waveform: [0, 50, 100] })
  t.notOk('width' in message.attachments[0], 'there is no video in it')
  for (const waveform of [[101], [-1], [0.5], [], Array(257).fill(1), 'loud'])
    t.match((await send({ waveform })).error, { code: 'bad_request', field: /attachments\.0\.waveform/ })
})

t.test('what cannot be read is a file like others, and the next one is read', async (t) => {
  const { broker, alice, facts } = await open(t)
  const clip = readFileSync(join(FIXTURES, 'clip.mp4'))
  const hostile: Record<string, Buffer> = {
    'cut off': clip.subarray(0, 200),
    'sizes beyond its end': Buffer.concat([clip.subarray(0, 36), Buffer.from('\x7f\xff\xff\xffmoov', 'latin1')]),
    'boxes without end': Buffer.concat([clip.subarray(0, 36), Buffer.alloc(100_000, '\0\0\0\x08moov', 'latin1')]),
    'only noise': Buffer.concat([Buffer.from('OggS'), Buffer.alloc(100_000, 'OggS')]),
    'elements that nest': Buffer.concat([
      readFileSync(join(FIXTURES, 'clip.webm')).subarray(0, 60),
      Buffer.alloc(100_000, Buffer.from([0x1a, 0x45, 0xdf, 0xa3])),
    ]),
  }
  for (const [what, bytes] of Object.entries(hostile)) {
    const { finished, size } = await facts(bytes)
    t.match({ finished, size }, { finished: true, size: bytes.length }, what)
  }
  const unread = await upload(broker, 'alice', hostile['cut off']!)
  await alice.subscribe('rooms/lobby/messages')
  await alice.send('rooms/lobby/messages', { attachments: [{ type: 'video', file: unread, duration: 5 }] })
  const [message] = await alice.on('rooms/lobby/messages', 1)
  t.equal(message.attachments[0].duration, 5, 'as its sender states, as nothing better is known')
  t.match(await facts(wav(1)), { duration: 1 })
})

t.test('no more than a few bytes of a large one are read', async (t) => {
  const { facts } = await open(t, { bytes: 300_000 })
  t.match(await facts(wav(100)), { size: 1_600_044, duration: 100 })
  const { duration } = await facts(mp3(5000))
  t.ok(Math.abs(duration - 130.6) < 1, `${duration} s`)
  const ogg = await opus(new OggOutputFormat(), 20_000)
  t.ok(Math.abs((await facts(ogg)).duration - 400) < 1)
})

t.test('nothing is read where that is asked for', async (t) => {
  const { facts } = await open(t, { enabled: false })
  t.equal((await facts(wav(1))).duration, undefined)
})
