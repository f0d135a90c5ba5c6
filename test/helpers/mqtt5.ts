/** Helpers for protocol tests of MQTT 5, beside protocol.ts: sessions, properties, reason codes. */
import type { IConnackPacket, IPublishPacket, ISubackPacket, Packet } from 'mqtt-packet'
import type { TestBroker } from './broker.js'
import { type Opening, openWith, take } from './protocol.js'
import type { RawClient } from './raw-client.js'

/** CONNECT of version 5; `expiry` in seconds. */
export async function open5(
  broker: TestBroker,
  { expiry, properties, ...opening }: Opening & { expiry?: number } = {},
): Promise<RawClient> {
  return (await connect5(broker, { ...opening, ...(expiry === undefined ? {} : { expiry }), properties }))[0]
}

/** As `open5`; returns the CONNACK as well. */
export function connect5(
  broker: TestBroker,
  {
    expiry,
    properties,
    ...opening
  }: Omit<Opening, 'properties'> & { expiry?: number; properties?: Opening['properties'] },
): Promise<[RawClient, IConnackPacket]> {
  const kept = expiry === undefined ? {} : { sessionExpiryInterval: expiry }
  return openWith(broker, { version: 5, ...opening, properties: { ...kept, ...properties } })
}

/** Options of one filter. */
export interface Options {
  qos?: 0 | 1 | 2
  nl?: boolean
  rap?: boolean
  rh?: 0 | 1 | 2
}

/** SUBSCRIBE with options and an identifier; resolves with the reason codes. */
export async function subscribe5(
  client: RawClient,
  filters: string | string[],
  { qos = 1, nl = false, rap = false, rh = 0 }: Options = {},
  id?: number,
): Promise<ISubackPacket['granted']> {
  const subscriptions = [filters].flat().map((topic) => ({ topic, qos, nl, rap, rh }))
  const properties = id === undefined ? {} : { properties: { subscriptionIdentifier: id } }
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions, ...properties } as never)
  return (await take(client, 'suback')).granted
}

/** UNSUBSCRIBE; resolves with the reason codes. */
export async function unsubscribe5(client: RawClient, ...filters: string[]): Promise<number[]> {
  client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: filters })
  return (await take(client, 'unsuback')).granted as number[]
}

/** A PUBLISH as a packet. */
export function message(topic: string, payload: string | Buffer, more: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: 'publish', topic, payload, qos: 1, messageId: 1, retain: false, dup: false, ...more }
}

/** DISCONNECT and close: the reason code. All earlier packets must have been taken. */
export async function disconnected(client: RawClient): Promise<number | undefined> {
  const { reasonCode } = await take(client, 'disconnect')
  await client.whenClosed()
  if (client.pending.length > 0) throw new Error(`after DISCONNECT: ${JSON.stringify(client.pending)}`)
  return reasonCode
}

/** Acknowledges a PUBLISH of QoS 1, or begins to at QoS 2. */
export function acknowledge(client: RawClient, { qos, messageId }: IPublishPacket): void {
  if (qos > 0) client.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: messageId! } as Packet)
}

/** The subscription identifiers of a PUBLISH, ascending. */
export function ids({ properties }: IPublishPacket): number[] {
  return [properties?.subscriptionIdentifier ?? []].flat().sort((a, b) => a - b)
}

/** A packet: first byte, remaining length, body. */
export function frame(header: number, ...body: (number | string | Buffer)[]): Buffer {
  const bytes = join(body)
  return Buffer.concat([Buffer.from([header]), varint(bytes.length), bytes])
}

/** A property section: its length, then the properties. */
export function section(...body: (number | string | Buffer)[]): Buffer {
  const bytes = join(body)
  return Buffer.concat([varint(bytes.length), bytes])
}

/** Numbers become bytes, text UTF-8 with its length before it, buffers stay as they are. */
function join(parts: (number | string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.from([part])
      if (Buffer.isBuffer(part)) return part
      const text = Buffer.from(part)
      return Buffer.concat([Buffer.from([text.length >> 8, text.length & 0xff]), text])
    }),
  )
}

function varint(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >> 7])
}
