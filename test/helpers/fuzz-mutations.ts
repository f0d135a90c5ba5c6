/** Mutations of packets. */
import { bodyAt, byte, encodeVarint, packet, uint16 } from './fuzz-wire.js'
import type { Random } from './random.js'

type Damage = (random: Random, packets: Buffer[], at: number) => void

/** Replaces the packet at `at` with a changed copy. */
function change(how: (random: Random, bytes: Buffer) => Buffer | undefined): Damage {
  return (random, packets, at) => {
    const bytes = Buffer.from(packets[at]!)
    packets[at] = how(random, bytes) ?? bytes
  }
}

/** Overwrites bytes in the body. */
function overwrite(...bytes: number[]): Damage {
  return change((random, packet) => void Buffer.from(bytes).copy(packet, withinBody(random, packet)))
}

function withinBody(random: Random, bytes: Buffer): number {
  const from = bodyAt(bytes)
  return from + random.below(Math.max(1, bytes.length - from))
}

/** The same body with another remaining length. */
function relength(bytes: Buffer, length: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, 1), length, bytes.subarray(bodyAt(bytes))])
}

/** A changed body with the matching remaining length, so that only the packet's decoder can detect it. */
function rebody(bytes: Buffer, body: Buffer): Buffer {
  return packet(bytes[0]!, body)
}

function insertAt(random: Random, bytes: Buffer, more: Buffer): Buffer {
  const at = random.below(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])
}

/** Offset of the property length in the body, by packet type; in some it follows a text. */
function propertiesAt(bytes: Buffer): number {
  const from = bodyAt(bytes)
  switch (bytes[0]! >> 4) {
    case 1:
      return from + 10
    case 3:
      return from + 2 + (bytes.length > from + 1 ? bytes.readUInt16BE(from) : 0) + (bytes[0]! & 6 ? 2 : 0)
    case 8:
    case 10:
      return from + 2
    case 14:
    case 15:
      return from + 1
    default:
      return from + 3
  }
}

/** First bytes that only servers send, and invalid ones. */
const STRANGE_HEADERS = [0x00, 0x20, 0x90, 0xb0, 0xd0, 0xf0, 0xff, 0x3f, 0x36, 0x38, 0x60, 0x80] as const

export const DAMAGES: Readonly<Record<string, Damage>> = {
  'a bit': change((random, bytes) => {
    const at = random.below(bytes.length)
    bytes[at] = bytes[at]! ^ (1 << random.below(8))
    return bytes
  }),
  'a byte': change((random, bytes) => {
    bytes[random.below(bytes.length)] = random.below(256)
    return bytes
  }),
  'bytes more': change((random, bytes) => insertAt(random, bytes, random.bytes(random.between(1, 4)))),
  'bytes more within the length': change((random, bytes) =>
    rebody(bytes, insertAt(random, bytes.subarray(bodyAt(bytes)), random.bytes(random.between(1, 4)))),
  ),
  'bytes less': change((random, bytes) => {
    const at = random.below(bytes.length)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.between(1, 4))])
  }),
  'bytes less within the length': change((random, bytes) => {
    const body = bytes.subarray(bodyAt(bytes))
    const at = random.below(body.length + 1)
    return rebody(bytes, Buffer.concat([body.subarray(0, at), body.subarray(at + random.between(1, 4))]))
  }),
  'cut off': change((random, bytes) => bytes.subarray(0, random.below(bytes.length))),
  'cut off, the length right': change((random, bytes) => {
    const body = bytes.subarray(bodyAt(bytes))
    return rebody(bytes, body.subarray(0, random.below(body.length + 1)))
  }),
  'a wrong length': change((random, bytes) => {
    const length = bytes.length - bodyAt(bytes) + random.pick([-2, -1, 1, 2, 100])
    return relength(bytes, encodeVarint(Math.max(0, length)))
  }),
  'a huge length': change((random, bytes) =>
    relength(bytes, random.pick([encodeVarint(190_000), encodeVarint(268_435_455), Buffer.from('ffffffff7f', 'hex')])),
  ),
  'a length longer than needed': change((_, bytes) => {
    const length = bytes.length - bodyAt(bytes)
    return relength(bytes, Buffer.from([(length & 0x7f) | 0x80, (length >> 7) | 0x80, 0]))
  }),
  'a property length off by one': change((random, bytes) => {
    const at = propertiesAt(bytes)
    if (at < bytes.length) bytes[at] = bytes[at]! + random.pick([-1, 1])
    return bytes
  }),
  'packet id 0': change((_, bytes) => {
    const publish = bytes[0]! >> 4 === 3
    const at = bodyAt(bytes) + (publish && bytes.length > 4 ? 2 + bytes.readUInt16BE(bodyAt(bytes)) : 0)
    if (at + 2 <= bytes.length) uint16(0).copy(bytes, at)
    return bytes
  }),
  'other flags': change((random, bytes) => {
    bytes[0] = (bytes[0]! & 0xf0) | random.below(16)
    return bytes
  }),
  'another type': change((random, bytes) => {
    bytes[0] = random.pick(STRANGE_HEADERS)
    return bytes
  }),
  'invalid UTF-8': overwrite(0xc0, 0xaf),
  'a lone byte of UTF-8': overwrite(0xff),
  'U+0000': overwrite(0),
  'a surrogate': overwrite(0xed, 0xa0, 0x80),
  'a lost packet': (_, packets, at) => void packets.splice(at, 1),
  'a packet twice': (_, packets, at) => void packets.splice(at, 0, packets[at]!),
  'packets swapped': (random, packets, at) => {
    const other = random.below(packets.length)
    ;[packets[at], packets[other]] = [packets[other]!, packets[at]!]
  },
  'a packet within a packet': (random, packets, at) => {
    packets[at] = insertAt(random, packets[at]!, random.pick(packets))
  },
  'a stranger': (random, packets, at) =>
    void packets.splice(at, 0, packet(random.pick(STRANGE_HEADERS), random.bytes(random.below(20)))),
  noise: (random, packets, at) => void packets.splice(at, 0, random.bytes(random.between(1, 60))),
  'a storm': (random, packets, at) => {
    packets.splice(at, 0, ...Array.from({ length: random.between(20, 200) }, () => packets[at]!))
  },
  'pings, very many': (_, packets, at) => void packets.splice(at, 0, Buffer.alloc(20_000, Buffer.from('c000', 'hex'))),
  'acks, very many': (random, packets, at) => {
    const header = byte(random.pick([0x40, 0x50, 0x62, 0x70]))
    const acks = Array.from({ length: 500 }, (_, i) => Buffer.concat([header, byte(2), uint16(i + 1)]))
    packets.splice(at, 0, ...acks)
  },
}

const NAMES = Object.keys(DAMAGES)

/** Applies one to four mutations, to the CONNECT less often than to later packets; returns their names. */
export function damage(random: Random, packets: Buffer[]): string[] {
  const done: string[] = []
  for (let left = random.pick([1, 1, 2, 4]); left > 0 && packets.length > 0; left--) {
    const name = random.pick(NAMES)
    const spare = packets.length > 1 && random.chance(0.8) ? 1 : 0
    const at = spare + random.below(packets.length - spare)
    if (packets[at]!.length === 0) continue
    DAMAGES[name]!(random, packets, at)
    done.push(name)
  }
  return done
}
