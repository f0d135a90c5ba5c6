/** What a message counts for in the bounds of bytes: all that was sent of it, also what MQTT 5 adds. */
import mqttPacket, { type IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { message, open5 } from '../helpers/mqtt5.js'
import { ProbeStream } from '../helpers/probe-stream.js'
import { connectPacket, leave, OPEN_ACL, open, publish, subscribe, take, untilPong } from '../helpers/protocol.js'
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
  const packets = Array.from({ length: 12 }, (_, i) => message('f/x', payload, { messageId: i + 1, retain: true }))
  ann.receive(...packets)
  t.equal(held.length, 4)
  store.commit = commit
  for (const change of held) commit(change)
  await ann.until(({ cmd }) => cmd === 'puback', packets.length)
})

t.test('a PUBLISH longer than limits.packetBytes, of a client that is not told', async (t) => {
  for (const version of [3, 4] as const) {
    for (const qos of [0, 1, 2] as const) {
      await t.test(
        `MQTT ${version === 3 ? '3.1' : '3.1.1'}, QoS ${qos}: is refused and acknowledged, and the client goes on`,
        async (t) => {
          const broker = await startTestBroker(t, { acl: OPEN_ACL })
          const watcher = await open(broker, { user: 'bob' })
          await subscribe(watcher, ['f/#', 0])
          const ann = await open(broker, { version, id: 'sensor' })
          await subscribe(ann, ['users/ann/replies', 0])
          const large = message('f/large', Buffer.alloc(2_000_000), { qos, messageId: 7 })
          ann.send(large, message('f/after', 'x', { qos: 1, messageId: 8 }))
          const got = { puback: [] as unknown[], pubrec: [] as unknown[], publish: [] as unknown[] }
          while (!got.puback.includes(8) || got.publish.length === 0) {
            const packet = (await ann.next())!
            got[packet.cmd as keyof typeof got].push(
              packet.cmd === 'publish' ? JSON.parse(packet.payload.toString()) : packet.messageId,
            )
          }
          t.same(got.puback, qos === 1 ? [7, 8] : [8])
          t.same(got.pubrec, qos === 2 ? [7] : [])
          const why = 'the payload has 2000000 bytes; a packet at most 1131072 (limits.packetBytes)'
          t.match(got.publish, [
            { method: 'send', ok: false, topic: 'f/large', error: { code: 'too_large', message: why } },
          ])
          if (qos === 2) {
            ann.send({ ...large, dup: true })
            t.equal((await take(ann, 'pubrec')).messageId, 7, 'nor does it matter when it is sent again')
            ann.send({ cmd: 'pubrel', messageId: 7 })
            await take(ann, 'pubcomp')
          }
          t.equal((await take(watcher, 'publish')).topic, 'f/after')
          t.same(await untilPong(watcher), [])
          const { counters } = broker.running
          t.equal(counters.get('refused.too_large'), 1)
          t.equal(counters.get('skipped.payload_bytes'), qos === 2 ? 4_000_000 : 2_000_000)
        },
      )
    }
  }

  await t.test('takes no memory, however long it is', async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const ann = await ProbeStream.login(broker, 'ann')
    const length = 200_000_000
    const head = mqttPacket.generate(message('f/large', '', { messageId: 7 })).subarray(2)
    ann.emit('data', Buffer.concat([Buffer.from([0x32]), remainingLength(head.length + length), head]))
    const chunk = Buffer.alloc(65_536)
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    for (let sent = 0; sent < length; sent += chunk.length) {
      ann.emit('data', chunk.subarray(0, length - sent))
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }
    await ann.until(({ cmd }) => cmd === 'puback')
    t.ok(most < 1_000_000, `${most} bytes more`)
    t.equal(broker.running.counters.get('skipped.payload_bytes'), length)
  })

  await t.test('counts among the bytes of limits.rates with all that was sent', async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { rates: { publishBytes: 150_000 } } })
    const ann = await open(broker)
    await publish(ann, 'f/large', Buffer.alloc(1_400_000))
    t.equal(broker.running.counters.get('rests'), 0)
    await publish(ann, 'f/large', Buffer.alloc(1_400_000))
    t.equal(broker.running.counters.get('rests'), 1)
  })

  await t.test('closes with auth.onRefused: close', async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL, auth: { onRefused: 'close' } })
    const ann = await open(broker)
    ann.send(message('f/large', Buffer.alloc(2_000_000), { messageId: 7 }))
    await ann.whenClosed()
    t.same(ann.pending, [])
  })

  await t.test('closes where its topic is none, or does not fit', async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { payloadBytes: 1000, packetBytes: 2000 } })
    for (const topic of ['f/+', '', 'f/'.repeat(1500)]) {
      const ann = await open(broker)
      ann.send(message(topic, Buffer.alloc(3000), { messageId: 7 }))
      await ann.whenClosed()
      t.same(ann.pending, [], topic.slice(0, 10))
    }
  })
})

function remainingLength(length: number): Buffer {
  return Buffer.from([0, 7, 14, 21].map((shift) => ((length >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0)))
}
