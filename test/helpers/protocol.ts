/** Helpers for protocol tests: send and receive single packets. */
import type { IConnackPacket, IConnectPacket, IPublishPacket, ISubackPacket, Packet } from 'mqtt-packet'
import type { TestBroker } from './broker.js'
import { RawClient } from './raw-client.js'

export interface Opening {
  user?: string
  id?: string
  clean?: boolean
  version?: 3 | 4 | 5
  keepalive?: number
  will?: { topic: string; payload: string; qos?: 0 | 1 | 2; retain?: boolean; properties?: WillProperties }
  roles?: string[]
  /** MQTT 5 only. */
  properties?: IConnectPacket['properties']
}

type WillProperties = NonNullable<NonNullable<IConnectPacket['will']>['properties']>

/** A valid CONNECT of `user` (by default ann). */
export async function connectPacket(broker: TestBroker, opening: Opening = {}): Promise<IConnectPacket> {
  const { user = 'ann', id = '', clean = true, version = 4, keepalive = 0, will, roles, properties } = opening
  const base: IConnectPacket = {
    cmd: 'connect',
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    clean,
    clientId: id,
    keepalive,
    username: user,
    password: Buffer.from(await broker.token(user, roles)),
    ...(properties ? { properties } : {}),
  }
  if (!will) return base
  const { topic, payload, qos = 0, retain = false, properties: about } = will
  const given = about ? { properties: about } : {}
  return { ...base, will: { topic, payload: Buffer.from(payload), qos, retain, ...given } }
}

/** Sends CONNECT and takes the CONNACK, which must accept. */
export async function open(broker: TestBroker, opening: Opening = {}): Promise<RawClient> {
  return (await openWith(broker, opening))[0]
}

/** As `open`; returns the CONNACK as well. */
export async function openWith(broker: TestBroker, opening: Opening = {}): Promise<[RawClient, IConnackPacket]> {
  // Made before: the broker waits for it from the moment of the connection, in some tests not for long.
  const packet = await connectPacket(broker, opening)
  const client = new RawClient(broker, opening.version ?? 4)
  client.send(packet)
  const connack = await take(client, 'connack')
  const code = connack.returnCode ?? connack.reasonCode
  if (code !== 0) throw new Error(`CONNACK said ${code}`)
  return [client, connack]
}

type Command = Packet['cmd']

/** The next packet, which must be a `cmd`. */
export async function take<C extends Command>(client: RawClient, cmd: C): Promise<Extract<Packet, { cmd: C }>> {
  const packet = await client.next()
  if (packet?.cmd !== cmd) throw new Error(`expected ${cmd}, got ${packet ? JSON.stringify(packet) : 'a close'}`)
  return packet as Extract<Packet, { cmd: C }>
}

/** The next `count` packets, which must be PUBLISHes. */
export async function takePublishes(client: RawClient, count: number): Promise<IPublishPacket[]> {
  const found: IPublishPacket[] = []
  while (found.length < count) found.push(await take(client, 'publish'))
  return found
}

/** All that arrives before the answer to a PINGREQ sent now. */
export async function untilPong(client: RawClient): Promise<Packet[]> {
  client.send({ cmd: 'pingreq' })
  const before: Packet[] = []
  for (let packet = await client.next(); packet?.cmd !== 'pingresp'; packet = await client.next()) {
    if (!packet) throw new Error('the connection closed before PINGRESP')
    before.push(packet)
  }
  return before
}

/** Subscribes and takes the SUBACK. */
export async function subscribe(
  client: RawClient,
  ...filters: [string, 0 | 1 | 2][]
): Promise<ISubackPacket['granted']> {
  const subscriptions = filters.map(([topic, qos]) => ({ topic, qos }))
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions } as never)
  return (await take(client, 'suback')).granted
}

let lastId = 1000

/** Publishes at QoS 1 (or as `more` says) and takes the PUBACK, at QoS 2 the whole exchange; at QoS 0 there is no answer. */
export async function publish(
  client: RawClient,
  topic: string,
  payload: string | Buffer = topic,
  more: Partial<IPublishPacket> = {},
): Promise<void> {
  const messageId = ++lastId
  client.send({ cmd: 'publish', topic, payload, qos: 1, messageId, retain: false, dup: false, ...more })
  const qos = more.qos ?? 1
  if (qos === 1) await take(client, 'puback')
  if (qos < 2) return
  await take(client, 'pubrec')
  client.send({ cmd: 'pubrel', messageId })
  await take(client, 'pubcomp')
}

/** The payload as text. */
export function text({ payload }: IPublishPacket): string {
  return payload.toString()
}

/** `topic payload`, with QoS and flags if they are set: the form that tests compare. */
export function told({ topic, payload, qos, retain, dup }: IPublishPacket): string {
  return [topic, payload.toString(), qos > 0 ? `q${qos}` : '', retain ? 'retain' : '', dup ? 'dup' : '']
    .filter((part) => part !== '')
    .join(' ')
}

/** Resolves when the broker has finished with this connection, and not with one that has closed before; of one that is not in memory, with any. */
export function goneOf({ running: { aedes } }: TestBroker, { peer }: RawClient): Promise<void> {
  return new Promise((resolve) => {
    const look = ({ conn }: { conn: unknown }): void => {
      if (peer && conn !== peer) return
      aedes.off('clientDisconnect', look)
      resolve()
    }
    aedes.on('clientDisconnect', look)
  })
}

/** Closes the connection without DISCONNECT. Resolves when the broker has noticed. */
export async function cut(broker: TestBroker, client: RawClient): Promise<void> {
  const gone = goneOf(broker, client)
  client.stream.destroy()
  await gone
}

/** DISCONNECT. Resolves when the broker has finished with the session. */
export async function leave(broker: TestBroker, client: RawClient): Promise<void> {
  const gone = goneOf(broker, client)
  client.send({ cmd: 'disconnect' })
  await gone
}

/** A rule that allows all plain topics but `denied/#`. */
export const OPEN_ACL = {
  rules: [
    { deny: 'all', who: 'any', topics: ['denied/#'] },
    { allow: 'all', who: 'any', topics: ['#', '/#'] },
  ],
}
