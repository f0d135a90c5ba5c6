/** Our codec against mqtt-packet, which shares no line with it: packets of 3.1, 3.1.1 and 5, both ways; and frames cut anywhere. */
import assert from 'node:assert'
import mqttPacket, { type Packet } from 'mqtt-packet'
import t from 'tap'
import { decodeConnect, decodePacket } from '../../broker/mqtt/codec/decode.js'
import {
  encodeAck,
  encodeAuth,
  encodeConnack,
  encodeDisconnect,
  encodePublishes,
  encodeSuback,
  encodeUnsuback,
  markDuplicate,
  PINGRESP,
} from '../../broker/mqtt/codec/encode.js'
import { FrameReader } from '../../broker/mqtt/codec/frames.js'
import type { Version } from '../../broker/mqtt/codec/packets.js'
import type { Properties } from '../../broker/mqtt/codec/properties.js'
import { encodeProperties } from '../../broker/mqtt/codec/properties.js'
import { ProtocolError } from '../../broker/mqtt/codec/reason-codes.js'
import fc from '../helpers/fast-check.js'

type Fields = Record<string, unknown>
type QoS = 0 | 1 | 2

const RUNS = { numRuns: 300 }
const NO_LIMIT = 268_435_460

// --- what packets are made of ---------------------------------------------------------------------------------------------------------

const version = fc.constantFrom<Version>(3, 4, 5)
const qos = fc.constantFrom<QoS>(0, 1, 2)
const packetId = fc.integer({ min: 1, max: 65535 })
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((made) => made.replaceAll('\0', ''))
const name = text.filter((made) => made.length > 0)
const topic = name.map((made) => made.replaceAll(/[+#]/g, '_'))
const filter = fc.oneof(topic, fc.constantFrom('#', '+', 'a/+/b', '/', '+/+', 'a/#'))
const bytes = fc.uint8Array({ maxLength: 300 }).map((made) => Buffer.from(made))
const byte = fc.integer({ min: 0, max: 255 })
const uint16 = fc.integer({ min: 1, max: 65535 })
const uint32 = fc.integer({ min: 1, max: 0xffffffff })
const userProperties = fc.array(fc.tuple(name, text), { minLength: 1, maxLength: 4 })

/** A property as it is called here, as mqtt-packet calls it, and its value. */
interface Property {
  ours: keyof Properties
  theirs: string
  value: fc.Arbitrary<unknown>
}

const property = (ours: keyof Properties, theirs: string, value: fc.Arbitrary<unknown>): Property => ({
  ours,
  theirs,
  value,
})

const OF_MESSAGE = [
  property('payloadFormat', 'payloadFormatIndicator', fc.boolean()),
  property('messageExpiry', 'messageExpiryInterval', uint32),
  property('contentType', 'contentType', name),
  property('responseTopic', 'responseTopic', topic),
  property('correlationData', 'correlationData', bytes),
  property('userProperties', 'userProperties', userProperties),
]
const PROPERTIES = {
  connect: [
    property('sessionExpiry', 'sessionExpiryInterval', uint32),
    property('receiveMaximum', 'receiveMaximum', uint16),
    property('maximumPacketSize', 'maximumPacketSize', uint32),
    property('topicAliasMaximum', 'topicAliasMaximum', uint16),
    property('requestProblemInformation', 'requestProblemInformation', fc.boolean()),
    property('requestResponseInformation', 'requestResponseInformation', fc.boolean()),
    property('authMethod', 'authenticationMethod', name),
    property('authData', 'authenticationData', bytes),
    property('userProperties', 'userProperties', userProperties),
  ],
  connack: [
    property('sessionExpiry', 'sessionExpiryInterval', uint32),
    property('receiveMaximum', 'receiveMaximum', uint16),
    property('maximumQos', 'maximumQoS', fc.constantFrom(0, 1)),
    property('retainAvailable', 'retainAvailable', fc.boolean()),
    property('maximumPacketSize', 'maximumPacketSize', uint32),
    property('assignedClientId', 'assignedClientIdentifier', name),
    property('topicAliasMaximum', 'topicAliasMaximum', uint16),
    property('reasonString', 'reasonString', name),
    property('wildcardAvailable', 'wildcardSubscriptionAvailable', fc.boolean()),
    property('subscriptionIdsAvailable', 'subscriptionIdentifiersAvailable', fc.boolean()),
    property('sharedAvailable', 'sharedSubscriptionAvailable', fc.boolean()),
    property('serverKeepAlive', 'serverKeepAlive', uint16),
    property('responseInformation', 'responseInformation', name),
    property('serverReference', 'serverReference', name),
    property('userProperties', 'userProperties', userProperties),
  ],
  publish: [...OF_MESSAGE, property('topicAlias', 'topicAlias', uint16)],
  will: [...OF_MESSAGE, property('willDelay', 'willDelayInterval', uint32)],
  ack: [property('reasonString', 'reasonString', name), property('userProperties', 'userProperties', userProperties)],
  subscribe: [property('userProperties', 'userProperties', userProperties)],
  unsubscribe: [property('userProperties', 'userProperties', userProperties)],
  auth: [property('reasonString', 'reasonString', name), property('userProperties', 'userProperties', userProperties)],
  disconnect: [
    property('sessionExpiry', 'sessionExpiryInterval', uint32),
    property('reasonString', 'reasonString', name),
    property('serverReference', 'serverReference', name),
    property('userProperties', 'userProperties', userProperties),
  ],
} satisfies Record<string, Property[]>

/** Some of the properties a packet may have, in both spellings. */
function propertiesOf(packet: keyof typeof PROPERTIES): fc.Arbitrary<{ ours: Properties; theirs: Fields }> {
  const list = PROPERTIES[packet]
  const values = Object.fromEntries(list.map(({ ours, value }) => [ours, value]))
  return fc.record(values, { requiredKeys: [] }).map((ours) => {
    const theirs: Fields = {}
    for (const { ours: mine, theirs: name } of list) {
      const value = (ours as Fields)[mine]
      if (value === undefined) continue
      theirs[name] = mine === 'userProperties' ? grouped(value as [string, string][]) : value
    }
    return { ours: ours as Properties, theirs }
  })
}

/** User properties as mqtt-packet has them: repeated names as arrays. */
function grouped(pairs: [string, string][]): Fields {
  const found: Record<string, string | string[]> = Object.create(null)
  for (const [key, value] of pairs) {
    const known = found[key]
    found[key] = known === undefined ? value : [known, value].flat()
  }
  return found
}

/** Properties as we have them, comparable: order of user properties is kept per name only. */
function comparable(properties: Properties): Fields {
  const { userProperties: pairs, payloadFormat, ...rest } = properties
  const all: Fields = { ...rest }
  if (payloadFormat !== undefined) all['payloadFormat'] = Boolean(payloadFormat)
  if (pairs) all['userProperties'] = { ...grouped(pairs) }
  return all
}

// --- the way in -----------------------------------------------------------------------------------------------------------------------

function frameOf(packet: Packet | Fields, protocolVersion: Version): { header: number; body: Buffer } {
  const frames = new FrameReader(NO_LIMIT)
  frames.push(mqttPacket.generate(packet as Packet, { protocolVersion }))
  if (!frames.next()) throw new Error('no frame')
  const { header, body } = frames
  if (frames.next() || frames.buffered > 0) throw new Error('more than a frame')
  return { header, body }
}

// biome-ignore lint/suspicious/noExplicitAny: compared field by field
function decode(packet: Fields, protocolVersion: Version): any {
  const { header, body } = frameOf(packet, protocolVersion)
  return decodePacket(header, body, protocolVersion)
}

t.test('what mqtt-packet encodes, we decode', async (t) => {
  await t.test('CONNECT', async () => {
    const will = fc.record({ topic, payload: bytes, qos, retain: fc.boolean() })
    const given = fc.record({
      version,
      clientId: name,
      clean: fc.boolean(),
      keepalive: fc.integer({ min: 0, max: 65535 }),
      username: fc.option(name, { nil: undefined }),
      password: fc.option(bytes, { nil: undefined }),
      will: fc.option(will, { nil: undefined }),
      properties: propertiesOf('connect'),
      willProperties: propertiesOf('will'),
    })
    fc.assert(
      fc.property(given, (made) => {
        const five = made.version === 5
        const password = made.username ? made.password : undefined
        // mqtt-packet takes authentication data only together with a method.
        if (made.properties.ours.authMethod === undefined) {
          delete made.properties.ours.authData
          delete made.properties.theirs['authenticationData']
        }
        const { header, body } = frameOf(
          {
            cmd: 'connect',
            protocolId: made.version === 3 ? 'MQIsdp' : 'MQTT',
            protocolVersion: made.version,
            clientId: made.clientId,
            clean: made.clean,
            keepalive: made.keepalive,
            ...(made.username ? { username: made.username } : {}),
            ...(password ? { password } : {}),
            ...(made.will
              ? { will: { ...made.will, ...(five ? { properties: made.willProperties.theirs } : {}) } }
              : {}),
            ...(five ? { properties: made.properties.theirs } : {}),
          },
          made.version,
        )
        const decoded = decodeConnect(header, body)
        assert.deepStrictEqual(
          {
            ...decoded,
            properties: comparable(decoded.properties),
            will: decoded.will && { ...decoded.will, properties: comparable(decoded.will.properties) },
          },
          {
            type: 'connect',
            version: made.version,
            clientId: made.clientId,
            clean: made.clean,
            keepalive: made.keepalive,
            username: made.username,
            password,
            will: made.will ? { ...made.will, properties: five ? comparable(made.willProperties.ours) : {} } : null,
            properties: five ? comparable(made.properties.ours) : {},
          },
        )
      }),
      RUNS,
    )
  })

  await t.test('PUBLISH', async () => {
    const given = fc.record({
      version,
      topic,
      payload: bytes,
      qos,
      retain: fc.boolean(),
      dup: fc.boolean(),
      packetId,
      properties: propertiesOf('publish'),
      ids: fc.array(fc.integer({ min: 1, max: 268_435_455 }), { maxLength: 3 }),
    })
    fc.assert(
      fc.property(given, ({ version, properties, ids, packetId, ...made }) => {
        const dup = made.dup && made.qos > 0
        const theirs = ids.length > 0 ? { ...properties.theirs, subscriptionIdentifier: ids } : properties.theirs
        const packet = {
          ...made,
          dup,
          cmd: 'publish',
          messageId: packetId,
          ...(version === 5 ? { properties: theirs } : {}),
        }
        const decoded = decode(packet, version)
        const expected = comparable(ids.length > 0 ? { ...properties.ours, subscriptionIds: ids } : properties.ours)
        assert.deepStrictEqual(
          { ...decoded, properties: comparable(decoded.properties) },
          {
            ...made,
            type: 'publish',
            dup,
            packetId: made.qos > 0 ? packetId : 0,
            properties: version === 5 ? expected : {},
            bytes: frameOf(packet, version).body.length,
          },
        )
      }),
      RUNS,
    )
  })

  await t.test('acknowledgements', async () => {
    const type = fc.constantFrom('puback', 'pubrec', 'pubrel', 'pubcomp')
    const good = fc.boolean()
    fc.assert(
      fc.property(fc.record({ version, type, packetId, good, properties: propertiesOf('ack') }), (made) => {
        const { version, type, packetId, good, properties } = made
        // Each has codes of its own [MQTT5-3.4.2-1, MQTT5-3.6.2-1].
        const refused = type === 'pubrel' || type === 'pubcomp' ? 0x92 : 0x87
        const more = version === 5 ? { reasonCode: good ? 0 : refused, properties: properties.theirs } : {}
        const decoded = decode({ cmd: type, messageId: packetId, ...more }, version)
        assert.deepStrictEqual(
          { ...decoded, properties: comparable(decoded.properties) },
          {
            type,
            packetId,
            reason: (more as { reasonCode?: number }).reasonCode ?? 0,
            properties: version === 5 ? comparable(properties.ours) : {},
          },
        )
      }),
      RUNS,
    )
  })

  await t.test('SUBSCRIBE and UNSUBSCRIBE', async () => {
    const requested = fc.record({
      topic: filter,
      qos,
      nl: fc.boolean(),
      rap: fc.boolean(),
      rh: fc.constantFrom(0, 1, 2),
    })
    const given = fc.record({
      version,
      packetId,
      subscriptions: fc.array(requested, { minLength: 1, maxLength: 5 }),
      properties: propertiesOf('subscribe'),
      id: fc.option(fc.integer({ min: 1, max: 268_435_455 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(given, ({ version, packetId, subscriptions, properties, id }) => {
        const five = version === 5
        const theirs = id === undefined ? properties.theirs : { ...properties.theirs, subscriptionIdentifier: id }
        const packet = { cmd: 'subscribe', messageId: packetId, subscriptions, ...(five ? { properties: theirs } : {}) }
        const decoded = decode(packet, version)
        assert.deepStrictEqual(
          { ...decoded, properties: comparable(decoded.properties) },
          {
            type: 'subscribe',
            packetId,
            subscriptions: subscriptions.map(({ topic, qos, nl, rap, rh }) => ({
              filter: topic,
              qos,
              noLocal: five && nl,
              retainAsPublished: five && rap,
              retainHandling: five ? rh : 0,
            })),
            properties: five
              ? comparable(id === undefined ? properties.ours : { ...properties.ours, subscriptionIds: [id] })
              : {},
          },
        )
        const filters = subscriptions.map(({ topic }) => topic)
        const gone = decode(
          {
            cmd: 'unsubscribe',
            messageId: packetId,
            unsubscriptions: filters,
            ...(five ? { properties: properties.theirs } : {}),
          },
          version,
        )
        assert.deepStrictEqual(
          { ...gone, properties: comparable(gone.properties) },
          { type: 'unsubscribe', packetId, filters, properties: five ? comparable(properties.ours) : {} },
        )
      }),
      RUNS,
    )
  })

  await t.test('DISCONNECT and PINGREQ', async (t) => {
    fc.assert(
      fc.property(version, fc.constantFrom(0, 4, 0x81), propertiesOf('disconnect'), (version, reason, properties) => {
        const five = version === 5
        const decoded = decode(
          { cmd: 'disconnect', ...(five ? { reasonCode: reason, properties: properties.theirs } : {}) },
          version,
        )
        assert.deepStrictEqual(
          { ...decoded, properties: comparable(decoded.properties) },
          { type: 'disconnect', reason: five ? reason : 0, properties: five ? comparable(properties.ours) : {} },
        )
      }),
      RUNS,
    )
    for (const version of [3, 4, 5] as const) t.same(decode({ cmd: 'pingreq' }, version), { type: 'pingreq' })
  })

  await t.test('AUTH', async (t) => {
    const reason = fc.constantFrom(0x18, 0x19)
    fc.assert(
      fc.property(reason, name, fc.option(bytes), propertiesOf('auth'), (reasonCode, method, given, { theirs }) => {
        const data = given ? { authenticationData: given } : {}
        const properties = { ...theirs, authenticationMethod: method, ...data }
        assert.deepStrictEqual(decode({ cmd: 'auth', reasonCode, properties }, 5), {
          type: 'auth',
          reason: reasonCode,
          method,
          data: given ?? undefined,
        })
      }),
      RUNS,
    )
    for (const version of [3, 4] as const)
      t.throws(() => decodePacket(0xf0, Buffer.alloc(0), version), { message: /not one that clients send/ })
  })
})

// --- the way out ----------------------------------------------------------------------------------------------------------------------

// biome-ignore lint/suspicious/noExplicitAny: compared field by field
function parse(encoded: Buffer, protocolVersion: Version): any[] {
  const parser = mqttPacket.parser({ protocolVersion })
  const packets: Packet[] = []
  parser.on('packet', (packet) => packets.push(packet))
  parser.on('error', (error) => {
    throw error
  })
  if (parser.parse(encoded) > 0) throw new Error('bytes are left over')
  return packets
}

const plain = (properties: object | undefined): Fields => JSON.parse(JSON.stringify(properties ?? {}))

/** `packet` has these fields; within a property, so it throws. */
function includes(packet: Fields, expected: Fields): void {
  for (const [field, value] of Object.entries(expected)) assert.deepStrictEqual(packet[field], value, field)
}

t.test('what we encode, mqtt-packet decodes', async (t) => {
  await t.test('CONNACK', async () => {
    fc.assert(
      fc.property(version, fc.boolean(), propertiesOf('connack'), (version, present, { ours, theirs }) => {
        const [packet, ...rest] = parse(encodeConnack(version, present, 0, ours), version)
        assert.deepStrictEqual(rest, [])
        includes(packet, { cmd: 'connack', sessionPresent: present && version !== 3 })
        assert.strictEqual(version === 5 ? packet.reasonCode : packet.returnCode, 0)
        if (version === 5) assert.deepStrictEqual(plain(packet.properties), plain(theirs))
      }),
      RUNS,
    )
  })

  await t.test('acknowledgements', async () => {
    const type = fc.constantFrom<'puback' | 'pubrec' | 'pubrel' | 'pubcomp'>('puback', 'pubrec', 'pubrel', 'pubcomp')
    fc.assert(
      fc.property(version, type, packetId, propertiesOf('ack'), (version, type, packetId, { ours, theirs }) => {
        const reason = type === 'pubrel' || type === 'pubcomp' ? 0x92 : 0x87
        const bare = parse(encodeAck(version, type, packetId), version)
        includes(bare[0], { cmd: type, messageId: packetId })
        const [packet, ...rest] = parse(encodeAck(version, type, packetId, reason, ours), version)
        assert.deepStrictEqual(rest, [])
        includes(packet, { cmd: type, messageId: packetId })
        if (version !== 5) return
        assert.strictEqual(packet.reasonCode, reason)
        assert.deepStrictEqual(plain(packet.properties), plain(theirs))
      }),
      RUNS,
    )
  })

  await t.test('SUBACK, UNSUBACK, DISCONNECT, PINGRESP', async (t) => {
    const granted = fc.array(fc.constantFrom(0, 1, 2, 0x80), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(version, packetId, granted, propertiesOf('ack'), (version, packetId, codes, { ours, theirs }) => {
        const [suback] = parse(encodeSuback(version, packetId, codes, ours), version)
        includes(suback, { cmd: 'suback', messageId: packetId })
        assert.deepStrictEqual(suback.granted, codes)
        const unsubscribed = codes.map((code) => (code === 1 ? 0x11 : 0))
        const [unsuback] = parse(encodeUnsuback(version, packetId, unsubscribed, ours), version)
        includes(unsuback, { cmd: 'unsuback', messageId: packetId })
        if (version !== 5) return
        assert.deepStrictEqual(unsuback.granted, unsubscribed)
        for (const packet of [suback, unsuback]) assert.deepStrictEqual(plain(packet.properties), plain(theirs))
        const [disconnect] = parse(encodeDisconnect(0x8e, ours), 5)
        includes(disconnect, { cmd: 'disconnect', reasonCode: 0x8e })
        assert.deepStrictEqual(plain(disconnect.properties), plain(theirs))
      }),
      RUNS,
    )
    t.match(parse(PINGRESP, 4), [{ cmd: 'pingresp' }])
  })

  await t.test('AUTH', async () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 0x18), name, bytes, propertiesOf('auth'), (reason, method, data, given) => {
        const [packet, ...rest] = parse(encodeAuth(reason, { ...given.ours, authMethod: method, authData: data }), 5)
        assert.deepStrictEqual(rest, [])
        includes(packet, { cmd: 'auth', reasonCode: reason })
        const theirs = { ...given.theirs, authenticationMethod: method, authenticationData: data }
        assert.deepStrictEqual(plain(packet.properties), plain(theirs))
      }),
      RUNS,
    )
  })

  await t.test('PUBLISH: many at once, each at the lower QoS, packet ids patched in', async (t) => {
    const messages = fc.array(fc.record({ payload: bytes, qos }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(
        version,
        topic,
        messages,
        qos,
        fc.boolean(),
        propertiesOf('publish'),
        (version, topic, list, cap, retain, properties) => {
          const encoded = encodePublishes(version, topic, list, cap, {
            retain,
            properties: () => encodeProperties(properties.ours),
          })
          const levels = list.map((message) => Math.min(message.qos, cap))
          assert.strictEqual(encoded.qos, Math.max(...levels))
          assert.deepStrictEqual(
            encoded.numbered,
            list.filter((_, i) => levels[i]! > 0),
          )
          encoded.idAt.forEach((at, i) => {
            encoded.bytes.writeUInt16BE(i + 300, at)
          })
          let id = 300
          const packets = parse(encoded.bytes, version)
          assert.strictEqual(packets.length, list.length)
          for (const [i, packet] of packets.entries()) {
            const level = levels[i]!
            includes(packet, { cmd: 'publish', topic, qos: level, retain, dup: false })
            assert.ok(packet.payload.equals(list[i]!.payload))
            if (level > 0) assert.strictEqual(packet.messageId, id++)
            if (version === 5) assert.deepStrictEqual(plain(packet.properties), plain(properties.theirs))
          }
        },
      ),
      RUNS,
    )
    const { bytes: once } = encodePublishes(4, 't', [{ payload: Buffer.from('x'), qos: 1 }], 1)
    once.writeUInt16BE(7, 5)
    markDuplicate(once)
    t.match(parse(once, 4), [{ dup: true, messageId: 7 }])
  })

  await t.test('PUBLISH of every length the remaining length can need', async (t) => {
    for (const length of [0, 120, 121, 122, 123, 124, 127, 128, 16375, 16376, 16384, 2_097_140, 2_097_152]) {
      for (const version of [4, 5] as const) {
        const payload = Buffer.alloc(length, 1)
        const [packet] = parse(encodePublishes(version, 't/a', [{ payload, qos: 0 }], 0).bytes, version)
        t.ok(packet.payload.equals(payload), `${length} bytes`)
        const { header, body } = frameOf(
          { cmd: 'publish', topic: 't/a', payload, qos: 0, retain: false, dup: false },
          version,
        )
        const decoded = decodePacket(header, body, version) as { payload: Buffer }
        t.ok(decoded.payload.equals(payload))
      }
    }
  })
})

// --- frames ---------------------------------------------------------------------------------------------------------------------------

t.test('FrameReader', async (t) => {
  const read = (frames: FrameReader): { header: number; body: string }[] => {
    const found: { header: number; body: string }[] = []
    while (frames.next()) found.push({ header: frames.header, body: frames.body.toString('hex') })
    return found
  }

  await t.test('frames cut anywhere are the same frames', async () => {
    const frame = fc.tuple(
      byte,
      fc.oneof(bytes, fc.constantFrom(Buffer.alloc(127), Buffer.alloc(128), Buffer.alloc(20_000, 7))),
    )
    const cuts = fc.array(fc.nat({ max: 100_000 }), { maxLength: 40 })
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 8 }), cuts, (list, positions) => {
        const stream = Buffer.concat(
          list.map(([header, body]) => Buffer.concat([Buffer.from([header]), lengthOf(body.length), body])),
        )
        const at = [...new Set(positions.map((position) => position % stream.length))].sort((a, b) => a - b)
        const frames = new FrameReader(NO_LIMIT)
        const found: { header: number; body: string }[] = []
        for (const [i, from] of [0, ...at].entries()) {
          frames.push(stream.subarray(from, at[i] ?? stream.length))
          found.push(...read(frames))
        }
        assert.deepStrictEqual(
          found,
          list.map(([header, body]) => ({ header, body: body.toString('hex') })),
        )
        assert.strictEqual(frames.buffered, 0)
      }),
      RUNS,
    )
  })

  await t.test('byte by byte', async (t) => {
    const stream = Buffer.concat([
      Buffer.from('c000', 'hex'),
      mqttPacket.generate({ cmd: 'publish', topic: 't', payload: 'x'.repeat(300), qos: 0, dup: false, retain: false }),
    ])
    const frames = new FrameReader(1000)
    const found = [...stream].flatMap((one) => {
      frames.push(Buffer.from([one]))
      return read(frames)
    })
    t.same(
      found.map(({ header }) => header),
      [0xc0, 0x30],
    )
  })

  await t.test('refused from the header alone', async (t) => {
    const refused = (hex: string, maxBytes = 100): void => {
      const frames = new FrameReader(maxBytes)
      frames.push(Buffer.from(hex, 'hex'))
      t.throws(() => frames.next(), ProtocolError, hex)
    }
    refused('3063')
    refused('30ffff7f')
    refused('30ffffffff')
    refused('30ffffffff01')
    refused('3080808080')
    const frames = new FrameReader(100)
    frames.push(Buffer.from(`3062${'00'.repeat(98)}`, 'hex'))
    t.ok(frames.next(), 'exactly the limit')
    frames.push(Buffer.from('308080', 'hex'))
    t.notOk(frames.next(), 'a length that goes on')
  })

  await t.test('a PUBLISH that is too long is its topic and packet id, and what comes behind it is whole', async () => {
    const publish = fc.record({
      qos,
      topic: fc.constantFrom('t', 'some/longer/topic', 'x'.repeat(300)),
      length: fc.oneof(fc.nat({ max: 2000 }), fc.constant(100_000)),
    })
    const pieces = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 5000 })), {
      minLength: 1,
      maxLength: 30,
    })
    fc.assert(
      fc.property(fc.array(publish, { minLength: 1, maxLength: 6 }), pieces, fc.boolean(), (list, sizes, late) => {
        const packets = list.map(({ qos, topic, length }, i) => ({
          qos,
          topic,
          payload: Buffer.alloc(length, 7),
          id: i + 1,
        }))
        const ping = Buffer.from('c000', 'hex')
        const stream = Buffer.concat(packets.flatMap((packet) => [publishOf(packet), ping]))
        const frames = new FrameReader(1000)
        frames.skipsPayloads = true
        const found: unknown[] = []
        const take = (): void => {
          while (frames.next()) {
            if (frames.header === 0xc0) continue
            const packet = decodePacket(frames.header, frames.body, 4)
            assert.ok(packet.type === 'publish')
            found.push([packet.topic, packet.qos, packet.packetId, packet.payload.length, frames.skipped])
          }
        }
        for (let at = 0, i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length]!
          frames.push(stream.subarray(at, at + size))
          at += size
          // A connection that has much to do takes what is there later.
          if (!late || i % 3 === 0) take()
        }
        take()
        const expected = packets.map((packet) => {
          const { qos, topic, payload, id } = packet
          const kept = publishOf(packet).length <= 1000
          return [topic, qos, qos > 0 ? id : 0, kept ? payload.length : 0, kept ? 0 : payload.length]
        })
        assert.deepStrictEqual(found, expected)
        assert.strictEqual(frames.buffered, 0)
      }),
      RUNS,
    )
  })

  await t.test('not where the topic does not fit, nor any other packet', async (t) => {
    const refused = (stream: Buffer): void => {
      const frames = new FrameReader(1000)
      frames.skipsPayloads = true
      t.throws(() => {
        for (const one of stream) {
          frames.push(Buffer.from([one]))
          frames.next()
        }
      }, new ProtocolError(0x95, ''))
    }
    refused(publishOf({ qos: 1, topic: 'x'.repeat(994), payload: Buffer.alloc(10), id: 1 }))
    refused(Buffer.concat([Buffer.from('30d00fffff', 'hex'), Buffer.alloc(2000)]))
    refused(Buffer.from('82ffff03', 'hex'))
  })

  await t.test('under way from its first byte, and little is kept of it', async (t) => {
    const frames = new FrameReader(1000)
    frames.skipsPayloads = true
    const stream = publishOf({ qos: 2, topic: 'a/topic', payload: Buffer.alloc(60_000), id: 1 })
    for (const one of stream.subarray(0, -1)) {
      frames.push(Buffer.from([one]))
      if (frames.next() || frames.buffered === 0 || frames.buffered > 20) throw new Error(`${frames.buffered} buffered`)
    }
    frames.push(stream.subarray(-1))
    t.ok(frames.next())
    t.equal(frames.body.length, 2 + 7 + 2)
    t.equal(frames.skipped, 60_000)
  })
})

function publishOf({ qos, topic, payload, id }: { qos: QoS; topic: string; payload: Buffer; id: number }): Buffer {
  return mqttPacket.generate({ cmd: 'publish', topic, payload, qos, messageId: id, dup: false, retain: false })
}

/** A remaining length [MQTT-2.2.3]. */
function lengthOf(length: number): Buffer {
  const list: number[] = []
  do {
    list.push((length & 0x7f) | (length > 0x7f ? 0x80 : 0))
    length >>>= 7
  } while (length > 0)
  return Buffer.from(list)
}

// --- bytes that are not packets -------------------------------------------------------------------------------------------------------

t.test('any bytes decode or are refused as a protocol error, nothing else', async () => {
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.nat({ max: 3 }), fc.uint8Array({ maxLength: 40 }))
      .map(([length, rest]) => Uint8Array.from([0, length, ...rest])),
  )
  fc.assert(
    fc.property(byte, body, version, fc.boolean(), (header, made, version, first) => {
      try {
        if (first) decodeConnect(header, Buffer.from(made))
        else decodePacket(header, Buffer.from(made), version)
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error
      }
    }),
    { numRuns: 5000 },
  )
})

t.test('a packet that is cut or has bytes too many is refused', async (t) => {
  const whole: Fields[] = [
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/b', qos: 1 }] },
    { cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['a/b'] },
    { cmd: 'puback', messageId: 1 },
    { cmd: 'pubrel', messageId: 1 },
  ]
  for (const packet of whole) {
    const { header, body } = frameOf(packet, 4)
    for (let end = 0; end < body.length; end++)
      t.throws(() => decodePacket(header, body.subarray(0, end), 4), ProtocolError, `${packet['cmd']} of ${end} bytes`)
    t.throws(() => decodePacket(header, Buffer.concat([body, Buffer.from([0])]), 4), ProtocolError)
  }
  const connect = frameOf(
    {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: 'c',
      clean: true,
      keepalive: 1,
      username: 'u',
      password: Buffer.from('p'),
      will: { topic: 't', payload: Buffer.from('x'), qos: 1, retain: true },
    },
    4,
  )
  for (let end = 0; end < connect.body.length; end++)
    t.throws(() => decodeConnect(connect.header, connect.body.subarray(0, end)), ProtocolError)
})
