/**
 * The decoder against bytes nobody meant: sessions of the fuzz grammar, damaged, and plain noise. It says no with a ProtocolError or yes
 * with a packet that mqtt-packet can say too; it reads each byte about once, and none that is not there.
 */
import assert from 'node:assert'
import mqttPacket, { type Packet as TheirPacket } from 'mqtt-packet'
import t from 'tap'
import { decodeConnect, decodePacket } from '../../broker/mqtt/codec/decode.js'
import { FrameReader } from '../../broker/mqtt/codec/frames.js'
import type { AuthPacket, ConnectPacket, Packet, Version } from '../../broker/mqtt/codec/packets.js'
import type { Properties } from '../../broker/mqtt/codec/properties.js'
import { PacketReader } from '../../broker/mqtt/codec/reader.js'
import { ProtocolError } from '../../broker/mqtt/codec/reason-codes.js'
import fc from '../helpers/fast-check.js'
import { cut } from '../helpers/fuzz-frames.js'
import { Grammar } from '../helpers/fuzz-grammar.js'
import { DAMAGES, damage } from '../helpers/fuzz-mutations.js'
import { Random } from '../helpers/random.js'

const RUNS = { numRuns: 400 }
/** Frames of one piece that are looked at: the grammar can put thousands into one. */
const FRAMES = 50
const LARGEST = 200_000
const seed = fc.integer({ min: 0, max: 0xffffffff })

/** The packets of a session, damaged or not, and its version. */
function sessionOf(random: Random, damaged: boolean): { version: Version; packets: Buffer[] } {
  const grammar = new Grammar(random, { user: 'uma', token: 'secret', clientId: 'c1' })
  const packets = grammar.session()
  if (damaged) damage(random, packets)
  return { version: grammar.version, packets }
}

interface Frame {
  header: number
  body: Buffer
}

/** What is found before the stream ends or is refused; and why it was. */
function framesOf(chunks: readonly Buffer[]): { frames: Frame[]; refused: boolean; steps: number } {
  const reader = new FrameReader(LARGEST)
  const frames: Frame[] = []
  let steps = 0
  try {
    for (const chunk of chunks) {
      reader.push(chunk)
      for (steps++; reader.next(); steps++) frames.push({ header: reader.header, body: reader.body })
    }
    return { frames, refused: false, steps }
  } catch (error) {
    return { frames, refused: isRefusal(error), steps }
  }
}

/** True for what may be thrown; throws everything else. */
function isRefusal(error: unknown): true {
  if (!(error instanceof ProtocolError)) throw error
  return true
}

/** The packet; null when it is refused. */
function decode({ header, body }: Frame, version: Version | null): Packet | null {
  try {
    return version === null ? decodeConnect(header, body) : decodePacket(header, body, version)
  } catch (error) {
    isRefusal(error)
    return null
  }
}

t.test('frames: damaged streams, cut anywhere, give what they give in one piece, in a step a frame', async (t) => {
  let refusals = 0
  fc.assert(
    fc.property(seed, (seed) => {
      const random = new Random(seed)
      const { packets } = sessionOf(random, true)
      const stream = Buffer.concat(packets)
      const whole = framesOf([stream])
      const chunks = cut(random, stream, random.between(1, 50))
      const pieces = framesOf(chunks)
      assert.deepStrictEqual([pieces.frames, pieces.refused], [whole.frames, whole.refused])
      assert.ok(pieces.steps <= chunks.length + pieces.frames.length)
      if (whole.refused) refusals++
    }),
    RUNS,
  )
  t.ok(refusals > 10, `${refusals} streams were refused`)
})

t.test('what comes byte by byte is kept as one, not as its pieces, in memory that grows with it', async (t) => {
  const body = Buffer.alloc(150_000, 7)
  const stream = Buffer.concat([Buffer.from('30f09309', 'hex'), body])
  const reader = new FrameReader(LARGEST)
  const allocated = countAllocations(t.teardown.bind(t))
  let found = 0
  for (const [i, byte] of stream.entries()) {
    const piece = Buffer.from([byte])
    reader.push(piece)
    if (reader.next()) found++
    // The piece is ours again, as long as the packet is not whole.
    if (i < stream.length - 1) piece[0] = 0xff
    if (i === 100) t.ok(allocated() < 2000, 'a claimed length costs nothing')
  }
  t.equal(found, 1)
  t.ok(reader.body.equals(body))
  t.ok(allocated() <= 4 * stream.length, `${allocated()} bytes allocated for ${stream.length}`)
})

/** Bytes that `Buffer.allocUnsafe` and `Buffer.concat` were asked for since. */
function countAllocations(teardown: (undo: () => void) => void): () => number {
  const { allocUnsafe, concat } = Buffer
  let bytes = 0
  Buffer.allocUnsafe = ((size: number) => {
    bytes += size
    return allocUnsafe(size)
  }) as typeof Buffer.allocUnsafe
  Buffer.concat = ((list: readonly Uint8Array[]) => {
    const joined = concat(list)
    bytes += joined.length
    return joined
  }) as typeof Buffer.concat
  teardown(() => Object.assign(Buffer, { allocUnsafe, concat }))
  return () => bytes
}

t.test('packets: nothing but a ProtocolError is thrown, nothing beyond the packet matters', async (t) => {
  const outcomes = { packets: 0, refusals: 0 }
  const check = (frame: Frame, version: Version | null): void => {
    const packet = decode(inside(frame, 0x00), version)
    assert.deepStrictEqual(decode(inside(frame, 0xff), version), packet)
    outcomes[packet ? 'packets' : 'refusals']++
  }
  fc.assert(
    fc.property(seed, (seed) => {
      const { version, packets } = sessionOf(new Random(seed), true)
      for (const [i, bytes] of packets.entries())
        for (const frame of framesOf([bytes]).frames.slice(0, FRAMES)) check(frame, i === 0 ? null : version)
    }),
    RUNS,
  )
  t.ok(Math.min(outcomes.packets, outcomes.refusals) > 100, JSON.stringify(outcomes))
})

/** The same frame, its body in the middle of a buffer of `around`. */
function inside({ header, body }: Frame, around: number): Frame {
  const bytes = Buffer.alloc(body.length + 64, around)
  body.copy(bytes, 32)
  return { header, body: bytes.subarray(32, 32 + body.length) }
}

t.test('packets: each byte is read about once, whatever is in them', async (t) => {
  const count = countReads(t.teardown.bind(t))
  let most = 0
  fc.assert(
    fc.property(seed, (seed) => {
      const { version, packets } = sessionOf(new Random(seed), true)
      for (const [i, bytes] of packets.entries()) {
        for (const frame of framesOf([bytes]).frames.slice(0, FRAMES)) {
          const { reads, bytes: read } = count(() => decode(frame, i === 0 ? null : version))
          // The version of a CONNECT is read twice, and what is found missing is a read too.
          assert.ok(read <= frame.body.length + 16, `${read} bytes read of ${frame.body.length}`)
          assert.ok(reads <= 2 * frame.body.length + 16, `${reads} reads in ${frame.body.length} bytes`)
          most = Math.max(most, reads)
        }
      }
    }),
    RUNS,
  )
  t.ok(most > 1000, `up to ${most} reads in a packet`)
})

/** Counts what a PacketReader is asked for, and what it gives out. */
function countReads(teardown: (undo: () => void) => void): (work: () => void) => { reads: number; bytes: number } {
  const counted = { reads: 0, bytes: 0 }
  const reader = PacketReader.prototype as unknown as Record<string, (...args: unknown[]) => unknown>
  const sizes = { byte: () => 1, uint16: () => 2, uint32: () => 4, take: (length: unknown) => length as number }
  for (const [name, size] of Object.entries(sizes)) {
    const original = reader[name]!
    reader[name] = function (this: PacketReader, ...args: unknown[]) {
      counted.reads++
      const result = original.apply(this, args)
      counted.bytes += size(args[0])
      return result
    }
    teardown(() => (reader[name] = original))
  }
  return (work) => {
    Object.assign(counted, { reads: 0, bytes: 0 })
    work()
    return { ...counted }
  }
}

t.test('packets: what decodes, mqtt-packet says in bytes that decode to the same', async (t) => {
  const said = new Map<string, number>()
  fc.assert(
    fc.property(seed, fc.boolean(), (seed, damaged) => {
      const { version, packets } = sessionOf(new Random(seed), damaged)
      for (const [i, bytes] of packets.entries()) {
        for (const frame of framesOf([bytes]).frames.slice(0, FRAMES)) {
          const packet = decode(frame, i === 0 ? null : version)
          const theirs = packet && inTheirWords(packet, version)
          if (!theirs) continue
          const [again] = framesOf([mqttPacket.generate(theirs, { protocolVersion: version })]).frames
          const repeated = decode(again!, i === 0 ? null : version)
          assert.deepStrictEqual(comparable(repeated!), comparable(packet))
          said.set(packet.type, (said.get(packet.type) ?? 0) + 1)
        }
      }
    }),
    RUNS,
  )
  const types = [
    'connect',
    'publish',
    'puback',
    'pubrec',
    'pubrel',
    'pubcomp',
    'subscribe',
    'unsubscribe',
    'disconnect',
  ]
  for (const type of types) t.ok((said.get(type) ?? 0) > 20, `${type} ${said.get(type)} times`)
})

t.test('every damage of the fuzz does something', async (t) => {
  for (const [name, spoil] of Object.entries(DAMAGES)) {
    const changed = Array.from({ length: 200 }, (_, seed) => {
      const random = new Random(seed)
      const { packets } = sessionOf(random, false)
      const before = Buffer.concat(packets)
      spoil(random, packets, packets.length - 1)
      return !Buffer.concat(packets).equals(before)
    })
    t.ok(changed.filter(Boolean).length > 20, name)
  }
})

/** Names of properties as mqtt-packet has them, where they are not ours. */
const THEIR_NAMES: Partial<Record<keyof Properties, string>> = {
  payloadFormat: 'payloadFormatIndicator',
  messageExpiry: 'messageExpiryInterval',
  sessionExpiry: 'sessionExpiryInterval',
  willDelay: 'willDelayInterval',
  subscriptionIds: 'subscriptionIdentifier',
  authMethod: 'authenticationMethod',
  authData: 'authenticationData',
}

function theirProperties(properties: Properties): Record<string, unknown> {
  const theirs: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(properties)) {
    const theirName = THEIR_NAMES[name as keyof Properties] ?? name
    if (name === 'userProperties') theirs[theirName] = grouped(value)
    else if (name === 'payloadFormat') theirs[theirName] = value === 1
    else if (name === 'subscriptionIds') theirs[theirName] = value[0]
    else theirs[theirName] = value
  }
  return theirs
}

/** User properties by name: mqtt-packet keeps no order between names. */
function grouped(pairs: [string, string][]): Record<string, string[]> {
  const found: Record<string, string[]> = Object.create(null)
  for (const [name, value] of pairs) (found[name] ??= []).push(value)
  return found
}

/** Null: mqtt-packet cannot say it. */
function inTheirWords(packet: Packet, version: Version): TheirPacket | null {
  const properties = version === 5 && 'properties' in packet ? { properties: theirProperties(packet.properties) } : {}
  switch (packet.type) {
    case 'connect':
      return theirConnect(packet, properties)
    case 'publish': {
      const { topic, payload, qos, retain, dup, packetId } = packet
      // It sends no empty topic without an alias, and takes an alias of 0 for none.
      if (topic === '' || packet.properties.topicAlias === 0) return null
      return { cmd: 'publish', topic, payload, qos, retain, dup, messageId: packetId, ...properties } as TheirPacket
    }
    case 'subscribe': {
      const subscriptions = packet.subscriptions.map(({ filter, qos, noLocal, retainAsPublished, retainHandling }) => {
        return { topic: filter, qos, nl: noLocal, rap: retainAsPublished, rh: retainHandling }
      })
      return { cmd: 'subscribe', messageId: packet.packetId, subscriptions, ...properties } as TheirPacket
    }
    case 'unsubscribe':
      return {
        cmd: 'unsubscribe',
        messageId: packet.packetId,
        unsubscriptions: packet.filters,
        ...properties,
      } as TheirPacket
    case 'disconnect':
      return {
        cmd: 'disconnect',
        ...(version === 5 ? { reasonCode: packet.reason } : {}),
        ...properties,
      } as TheirPacket
    case 'pingreq':
      return { cmd: 'pingreq' }
    case 'auth':
      return theirAuth(packet)
    default: {
      const reason = version === 5 ? { reasonCode: packet.reason } : {}
      return { cmd: packet.type, messageId: packet.packetId, ...reason, ...properties } as TheirPacket
    }
  }
}

function theirAuth({ reason, method, data }: AuthPacket): TheirPacket {
  const properties = { authenticationMethod: method, ...(data ? { authenticationData: data } : {}) }
  return { cmd: 'auth', reasonCode: reason, properties } as TheirPacket
}

function theirConnect(packet: ConnectPacket, properties: object): TheirPacket | null {
  const { version, clientId, clean, keepalive, username, password, will } = packet
  // It wants a client id for a kept session, and a will that says something.
  if (clientId === '' || will?.topic === '') return null
  const last = will && {
    will: {
      topic: will.topic,
      payload: will.payload,
      qos: will.qos,
      retain: will.retain,
      ...(version === 5 ? { properties: theirProperties(will.properties) } : {}),
    },
  }
  const protocolId = version === 3 ? 'MQIsdp' : 'MQTT'
  const base = { cmd: 'connect', protocolId, protocolVersion: version, clientId, clean, keepalive, username, password }
  return { ...base, ...properties, ...last } as TheirPacket
}

/** The packet without the order of user properties between names, which mqtt-packet does not keep. */
function comparable(packet: Packet): unknown {
  return JSON.parse(
    JSON.stringify(packet, (key, value) => (key === 'userProperties' ? Object.entries(grouped(value)).sort() : value)),
  )
}
