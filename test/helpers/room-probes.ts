/** Publishers and subscribers of one room on fake sockets, for tests that count what a message costs. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import type { TestBroker } from './broker.js'
import { ProbeStream } from './probe-stream.js'

export const TOPIC = 'rooms/lobby/messages'

export function send(
  payload: object | string,
  { id = 1, qos = 1, topic = TOPIC }: { id?: number; qos?: 0 | 1 | 2; topic?: string } = {},
) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const packet: IPublishPacket = { cmd: 'publish', topic, payload: text, qos, dup: false, retain: false }
  return qos > 0 ? { ...packet, messageId: id } : packet
}

export function burst(count: number, qos: 0 | 1 = 1): Packet[] {
  return Array.from({ length: count }, (_, i) => send({ text: `message ${i}` }, { id: i + 1, qos }))
}

export const isPuback = ({ cmd }: Packet): boolean => cmd === 'puback'
export const isPublish = ({ cmd }: Packet): boolean => cmd === 'publish'

/** A publisher who is a member of the lobby, its first message sent. */
export async function publisher(broker: TestBroker, user = 'pia'): Promise<ProbeStream> {
  const probe = await ProbeStream.login(broker, user)
  probe.receive(send('hello'))
  await probe.until(isPuback)
  return probe
}

export async function subscribers(broker: TestBroker, count: number, qos: 0 | 1): Promise<ProbeStream[]> {
  const probes: ProbeStream[] = []
  for (let i = 0; i < count; i++) {
    const probe = await ProbeStream.login(broker, `sub-${qos}-${i}`)
    await probe.subscribe(TOPIC, qos)
    probes.push(probe)
  }
  return probes
}
