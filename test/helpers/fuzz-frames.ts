/** MQTT in WebSocket frames, valid and invalid ones: an upgrade request and frames, as bytes for a TCP socket. */
import type { Random } from './random.js'

const BINARY = 2

interface FrameOptions {
  opcode?: number
  fin?: boolean
  /** The three reserved bits. */
  rsv?: number
  /** False: unmasked, which is not allowed for clients. */
  masked?: boolean
  /** A payload length, in eight bytes, that differs from the true one. */
  claims?: bigint
}

export function wsFrame(random: Random, payload: Buffer, options: FrameOptions = {}): Buffer {
  const { opcode = BINARY, fin = true, rsv = 0, masked = true, claims } = options
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  const bit = masked ? 0x80 : 0
  const mask = masked ? random.bytes(4) : Buffer.alloc(0)
  const body = masked ? Buffer.from(payload.map((byte, i) => byte ^ mask[i % 4]!)) : payload
  return Buffer.concat([Buffer.from([first]), lengthOf(payload.length, bit, claims), mask, body])
}

function lengthOf(length: number, bit: number, claims: bigint | undefined): Buffer {
  if (claims !== undefined || length > 65535) {
    const bytes = Buffer.alloc(9, bit | 127)
    bytes.writeBigUInt64BE(claims ?? BigInt(length), 1)
    return bytes
  }
  if (length < 126) return Buffer.from([bit | length])
  return Buffer.from([bit | 126, length >> 8, length & 0xff])
}

export function upgradeRequest(path = '/mqtt', protocol = 'mqtt'): Buffer {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: broker',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    `Sec-WebSocket-Protocol: ${protocol}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Bytes cut at random into `count` parts. */
export function cut(random: Random, bytes: Buffer, count: number): Buffer[] {
  const at = Array.from({ length: count - 1 }, () => random.below(bytes.length + 1)).sort((a, b) => a - b)
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length))
}

/** The stream in frames: one per packet, one for all, cut at random, or a fragment per byte. */
export function framed(random: Random, packets: readonly Buffer[]): Buffer[] {
  const all = Buffer.concat(packets)
  switch (random.below(4)) {
    case 0:
      return [wsFrame(random, all)]
    case 1:
      return cut(random, all, random.between(1, 20)).map((part) => wsFrame(random, part))
    case 2:
      return fragmented(random, cut(random, all, all.length < 600 ? all.length + 1 : 40))
    default:
      return packets.map((packet) => wsFrame(random, packet))
  }
}

function fragmented(random: Random, parts: readonly Buffer[]): Buffer[] {
  return parts.map((part, i) => wsFrame(random, part, { opcode: i === 0 ? BINARY : 0, fin: i === parts.length - 1 }))
}

/** Frames that are invalid in their position. */
const INTRUDERS: Readonly<Record<string, (random: Random) => Buffer[]>> = {
  'a text frame': (random) => [wsFrame(random, Buffer.from('c000', 'hex'), { opcode: 1 })],
  'invalid text': (random) => [wsFrame(random, Buffer.from('ff', 'hex'), { opcode: 1 })],
  'a ping': (random) => [wsFrame(random, random.bytes(random.below(126)), { opcode: 9 })],
  'very many pings': (random) => Array.from({ length: 500 }, () => wsFrame(random, random.bytes(100), { opcode: 9 })),
  'a pong': (random) => [wsFrame(random, random.bytes(random.below(126)), { opcode: 10 })],
  'a control frame too long': (random) => [wsFrame(random, random.bytes(126), { opcode: 9 })],
  'a control frame in fragments': (random) => [wsFrame(random, Buffer.alloc(2), { opcode: 9, fin: false })],
  'a close': (random) => [wsFrame(random, Buffer.from([3, 232]), { opcode: 8 })],
  'a close with a code that does not exist': (random) => [wsFrame(random, random.bytes(2), { opcode: 8 })],
  'a close of one byte': (random) => [wsFrame(random, Buffer.from([3]), { opcode: 8 })],
  'a close with text that is none': (random) => [wsFrame(random, Buffer.from('03e8ff', 'hex'), { opcode: 8 })],
  'no mask': (random) => [wsFrame(random, Buffer.from('c000', 'hex'), { masked: false })],
  'a continuation of nothing': (random) => [wsFrame(random, Buffer.from('c000', 'hex'), { opcode: 0 })],
  'a message within a message': (random) => [
    wsFrame(random, Buffer.alloc(1), { fin: false }),
    wsFrame(random, Buffer.alloc(1)),
  ],
  'an unknown opcode': (random) => [wsFrame(random, Buffer.alloc(2), { opcode: random.pick([3, 7, 11, 15]) })],
  'reserved bits': (random) => [wsFrame(random, Buffer.alloc(2), { rsv: random.between(1, 7) })],
  'a frame too large': (random) => [
    wsFrame(random, Buffer.alloc(10), { claims: random.pick([1_000_000n, 2n ** 32n, 2n ** 53n, 2n ** 64n - 1n]) }),
  ],
  'empty frames': (random) => Array.from({ length: 300 }, () => wsFrame(random, Buffer.alloc(0))),
  'empty fragments': (random) => [
    wsFrame(random, Buffer.alloc(0), { fin: false }),
    ...Array.from({ length: 300 }, () => wsFrame(random, Buffer.alloc(0), { opcode: 0, fin: false })),
  ],
  noise: (random) => [random.bytes(random.between(1, 60))],
}

const NAMES = Object.keys(INTRUDERS)

/** Inserts an invalid frame; returns its name. */
export function intrude(random: Random, frames: Buffer[]): string {
  const name = random.pick(NAMES)
  frames.splice(random.below(frames.length + 1), 0, ...INTRUDERS[name]!(random))
  return name
}

/** HTTP requests that are no upgrade or a wrong one, or no HTTP at all. */
export function httpNoise(random: Random): Buffer {
  const good = upgradeRequest()
  switch (random.below(9)) {
    case 0:
      return Buffer.from(
        `GET ${random.pick(['/', '/healthz', '/mqtt', '/mqtt?x', '//', '*', 'http://', '/%00', '/..'])} HTTP/1.1\r\nHost: x\r\n\r\n`,
      )
    case 1:
      return upgradeRequest(random.pick(['/', '/other', '/mqtt/', '*', '//mqtt', 'http://x/mqtt']))
    case 2:
      return upgradeRequest('/mqtt', random.pick(['', 'soap', ',', 'mqtt,mqtt', 'mqtt;', '\u0000']))
    case 3:
      return good.subarray(0, random.below(good.length))
    case 4: {
      const at = random.below(good.length)
      return Buffer.concat([good.subarray(0, at), random.bytes(3), good.subarray(at + 1)])
    }
    case 5:
      return Buffer.from(
        `POST /mqtt HTTP/1.1\r\nHost: x\r\nContent-Length: ${random.pick(['10', '-1', '1e9', '99999999999'])}\r\n\r\nhello`,
      )
    case 6:
      return Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\nx')
    case 7:
      return Buffer.from(
        `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(random.pick([10, 3000]))}X: ${'z'.repeat(random.pick([1, 20_000]))}\r\n\r\n`,
      )
    default:
      return random.bytes(random.between(1, 300))
  }
}
