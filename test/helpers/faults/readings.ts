/** What a node answers at the end of a run. */
import mqtt, { type MqttClient } from 'mqtt'
import type { Entry, Event } from '../../models/history/events.js'
import { request } from '../broker.js'
import { answered, type GiveUp, until } from '../patience.js'
import { LOGS, ROOMS, STATES } from './load.js'
import { RIVAL_ROOMS } from './rivals.js'
import type { Node } from './stage.js'

/** @throws Error when it does not answer */
export function readAll(node: Node, giveUp: GiveUp): Promise<Event[]> {
  const work = async (client: MqttClient): Promise<Event[]> => [
    await epochOn(client, node.name),
    ...(await read(client, node.name, giveUp)),
  ]
  return asReader(node, work, giveUp)
}

/** Receipts follow what they are about by a second. @throws Error when it does not answer */
export function readReceipts(node: Node, giveUp: GiveUp): Promise<Event[]> {
  const work = async (client: MqttClient): Promise<Event[]> => {
    const events: Event[] = []
    for (const room of ROOMS)
      events.push({ type: 'receipts', node: node.name, room, receipts: await receiptsOf(client, room) })
    return events
  }
  return asReader(node, work, giveUp)
}

export function readEpoch(node: Node): Promise<Event> {
  return asReader(node, (client) => epochOn(client, node.name))
}

/** A client that is left over would connect again and again, and keep the process of the test. */
async function asReader<T>(
  { name, broker, port }: Node,
  work: (client: MqttClient) => Promise<T>,
  giveUp?: GiveUp,
): Promise<T> {
  const login = { username: 'ann', password: await broker.token('ann') }
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { ...login, clientId: `reader-${name}` })
  // It tries again.
  client.on('error', () => {})
  try {
    const connected = new Promise<void>((resolve) => client.once('connect', () => resolve()))
    return await answered(
      `what ${name} has`,
      connected.then(() => work(client)),
      giveUp,
    )
  } finally {
    await client.endAsync(true)
  }
}

async function epochOn(client: MqttClient, node: string): Promise<Event> {
  const { epoch } = await ask(client, 'sync', {})
  return { type: 'epoch', node, epoch }
}

async function read(client: MqttClient, node: string, giveUp: GiveUp): Promise<Event[]> {
  const events: Event[] = []
  for (const log of LOGS) events.push({ type: 'read', node, log, entries: await wholeLog(client, log) })
  for (const room of RIVAL_ROOMS) events.push({ type: 'members', node, room, members: await membersOf(client, room) })
  events.push({ type: 'retained', node, messages: await retainedOn(client, giveUp) })
  return events
}

async function ask(
  client: MqttClient,
  method: string,
  params: { readonly room?: string; readonly after?: number; readonly limit?: number },
) {
  const { ok, result, error } = await request(client, 'ann', method, params)
  if (!ok) throw new Error(`${method} ${params.room ?? ''}: ${error.message}`)
  return result
}

async function wholeLog(client: MqttClient, room: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let more = true; more; ) {
    const after = entries.at(-1)?.seq ?? 0
    const result = await ask(client, 'history', { room, after, limit: 100 })
    for (const { seq, id, cid } of result.messages) entries.push({ seq, id, message: cid })
    more = result.more && result.messages.length > 0
  }
  return entries
}

async function membersOf(client: MqttClient, room: string): Promise<Record<string, string>> {
  const { members } = await ask(client, 'rooms.members', { room })
  return Object.fromEntries(members.map(({ user, role }: { user: string; role: string }) => [user, role]))
}

async function receiptsOf(client: MqttClient, room: string): Promise<Record<string, [number, number]>> {
  const { receipts } = await ask(client, 'receipts', { room })
  return Object.fromEntries(
    receipts.map(({ user, read, delivered }: { user: string; read: number; delivered: number }) => [
      user,
      [read, delivered],
    ]),
  )
}

/** Or what has come of it in time. */
async function retainedOn(client: MqttClient, giveUp: GiveUp): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  client.on('message', (topic, payload) => {
    if (topic.startsWith('state/')) found[topic] = payload.toString()
  })
  await client.subscribeAsync('state/#', { qos: 1 })
  await until('retained', async () => Object.keys(found).length === STATES, giveUp).catch(() => {})
  return found
}
