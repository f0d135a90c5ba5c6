/** Random sessions: a valid CONNECT, then packets of its version, mostly valid. */
import type { Version } from '../../broker/mqtt/codec/packets.js'
import { payloadFor, word } from './fuzz-payloads.js'
import { byte, encodeVarint, packet, section, sized, text, uint16, uint32 } from './fuzz-wire.js'
import type { Random } from './random.js'

export interface Identity {
  readonly user: string
  readonly token: string
  readonly clientId: string
}

/** Users that the fuzzer logs in as. */
export const USERS = ['uma', 'udo', 'ute', 'uli'] as const
export const ROOMS = ['lobby', 'r1', 'r2', 'r3'] as const

type Place = 'connect' | 'will' | 'publish' | 'ack' | 'subscribe' | 'unsubscribe' | 'disconnect' | 'auth'

/** Every property that a client may send: its value, and the packets that allow it. */
const PROPERTIES: readonly { id: number; in: readonly Place[]; value: (random: Random) => Buffer }[] = [
  { id: 0x01, in: ['publish', 'will'], value: (random) => byte(random.below(2)) },
  { id: 0x02, in: ['publish', 'will'], value: (random) => uint32(random.pick([0, 1, 60, 0x7fffffff, 0xffffffff])) },
  { id: 0x03, in: ['publish', 'will'], value: (random) => text(word(random)) },
  { id: 0x08, in: ['publish', 'will'], value: (random) => text(topicName(random, random.pick(USERS))) },
  { id: 0x09, in: ['publish', 'will'], value: (random) => sized(random.bytes(random.below(40))) },
  { id: 0x0b, in: ['subscribe'], value: (random) => encodeVarint(random.pick([1, 127, 128, 268_435_455])) },
  { id: 0x11, in: ['connect', 'disconnect'], value: (random) => uint32(random.pick([0, 1, 3600, 0xffffffff])) },
  { id: 0x15, in: ['auth'], value: (random) => text(word(random)) },
  { id: 0x16, in: ['auth'], value: (random) => sized(random.bytes(random.below(40))) },
  { id: 0x17, in: ['connect'], value: (random) => byte(random.below(2)) },
  { id: 0x18, in: ['will'], value: (random) => uint32(random.pick([0, 1, 0xffffffff])) },
  { id: 0x19, in: ['connect'], value: (random) => byte(random.below(2)) },
  { id: 0x1f, in: ['ack', 'disconnect', 'auth'], value: (random) => text(word(random)) },
  { id: 0x21, in: ['connect'], value: (random) => uint16(random.pick([1, 2, 100, 65535])) },
  { id: 0x22, in: ['connect'], value: (random) => uint16(random.pick([0, 1, 65535])) },
  { id: 0x23, in: ['publish'], value: (random) => uint16(random.pick([1, 1, 2, 32, 33])) },
  {
    id: 0x26,
    in: ['connect', 'will', 'publish', 'ack', 'subscribe', 'unsubscribe', 'disconnect', 'auth'],
    value: pair,
  },
  { id: 0x27, in: ['connect'], value: (random) => uint32(random.pick([1, 20, 300, 100_000, 0xffffffff])) },
]

function pair(random: Random): Buffer {
  return Buffer.concat([text(word(random)), text(word(random))])
}

/** Properties that the packet allows; rarely very many, or one that is not allowed. */
function properties(random: Random, place: Place, likely = 0.15): Buffer {
  const parts: Buffer[] = []
  for (const { id, in: places, value } of PROPERTIES)
    if (random.chance(places.includes(place) ? likely : 0.001)) parts.push(byte(id), value(random))
  const many = random.chance(0.01) ? random.between(1000, 5000) : 0
  for (let i = 0; i < many; i++) parts.push(byte(0x26), text('k'), text('v'))
  return section(Buffer.concat(parts))
}

export function topicName(random: Random, me: string): string {
  const room = random.chance(0.9) ? random.pick(ROOMS) : word(random)
  const user = random.chance(0.5) ? me : random.chance(0.9) ? random.pick(USERS) : word(random)
  switch (random.below(12)) {
    case 0:
    case 1:
      return `rooms/${room}/messages`
    case 2:
      return `rooms/${room}/${random.pick(['text', 'typing', 'receipts', 'events', 'info', word(random)])}`
    case 3:
      return `users/${user}/messages`
    case 4:
      return `users/${user}/${random.pick(['presence', 'signals', 'notifications', 'events', 'replies', word(random)])}`
    case 5:
    case 6:
      return `users/${me}/requests/${random.pick(METHODS)}`
    case 7:
      return `devices/${user}/${word(random)}`
    case 8:
      return `broadcast/${word(random)}`
    case 9:
      return random.chance(0.3) ? 'fuzz/'.repeat(random.pick([2, 31, 32, 33, 200])) : `fuzz/${random.below(20)}`
    case 10:
      return `fuzz/${word(random)}`
    default:
      return random.pick([
        '$SYS/x',
        '$share/g/fuzz/1',
        '/',
        '//',
        'fuzz',
        'rooms',
        `rooms/dm:${me}:zoe/messages`,
        word(random),
      ])
  }
}

const METHODS = [
  'history',
  'rooms.create',
  'rooms.update',
  'rooms.delete',
  'rooms.join',
  'rooms.leave',
  'rooms.invite',
  'rooms.remove',
  'rooms.members',
  'rooms.list',
  'sync',
  'toString',
  '__proto__',
] as const

function topicFilter(random: Random, me: string): string {
  if (random.chance(0.2))
    return random.pick([
      '#',
      '+/+',
      'rooms/+/messages',
      'rooms/#',
      'users/+/presence',
      'fuzz/#',
      'fuzz/+',
      'broadcast/#',
    ])
  if (random.chance(0.3)) return `users/${me}/${random.pick(['messages', 'replies', 'events', 'signals', '#', '+'])}`
  const name = topicName(random, me)
  if (random.chance(0.8)) return name
  const levels = name.split('/')
  levels[random.below(levels.length)] = random.pick(['+', '#', '', 'a+', '$share'])
  return levels.join('/')
}

/** A valid CONNECT of MQTT 3.1.1 with a clean session. */
export function plainConnect({ user, token, clientId }: Identity): Buffer {
  return packet(0x10, text('MQTT'), byte(4), byte(0xc2), uint16(0), text(clientId), text(user), text(token))
}

/** A version, a valid CONNECT, packets after it, and an end. */
export class Grammar {
  readonly version: Version
  readonly #random: Random
  readonly #identity: Identity
  #lastId = 0

  constructor(random: Random, identity: Identity) {
    this.#random = random
    this.#identity = identity
    this.version = random.pick([3, 4, 4, 5, 5, 5] as const)
  }

  /** Packets of a session, the CONNECT first. */
  session(length = this.#random.between(1, 12)): Buffer[] {
    const packets = [this.connect(), ...Array.from({ length }, () => this.#any())]
    if (this.#random.chance(0.3)) packets.push(this.#disconnect())
    return packets
  }

  connect(): Buffer {
    const random = this.#random
    const { user, token, clientId } = this.#identity
    const five = this.version === 5
    const will = random.chance(0.2) ? random.below(3) : -1
    const flags = 0xc0 | (will >= 0 ? 0x04 | (will << 3) | (random.below(2) << 5) : 0) | (random.below(2) << 1)
    const parts = [text(this.version === 3 ? 'MQIsdp' : 'MQTT'), byte(this.version), byte(flags)]
    parts.push(uint16(random.pick([0, 1, 60, 65535])))
    if (five) parts.push(properties(random, 'connect'))
    parts.push(text(clientId))
    if (will >= 0) {
      const topic = topicName(random, user)
      if (five) parts.push(properties(random, 'will'))
      parts.push(text(topic), sized(payloadFor(random, topic).subarray(0, 65535)))
    }
    return packet(0x10, ...parts, text(user), text(token))
  }

  #any(): Buffer {
    const random = this.#random
    const roll = random.below(20)
    if (roll < 9) return this.publish()
    if (roll < 12) return this.#subscribe()
    if (roll < 13) return this.#unsubscribe()
    if (roll < 17) return this.#ack(random.pick([0x40, 0x50, 0x62, 0x70]))
    if (roll < 18) return packet(0xc0)
    if (roll < 19 && this.version === 5)
      return packet(0xf0, byte(random.pick([0, 0x18, 0x19])), properties(random, 'auth'))
    return this.publish()
  }

  publish(): Buffer {
    const random = this.#random
    const topic = topicName(random, this.#identity.user)
    const qos = random.below(3)
    const dup = qos > 0 && random.chance(0.1) ? 8 : 0
    const header = 0x30 | dup | (qos << 1) | (random.chance(0.1) ? 1 : 0)
    const parts = [text(this.version === 5 && random.chance(0.05) ? '' : topic)]
    if (qos > 0) parts.push(uint16(this.#nextId()))
    if (this.version === 5) parts.push(properties(random, 'publish', 0.08))
    return packet(header, ...parts, payloadFor(random, topic))
  }

  #subscribe(): Buffer {
    const random = this.#random
    const five = this.version === 5
    const parts = [uint16(this.#nextId())]
    if (five) parts.push(properties(random, 'subscribe'))
    for (let left = this.#howMany(300); left > 0; left--) {
      const options = random.below(3) | (five ? random.pick([0, 0, 4, 8, 12, 16, 32, 44]) : 0)
      parts.push(text(topicFilter(random, this.#identity.user)), byte(options))
    }
    return packet(0x82, ...parts)
  }

  #unsubscribe(): Buffer {
    const parts = [uint16(this.#nextId())]
    if (this.version === 5) parts.push(properties(this.#random, 'unsubscribe'))
    for (let left = this.#howMany(1000); left > 0; left--)
      parts.push(text(topicFilter(this.#random, this.#identity.user)))
    return packet(0xa2, ...parts)
  }

  /** A small number, or a huge one. */
  #howMany(most: number): number {
    return this.#random.chance(0.03) ? most : this.#random.between(1, 4)
  }

  #ack(header: number): Buffer {
    const random = this.#random
    const id = uint16(random.chance(0.8) ? random.between(1, 20) : random.between(1, 65535))
    if (this.version !== 5 || random.chance(0.5)) return packet(header, id)
    const reason = byte(random.pick([0, 0, 0x10, 0x80, 0x92, 0xff]))
    return random.chance(0.5) ? packet(header, id, reason) : packet(header, id, reason, properties(random, 'ack'))
  }

  #disconnect(): Buffer {
    const random = this.#random
    if (this.version !== 5 || random.chance(0.4)) return packet(0xe0)
    return packet(0xe0, byte(random.pick([0, 4, 0x81])), properties(random, 'disconnect'))
  }

  /** Mostly the next id, sometimes one that was used before. */
  #nextId(): number {
    if (this.#lastId === 0 || this.#random.chance(0.85)) return ++this.#lastId
    return this.#random.chance(0.8) ? this.#random.between(1, this.#lastId) : 65535
  }
}
