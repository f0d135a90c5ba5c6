/** The packets of the SDK, beside those of mqtt-packet: what either writes the other one reads as it was meant. */
import assert from 'node:assert'
import mqttPacket, { type Packet as TheirPacket } from 'mqtt-packet'
import t from 'tap'
import { decode, type Packet } from '../../client/wire/mqtt/decode.js'
import * as encode from '../../client/wire/mqtt/encode.js'
import { FrameReader } from '../../client/wire/mqtt/frames.js'
import { Malformed } from '../../client/wire/mqtt/malformed.js'
import { textOf, utf8 } from '../../client/wire/utf8.js'
import type { Subscription } from '../../client/wire/wire.js'
import fc from '../helpers/fast-check.js'
import { damage } from '../helpers/fuzz-mutations.js'
import { encodeVarint, packet } from '../helpers/fuzz-wire.js'
import { Random } from '../helpers/random.js'
import * as any from '../helpers/wire-packets.js'

const RUNS = { numRuns: 500 }
const LARGEST = 100_000
const V5 = { protocolVersion: 5 }

/** The packets in what arrives in these pieces. */
function packetsOf(pieces: readonly Uint8Array[], reader = new FrameReader(LARGEST)): Packet[] {
  const packets: Packet[] = []
  for (const piece of pieces) {
    reader.push(piece)
    for (let frame = reader.next(); frame; frame = reader.next()) packets.push(decode(frame))
  }
  return packets
}

/** Buffers and bytes are the same thing to a comparison. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

function same(found: unknown, wanted: unknown): void {
  assert.deepStrictEqual(plain(found), plain(wanted))
}

/** One packet, as mqtt-packet reads it. */
function parsed(bytes: Uint8Array): TheirPacket & { properties?: object } {
  const parser = mqttPacket.parser(V5)
  const packets: TheirPacket[] = []
  parser.on('packet', (packet) => packets.push(packet))
  parser.on('error', (error) => assert.fail(error))
  assert.strictEqual(parser.parse(Buffer.from(bytes)), 0, 'nothing is left')
  assert.strictEqual(packets.length, 1)
  return packets[0]!
}

t.test('every packet that mqtt-packet writes for a broker is read as it was meant', async () => {
  fc.assert(
    fc.property(any.fromBroker, ({ ours, theirs }) => {
      same(packetsOf([mqttPacket.generate(theirs, V5)]), [ours])
    }),
    RUNS,
  )
})

t.test('packets are the same wherever the bytes are cut', async () => {
  fc.assert(
    fc.property(fc.array(any.fromBroker, { minLength: 1, maxLength: 4 }), (packets) => {
      const stream = Buffer.concat(packets.map(({ theirs }) => mqttPacket.generate(theirs, V5)))
      const wanted = packets.map(({ ours }) => ours)
      for (let at = 0; at <= stream.length; at++) same(packetsOf([stream.subarray(0, at), stream.subarray(at)]), wanted)
      same(packetsOf([...stream].map((byte) => Uint8Array.of(byte))), wanted)
    }),
    { numRuns: 20 },
  )
})

t.test('bytes of a message that was handed out are not overwritten by those that follow', async (t) => {
  const publish = (payload: string) =>
    mqttPacket.generate({ cmd: 'publish', topic: 't', payload, qos: 0, dup: false, retain: false }, V5)
  const stream = Buffer.concat(['first', 'second', 'third'].map(publish))
  const packets = packetsOf([...stream].map((byte) => Uint8Array.of(byte)))
  t.same(
    packets.map((packet) => packet.type === 'publish' && textOf(packet.payload)),
    ['first', 'second', 'third'],
  )
})

t.test('CONNECT', async () => {
  const login = fc.oneof(
    fc.record({ clientId: any.text, user: any.text, password: any.text }),
    fc.record({ clientId: any.text, token: any.text }),
  )
  fc.assert(
    fc.property(login, fc.integer({ min: 0, max: 0xffff }), (login, keepAlive) => {
      const properties = { receiveMaximum: 7, maximumPacketSize: 70_000, requestResponseInformation: 1 }
      const found = parsed(encode.encodeConnect(login, keepAlive, properties))
      const shared = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 5, clean: true, keepalive: keepAlive }
      const given = any.theirProperties(properties)
      const { username, password, properties: read, ...rest } = found as unknown as Record<string, unknown>
      for (const [name, value] of Object.entries({ ...shared, clientId: login.clientId })) same(rest[name], value)
      if ('password' in login) {
        same([username, password, read], [login.user, Buffer.from(login.password), given])
      } else {
        const shown = { authenticationMethod: 'JWT', authenticationData: Buffer.from(login.token) }
        same([username, password, read], [undefined, undefined, { ...given, ...shown }])
      }
    }),
    RUNS,
  )
})

t.test('PUBLISH and PUBACK', async () => {
  const message = fc.record({
    topic: any.topic,
    payload: any.bytes,
    qos: fc.constantFrom(0 as const, 1 as const),
    retain: fc.boolean(),
    properties: any.publishProperties,
  })
  fc.assert(
    fc.property(message, any.packetId, (message, id) => {
      const { topic, payload, qos, retain, properties } = message
      const found = parsed(encode.encodePublish(message, id)) as unknown as Record<string, unknown>
      const { topic: t, payload: p, qos: q, retain: r, dup, messageId, properties: read } = found
      same([t, p, q, r, dup, messageId], [topic, payload, qos, retain, false, qos === 0 ? undefined : id])
      same(read ?? {}, any.theirProperties(properties))
      const ack = parsed(encode.encodePuback(id)) as unknown as Record<string, unknown>
      same([ack['cmd'], ack['messageId'], ack['reasonCode']], ['puback', id, 0])
    }),
    RUNS,
  )
})

t.test('SUBSCRIBE and UNSUBSCRIBE', async () => {
  const subscription: fc.Arbitrary<Subscription> = fc.record({
    filter: any.topic,
    qos: fc.constantFrom(0 as const, 1 as const),
    noLocal: fc.boolean(),
    retainHandling: fc.constantFrom(0 as const, 1 as const, 2 as const),
  })
  fc.assert(
    fc.property(fc.array(subscription, { minLength: 1, maxLength: 5 }), any.packetId, (subscriptions, id) => {
      const found = parsed(encode.encodeSubscribe(subscriptions, id)) as unknown as Record<string, unknown>
      const theirs = subscriptions.map(({ filter, qos, noLocal, retainHandling }) => {
        return { topic: filter, qos, nl: noLocal, rap: false, rh: retainHandling }
      })
      same([found['cmd'], found['messageId'], found['subscriptions']], ['subscribe', id, theirs])
      const filters = subscriptions.map(({ filter }) => filter)
      const ended = parsed(encode.encodeUnsubscribe(filters, id)) as unknown as Record<string, unknown>
      same([ended['cmd'], ended['messageId'], ended['unsubscriptions']], ['unsubscribe', id, filters])
    }),
    RUNS,
  )
})

t.test('PINGREQ, DISCONNECT and AUTH', async (t) => {
  t.match(parsed(encode.encodePingreq()), { cmd: 'pingreq' })
  t.match(parsed(encode.encodeDisconnect(0x81)), { cmd: 'disconnect', reasonCode: 0x81 })
  t.match(parsed(encode.encodeAuth(0x19, 'a.b.c')), {
    cmd: 'auth',
    reasonCode: 0x19,
    properties: { authenticationMethod: 'JWT', authenticationData: Buffer.from('a.b.c') },
  })
})

t.test('what MQTT has no form for is refused before it is sent', async (t) => {
  const refused = { name: 'WireError', kind: 'rejected' }
  const empty = new Uint8Array(0)
  t.throws(() => encode.encodePublish({ topic: 'a\0b', payload: empty, qos: 0 }, 0), refused)
  t.throws(() => encode.encodePublish({ topic: 'x'.repeat(65_536), payload: empty, qos: 0 }, 0), refused)
  t.throws(() => encode.encodePublish({ topic: 't', payload: new Uint8Array(2 ** 28), qos: 0 }, 0), refused)
  t.throws(() => encode.encodeSubscribe([], 1), refused)
  t.throws(() => encode.encodeUnsubscribe([], 1), refused)
})

t.test('what is not MQTT is refused, and says why', async (t) => {
  /** Header and body in hexadecimal: what is wrong with them. */
  const cases: readonly (readonly [header: number, body: string, why: RegExp])[] = [
    [0x21, '000000', /flags/],
    [0x20, '020000', /reserved/],
    [0xd0, '00', /1 bytes too many/],
    [0x36, '0001740001', /contradictory/],
    [0x34, '000174000100', /QoS 2/],
    [0x38, '00017400', /contradictory/],
    [0x32, '000174000000', /identifier 0/],
    [0x30, '000000', /topic name/],
    [0x30, '00012300', /topic name/],
    [0x30, '00017403230001', /alias/],
    [0x30, '0001ff00', /UTF-8/],
    [0x30, '00010000', /U\+0000/],
    [0x40, '000100022400', /no place/],
    [0x40, '00010002 7f00', /no place/],
    [0x40, '0001 00 08 1f000178 1f000179', /given twice/],
    [0x30, '000174 08 0100 0100', /within its properties/],
    [0x30, '000174 04 0100 0101', /given twice/],
    [0x30, '000174 01 0100', /crosses the end/],
    [0x20, '000005', /within its properties/],
    [0x30, '0001748000', /longer than needed/],
    [0xc0, '', /type 12/],
    [0x50, '0001', /type 5/],
    [0x20, '000003210000', /must not be 0/],
    [0x20, '0000022502', /0 or 1/],
  ]
  for (const [header, body, why] of cases)
    t.throws(() => packetsOf([packet(header, Buffer.from(body.replaceAll(' ', ''), 'hex'))]), malformed(why), body)
  t.throws(() => packetsOf([Buffer.from('30ffffffff01', 'hex')]), malformed(/longer than four/))
})

function malformed(message: RegExp): Error {
  return Object.assign(new Error(), { name: 'Malformed', message }) as never
}

t.test('bytes nobody meant are refused or read, never more than once, and held within bounds', async () => {
  let refusals = 0
  fc.assert(
    fc.property(fc.integer(), fc.array(any.fromBroker, { minLength: 1, maxLength: 6 }), (seed, packets) => {
      const random = new Random(seed)
      const pieces = packets.map(({ theirs }) => mqttPacket.generate(theirs, V5))
      damage(random, pieces)
      const reader = new FrameReader(1000)
      try {
        packetsOf(pieces, reader)
      } catch (error) {
        if (!(error instanceof Malformed)) throw error
        refusals++
      }
      const largest = Math.max(0, ...pieces.map(({ length }) => length))
      assert.ok(reader.capacity <= 2 * (1000 + largest), `${reader.capacity} bytes are held`)
    }),
    { numRuns: 2000 },
  )
  assert.ok(refusals > 100, `${refusals} streams were refused`)
})

t.test(
  'a packet that claims to be large costs what has arrived of it, and one that is too large nothing',
  async (t) => {
    const reader = new FrameReader(1_000_000)
    reader.push(Buffer.from('30ffff3c', 'hex'))
    t.equal(reader.next(), null)
    for (let i = 0; i < 100; i++) reader.push(Uint8Array.of(7))
    t.ok(reader.capacity < 500, `${reader.capacity} bytes`)
    const small = new FrameReader(1000)
    small.push(Buffer.from('30ffff3c', 'hex'))
    t.throws(() => small.next(), malformed(/at most 1000 are accepted/))
  },
)

t.test('very many properties are read in time that grows with their number', async (t) => {
  const count = 150_000
  const pair = Buffer.from('2600000000', 'hex')
  const properties = Buffer.concat(Array.from({ length: count }, () => pair))
  const body = Buffer.concat([Buffer.from('000174', 'hex'), encodeVarint(properties.length), properties])
  const read = packetsOf([packet(0x30, body)], new FrameReader(10 ** 7))
  const [only] = read
  t.equal(only?.type === 'publish' && only.properties.userProperties?.length, count)
})

t.test('UTF-8 is read as TextDecoder reads it, when it is strict', async (t) => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const decoded = (bytes: Uint8Array): string | null => {
    try {
      return strict.decode(bytes)
    } catch {
      return null
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => assert.strictEqual(textOf(bytes), decoded(bytes))),
    { numRuns: 20_000 },
  )
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => textOf(utf8(text)) === text))
  for (const hex of ['c080', 'e08080', 'eda080', 'f4908080', 'f08282ac', 'efbbbf41', 'f09f9880', 'c2', 'f09f98'])
    t.equal(textOf(Buffer.from(hex, 'hex')), decoded(Buffer.from(hex, 'hex')), hex)
  const long = 'añ😀'.repeat(50_000)
  t.equal(textOf(utf8(long)), long)
})
