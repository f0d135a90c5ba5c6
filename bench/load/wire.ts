/** Bytes that clients send: MQTT 3.1.1 packets, and WebSocket frames around them. */
export type Transport = 'tcp' | 'ws'
export type Qos = 0 | 1

export const CONNACK = 2
export const PUBLISH = 3
export const PUBACK = 4
export const SUBACK = 9
export const PINGRESP = 13

export interface Login {
  readonly user: string
  /** Null: no login. */
  readonly password: string | null
  /** Of a session that outlives its connection. */
  readonly keep?: boolean
}

export function connectPacket({ user, password, keep }: Login): Buffer {
  const flags = (keep ? 0 : 0x02) | (password === null ? 0 : 0xc0)
  const login = password === null ? [] : [text(user), text(password)]
  return packet(0x10, text('MQTT'), Buffer.from([4, flags, 0, 0]), text(user), ...login)
}

export function subscribePacket(topic: string, qos: Qos): Buffer {
  return packet(0x82, Buffer.from([0, 1]), text(topic), Buffer.from([qos]))
}

export function publishPacket(topic: string, qos: Qos, payload: Buffer): Buffer {
  return packet((PUBLISH << 4) | (qos << 1), text(topic), Buffer.alloc(qos > 0 ? 2 : 0), payload)
}

export const PINGREQ = Buffer.from([0xc0, 0])

/** A packet as it leaves: over WebSocket in a frame, whose mask of zeros leaves the bytes as they are. */
export function framed(transport: Transport, bytes: Buffer): Buffer {
  return transport === 'tcp' ? bytes : Buffer.concat([frameHead(bytes.length), bytes])
}

const MASKED = 0x80
const NO_MASK = [0, 0, 0, 0]

function frameHead(length: number): Buffer {
  if (length < 126) return Buffer.from([0x82, MASKED | length, ...NO_MASK])
  if (length < 65536) return Buffer.from([0x82, MASKED | 126, length >> 8, length & 0xff, ...NO_MASK])
  const head = Buffer.from([0x82, MASKED | 127, 0, 0, 0, 0, 0, 0, 0, 0, ...NO_MASK])
  head.writeUInt32BE(length, 6)
  return head
}

export const PONG = Buffer.from([0x8a, MASKED, ...NO_MASK])

/** The key is of no use to anybody here: answers are not checked, as the broker is known. */
export const UPGRADE = Buffer.from(
  [
    'GET /mqtt HTTP/1.1',
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dG9waWN0YWxrIGJlbmNoIQ==',
    'Sec-WebSocket-Protocol: mqtt',
    '\r\n',
  ].join('\r\n'),
)

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

function packet(header: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length: number[] = []
  let rest = body.length
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>= 7
  } while (rest > 0)
  return Buffer.concat([Buffer.from([header, ...length]), body])
}
