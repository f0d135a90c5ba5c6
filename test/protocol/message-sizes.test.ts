/** What a message counts for in the bounds of bytes: all that was sent of it, also what MQTT 5 adds. */
import type { IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { message, open5 } from '../helpers/mqtt5.js'
import { ProbeStream } from '../helpers/probe-stream.js'
import { connectPacket, leave, OPEN_ACL, open, publish, subscribe, take } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

const LARGE: Partial<IPublishPacket> = { properties: { userProperties: { k: 'v'.repeat(990) } } }

t.test('the properties of a message count in the queue of a session that is away', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { queueBytes: 5500 } })
  const away = await open(broker, { user: 'bob', id: 'away', clean: false })
  await subscribe(away, ['f/+', 1])
  await leave(broker, away)
  const ann = await open5(broker)
  const { queue } = broker.running.store
  for (let i = 0; i < 15; i++) await publish(ann, 'f/x', 'x', LARGE)
  t.equal(queue.size('bob/away').messages, 5)
  t.equal(queue.dropped, 10)
})

t.test('and among those that wait for the window of a clean session', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { queueBytes: 5500, backlogBytes: 0, inflight: 1 } })
  const reader = await open(broker, { user: 'bob' })
  await subscribe(reader, ['f/+', 1])
  const ann = await open5(broker)
  for (let i = 0; i < 15; i++) await publish(ann, 'f/x', 'x', LARGE)
  t.equal(broker.running.counters.get('dropped.queue_full'), 15 - 1 - 5)
})

t.test('more properties than limits.propertyBytes are refused, as is a will with them', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { propertyBytes: 900 } })
  const ann = await open5(broker, { properties: { requestProblemInformation: true } })
  ann.send(message('f/x', 'x', LARGE))
  const { reasonCode, properties } = await take(ann, 'puback')
  t.equal(reasonCode, 0x97)
  t.match(properties?.reasonString, /the properties take \d+ bytes; at most 900 \(limits.propertyBytes\)/)
  ann.send(message('rooms/lobby/messages', 'x', LARGE))
  t.equal((await take(ann, 'puback')).reasonCode, 0x97)
  ann.send(message('f/x', 'x', { properties: { correlationData: Buffer.alloc(901) } }))
  t.equal((await take(ann, 'puback')).reasonCode, 0x97)
  await publish(ann, 'f/x', 'x', { properties: { userProperties: { k: 'v'.repeat(800) } } })

  const late = new RawClient(broker, 5)
  const will = { topic: 'f/w', payload: 'gone', properties: { userProperties: { k: 'v'.repeat(990) } } }
  late.send(await connectPacket(broker, { version: 5, will }))
  const connack = await take(late, 'connack')
  t.equal(connack.reasonCode, 0x95)
  t.match(connack.properties?.reasonString, /the will: the properties take/)
})

t.test('no more is read of a client than limits.receiveBytes that the store does not have yet', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { receiveBytes: 100_000 } })
  const ann = await ProbeStream.login(broker, 'ann')
  const { store } = broker.running
  const commit = store.commit.bind(store)
  const held: Parameters<typeof commit>[0][] = []
  store.commit = (change) => void held.push(change)
  const payload = 'x'.repeat(30_000)
  const packets = Array.from({ length: 12 }, (_, i) => message('f/x', payload, { messageId: i + 1 }))
  ann.receive(...packets)
  t.equal(held.length, 4)
  store.commit = commit
  for (const change of held) commit(change)
  await ann.until(({ cmd }) => cmd === 'puback', packets.length)
})
