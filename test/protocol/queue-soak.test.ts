/**
 * More messages than any bound holds, each acknowledged in time: what takes from a bounded queue gives back, for every kind of session
 * and group, and while a group turns from one kind into the other.
 */
import { EventEmitter } from 'node:events'
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { open5 } from '../helpers/mqtt5.js'
import { inTime } from '../helpers/patience.js'
import { cut, leave, OPEN_ACL, open, publish } from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'

/** Small, so that a few messages are more than each of them. */
const LIMITS = { queueMessages: 20, queueBytes: 2000, inflight: 4, rates: 'off' }
const MESSAGES = 60
/** Published before what came of it is looked at: with what is not saved yet, fewer than a queue holds. */
const WINDOW = 5
const PADDING = ' '.repeat(50)
const ROOM = 'rooms/lobby/messages'

type QoS = 0 | 1 | 2

/** Takes and acknowledges all that comes to the clients it looks after. */
class Consumers extends EventEmitter {
  readonly seen = new Map<string, number>()
  readonly #clients: RawClient[] = []

  follow(client: RawClient): void {
    this.#clients.push(client)
    // Packets are looked at as they come: SUBACKs are still taken by whoever waits for them.
    const { packets } = client
    let looked = packets.length
    client.on('progress', () => {
      while (looked < packets.length) this.#acknowledge(client, packets[looked++]!)
    })
  }

  #acknowledge(client: RawClient, packet: Packet): void {
    if (packet.cmd === 'pubrel') client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
    if (packet.cmd !== 'publish') return
    const payload = payloadOf(packet)
    this.seen.set(payload, (this.seen.get(payload) ?? 0) + 1)
    if (packet.qos > 0) client.send({ cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId: packet.messageId! })
    this.emit('seen')
  }

  end(): void {
    for (const { stream } of this.#clients) stream.destroy()
  }

  async until(count: number): Promise<void> {
    const enough = (async () => {
      while (this.seen.size < count) await new Promise((resolve) => this.once('seen', resolve))
    })()
    await inTime(enough, 200, () => new Error(`${this.seen.size} of ${count} came`))
  }
}

/** The number that a message is, on plain topics and in rooms. */
function payloadOf({ payload }: IPublishPacket): string {
  const text = payload.toString()
  return (text.startsWith('{') ? JSON.parse(text).text : text).trim()
}

/** Publishes numbers from `from` on, a window at a time, and sees that each came; `meanwhile` is done after each window. */
async function soak(
  broker: TestBroker,
  consumers: Consumers,
  topic: string,
  qos: QoS,
  { count = MESSAGES, meanwhile }: { count?: number; meanwhile?: (sent: number) => Promise<void> } = {},
): Promise<void> {
  const sender = await open(broker, { user: 'sender' })
  const already = consumers.seen.size
  for (let sent = 0; sent < count; ) {
    for (let i = 0; i < WINDOW; i++, sent++) await publish(sender, topic, `${already + sent}${PADDING}`, { qos })
    await consumers.until(already + sent)
    await meanwhile?.(sent)
  }
}

/** A client with the filter, whose messages are acknowledged. */
async function consumer(
  broker: TestBroker,
  consumers: Consumers,
  id: string,
  filter: string,
  { kept = false, qos = 1 as QoS }: { kept?: boolean; qos?: QoS } = {},
): Promise<RawClient> {
  const client = await open5(broker, { user: 'ann', id, clean: !kept, expiry: kept ? 3600 : 0 })
  consumers.follow(client)
  await ask(client, filter, qos)
  return client
}

/** Subscribes, or without a QoS unsubscribes, while messages come in. */
async function ask(client: RawClient, filter: string, qos?: QoS): Promise<void> {
  const from = client.packets.length
  const messageId = 1
  if (qos === undefined) client.send({ cmd: 'unsubscribe', messageId, unsubscriptions: [filter] })
  else client.send({ cmd: 'subscribe', messageId, subscriptions: [{ topic: filter, qos }] })
  const answer = qos === undefined ? 'unsuback' : 'suback'
  while (!client.packets.slice(from).some(({ cmd }) => cmd === answer))
    await new Promise((resolve) => client.once('progress', resolve))
}

function start(t: Test): Promise<TestBroker> {
  return startTestBroker(t, { acl: OPEN_ACL, limits: LIMITS, store: { level: { sync: false } } })
}

t.test('all arrive, however many', async (t) => {
  const broker = await start(t)
  for (const where of ['plain', 'room'])
    for (const shared of [false, true])
      for (const kept of [false, true])
        for (const qos of [1, 2] as const) {
          const kind = `${where}, QoS ${qos}, ${kept ? 'kept' : 'clean'}, ${shared ? 'a group' : 'a session'}`
          const topic = where === 'room' ? ROOM : `jobs/${kind}`
          const consumers = new Consumers()
          for (const id of shared ? ['one', 'two'] : ['one'])
            await consumer(broker, consumers, `${kind} ${id}`, shared ? `$share/${kept}${qos}/${topic}` : topic, {
              kept,
              qos,
            })
          await soak(broker, consumers, topic, qos)
          t.same(new Set(consumers.seen.values()), new Set([1]), `${kind}: each once`)
          consumers.end()
        }
})

const JOBS = '$share/g/jobs/a'

/** Ways in which what a group holds need not outlive its connections any more, or never had to. */
const BECOMING_CLEAN: Record<string, (broker: TestBroker, consumers: Consumers) => Promise<unknown>> = {
  'its kept member unsubscribes': async (broker, consumers) => {
    const kept = await consumer(broker, consumers, 'kept', JOBS, { kept: true })
    await soak(broker, consumers, 'jobs/a', 1, { count: 30 })
    return ask(kept, JOBS)
  },
  'the session of its kept member ends': async (broker, consumers) => {
    await leave(broker, await consumer(broker, consumers, 'kept', JOBS, { kept: true }))
    await soak(broker, consumers, 'jobs/a', 1, { count: 30 })
    return open5(broker, { user: 'ann', id: 'kept', clean: true })
  },
  'its kept member changes to QoS 0': async (broker, consumers) => {
    const kept = await consumer(broker, consumers, 'kept', JOBS, { kept: true })
    await soak(broker, consumers, 'jobs/a', 1, { count: 30 })
    return ask(kept, JOBS, 0)
  },
  'its kept member asks for QoS 0 alone': (broker, consumers) =>
    consumer(broker, consumers, 'live', JOBS, { kept: true, qos: 0 }),
}

t.test('a group of clean members goes on when it has nothing to keep any more', async (t) => {
  const broker = await start(t)
  for (const [how, become] of Object.entries(BECOMING_CLEAN)) {
    const consumers = new Consumers()
    await consumer(broker, consumers, 'clean', JOBS)
    await become(broker, consumers)
    await soak(broker, consumers, 'jobs/a', 1)
    t.same(new Set(consumers.seen.values()), new Set([1]), `${how}: each once`)
    consumers.end()
  }
})

t.test('a group of clean members goes on while others come, go and change their QoS', async (t) => {
  const broker = await start(t)
  const consumers = new Consumers()
  await consumer(broker, consumers, 'stays', JOBS)
  let other = await consumer(broker, consumers, 'other', JOBS)
  const changes = [
    async () => {
      await cut(broker, other)
      other = await consumer(broker, consumers, 'other', JOBS)
    },
    async () => {
      await ask(other, JOBS)
      await ask(other, JOBS, 1)
    },
    () => ask(other, JOBS, 2),
    () => ask(other, JOBS, 0),
  ]
  await soak(broker, consumers, 'jobs/a', 2, {
    meanwhile: (sent) => changes[(sent / WINDOW) % changes.length]!(),
  })
})
