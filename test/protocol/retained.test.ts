/** Retained messages, room info and presence beside what comes live: one cut between snapshot and stream [MQTT-3.3.1-6, MQTT-4.6.0-6]. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { inTime } from '../helpers/patience.js'
import { cut, OPEN_ACL, open, publish, subscribe } from '../helpers/protocol.js'
import { Random } from '../helpers/random.js'
import type { RawClient } from '../helpers/raw-client.js'
import { people, privateRoom } from '../helpers/rooms.js'

type QoS = 0 | 1 | 2

/** As of inTime. */
const LOOKS = 200

const KINDS: readonly (readonly [clean: boolean, qos: QoS])[] = [
  [true, 0],
  [true, 1],
  [true, 2],
  [false, 0],
  [false, 1],
  [false, 2],
]

function retain(topic: string, payload: string, qos: QoS, messageId = 1): Packet {
  return { cmd: 'publish', topic, payload, qos, messageId, retain: true, dup: false }
}

function asking(topic: string, qos: QoS, messageId = 7, more = {}): Packet {
  return { cmd: 'subscribe', messageId, subscriptions: [{ topic, qos, ...more }] } as Packet
}

/** Acknowledges what comes, as a client does. */
function acknowledging(client: RawClient): RawClient {
  client.stream.setMaxListeners(0)
  let answered = 0
  client.on('progress', () => {
    for (; answered < client.packets.length; answered++) {
      const packet = client.packets[answered]!
      if (packet.cmd === 'publish' && packet.qos === 1) client.send({ cmd: 'puback', messageId: packet.messageId! })
      if (packet.cmd === 'publish' && packet.qos === 2) client.send({ cmd: 'pubrec', messageId: packet.messageId! })
      if (packet.cmd === 'pubrel') client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
    }
  })
  return client
}

function publishes(client: RawClient): IPublishPacket[] {
  return client.packets.filter((packet): packet is IPublishPacket => packet.cmd === 'publish')
}

async function until(client: RawClient, done: () => boolean): Promise<void> {
  while (!done() && !client.closed) await new Promise((resolve) => client.once('progress', resolve))
}

/** So many turns of the event loop later. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** All that was under way has come: PINGRESPs lie between, while anything comes. */
async function quiet(client: RawClient): Promise<void> {
  for (let seen = -1; seen < publishes(client).length; ) {
    seen = publishes(client).length
    const pongs = client.packets.filter(({ cmd }) => cmd === 'pingresp').length
    client.send({ cmd: 'pingreq' })
    await until(client, () => client.packets.filter(({ cmd }) => cmd === 'pingresp').length > pongs)
  }
}

function shown({ payload, retain }: IPublishPacket): string {
  return `${payload}${retain ? ' retained' : ''}`
}

t.test('what is published before a SUBSCRIBE on the same connection is in its snapshot alone', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const pub = await open(broker, { user: 'pub' })
  for (const version of [4, 5] as const)
    for (const [clean, qos] of KINDS)
      await t.test(`version ${version}, ${clean ? 'clean' : 'kept'}, QoS ${qos}`, async (t) => {
        const topic = `t/${version}/${clean}/${qos}`
        /** Sends packets in one piece; this is all that comes for them. */
        const hears = async (id: string, expected: string[], ...packets: Packet[]): Promise<void> => {
          const client = acknowledging(await open(broker, { version, clean, id: `${topic}${id}` }))
          client.send(...packets)
          await until(client, () => client.packets.some(({ cmd }) => cmd === 'suback'))
          await until(client, () => publishes(client).length >= expected.length)
          // Whatever was published before is told by now.
          await publish(pub, 't/other')
          await quiet(client)
          t.strictSame(publishes(client).map(shown), expected)
          await cut(broker, client)
        }
        await hears('a', ['x retained'], retain(topic, 'x', qos), asking(topic, qos))
        const several = [retain(topic, 'a', 0), retain(topic, 'b', qos), retain(topic, 'c', 0)]
        await hears('b', ['c retained'], ...several, asking('t/none', qos, 8), asking(topic, qos))
        const other = { ...retain(`${topic}/n`, 'x', qos), retain: false } as Packet
        await hears('c', [], other, asking(`${topic}/n`, qos))
        await hears('d', [], retain(topic, 'd', qos), asking(`$share/g/${topic}`, qos))
        if (version === 5) await hears('e', [], retain(topic, 'e', qos), asking(topic, qos, 7, { rh: 2 }))
      })
})

t.test('a subscriber that comes while a topic changes sees each value once, in order, and the last one', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const random = Random.from('RETAINED_SEED')
  t.comment(`RETAINED_SEED=${random.seed}`)
  const pub = await open(broker, { user: 'pub' })
  const writer = acknowledging(await open(broker, { user: 'writer' }))
  let packetId = 0
  for (const [clean, qos] of KINDS)
    await t.test(`${clean ? 'clean' : 'kept'}, QoS ${qos}`, async (t) => {
      for (let round = 0; round < 25; round++) {
        const topic = `t/change/${clean}/${qos}/${round}`
        const last = 1 + random.below(6)
        const clears = random.chance(0.3)
        // Between messages of different QoS there is no order [MQTT-4.6.0-6].
        const publishQos = random.below(3) as QoS
        const burst = Array.from({ length: last }, (_, i) => {
          const value = clears && i === last - 1 ? '' : String(i + 1)
          return retain(topic, value, publishQos, ++packetId)
        })
        if (random.chance(0.8)) await publish(pub, topic, '0', { retain: true })
        const sub = acknowledging(await open(broker, { clean, id: `s/${clean}/${qos}/${round}` }))
        const ask = (): void => sub.send(asking(topic, qos))
        const go = async (): Promise<void> => {
          for (const packet of burst) {
            writer.send(packet)
            if (random.chance(0.3)) await turns(random.below(4))
          }
        }
        if (random.chance(0.3)) ask()
        else setTimeout(ask, random.below(3))
        await turns(random.below(6))
        await go()
        await until(sub, () => sub.packets.some(({ cmd }) => cmd === 'suback'))
        writer.send({ ...retain(topic, 'end', publishQos, ++packetId), retain: false } as Packet)
        await until(sub, () => publishes(sub).some(({ payload }) => payload.toString() === 'end'))
        const seen = (): string[] => publishes(sub).map(({ payload }) => payload.toString())
        const values = (): number[] =>
          seen()
            .filter((value) => value !== 'end')
            .map((value) => (value === '' ? last : Number(value)))
        const isWhole = (): boolean => (values().length > 0 ? values().at(-1) === last : clears)
        const failed = (): Error => new Error(`round ${round}: ${last}${clears ? ' clears' : ''}, seen ${seen()}`)
        // What is read from the store may come behind what is published later.
        await inTime(until(sub, isWhole), LOOKS, failed)
        await quiet(sub)
        const ascending = values().every((value, i, all) => i === 0 || value > all[i - 1]!)
        if (!ascending || !isWhole()) throw failed()
        await cut(broker, sub)
      }
      t.pass()
    })
})

for (const times of [1, 2])
  t.test(
    `a newer value that goes past the queue does not let the older one come behind it, asked for ${times} times`,
    async (t) => {
      const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { inflight: 1 } })
      const pub = await open(broker, { user: 'pub' })
      for (const topic of ['t/a', 't/b', 't/c']) await publish(pub, topic, 'old', { retain: true })
      const sub = await open(broker, { id: 'kept', clean: false })
      for (let i = 0; i < times; i++) sub.send(asking('t/+', 1, 7 + i))
      await until(sub, () => sub.packets.filter(({ cmd }) => cmd === 'suback').length === times)
      await until(sub, () => publishes(sub).length === 1)
      await turns(20)
      await publish(pub, 't/c', 'new', { qos: 0, retain: true })
      await publish(pub, 't/end', 'end')
      acknowledging(sub)
      sub.emit('progress')
      await until(sub, () => publishes(sub).some(({ payload }) => payload.toString() === 'end'))
      const ofC = publishes(sub).filter(({ topic }) => topic === 't/c')
      t.strictSame(ofC.map(shown), ['new'])
    },
  )

t.test('a snapshot is paced, never dropped', async (t) => {
  const limits = { queueMessages: 10, queueBytes: 20_000, inflight: 4 }
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits })
  const pub = await open(broker, { user: 'pub' })
  const COUNT = 60
  const payload = 'x'.repeat(3000)
  for (let i = 0; i < COUNT; i++) await publish(pub, `t/many/${i}`, payload, { qos: 2, retain: true })
  await publish(pub, 't/many/large', 'x'.repeat(30_000), { qos: 2, retain: true })
  for (const [clean, qos] of KINDS)
    await t.test(`retained messages: ${clean ? 'clean' : 'kept'}, QoS ${qos}`, async (t) => {
      const sub = acknowledging(await open(broker, { clean, id: `p/${clean}/${qos}` }))
      await subscribe(sub, ['t/many/+', qos])
      await until(sub, () => publishes(sub).length >= COUNT + 1)
      t.equal(new Set(publishes(sub).map(({ topic }) => topic)).size, COUNT + 1)
      await cut(broker, sub)
    })
})

t.test('room info and presence are paced, too, and as they are when they go', async (t) => {
  const COUNT = 40
  const { broker, mel, bob } = await people(t, ['mel', 'bob'], { limits: { queueMessages: 6, inflight: 2 } })
  for (let i = 0; i < COUNT; i++) {
    await privateRoom(`r${i}`, mel)
    const friend = `friend${i}`
    broker.running.store.commit({
      drafts: [],
      ops: [
        broker.running.store.directory.contactOp('mel', friend, 1),
        broker.running.store.directory.contactOp(friend, 'mel', 1),
      ],
      settled() {},
    })
  }
  for (const [clean, qos] of KINDS)
    await t.test(`${clean ? 'clean' : 'kept'}, QoS ${qos}`, async (t) => {
      const client = await open(broker, { user: 'mel', clean, id: `i/${clean}/${qos}` })
      await subscribe(client, ['rooms/+/info', qos], ['users/+/presence', qos])
      if (qos > 0) {
        // The window is full: what waits is not made yet.
        await mel.get('rooms.update', { room: `r${COUNT - 1}`, name: `name ${clean} ${qos}` })
      }
      acknowledging(client)
      client.emit('progress')
      const ofRooms = () => publishes(client).filter(({ topic }) => topic.endsWith('/info'))
      const ofPeople = () => publishes(client).filter(({ topic }) => topic.endsWith('/presence'))
      await until(client, () => new Set(ofRooms().map(({ topic }) => topic)).size === COUNT)
      await until(client, () => new Set(ofPeople().map(({ topic }) => topic)).size === COUNT + 1)
      const last = ofRooms().findLast(({ topic }) => topic === `rooms/r${COUNT - 1}/info`)!
      if (qos > 0) t.equal(JSON.parse(last.payload.toString()).name, `name ${clean} ${qos}`)
      t.equal(ofPeople().length, COUNT + 1)
      await cut(broker, client)
    })
  t.ok(bob)
})

t.test('filters are looked for in one walk, and the same ones asked for meanwhile in one more', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const pub = await open(broker, { user: 'pub' })
  for (let i = 0; i < 300; i++) await publish(pub, `t/walk/${i}`, 'x', { retain: true })
  const { queue } = broker.running.store
  const asked: (readonly string[])[] = []
  const retained = queue.retained.bind(queue)
  queue.retained = (filters) => {
    asked.push(filters)
    return retained(filters)
  }
  const sub = await open(broker)
  const filters = Array.from({ length: 100 }, (_, i) => ({ topic: `t/+/${i}`, qos: 0 as const }))
  sub.send({ cmd: 'subscribe', messageId: 1, subscriptions: filters })
  sub.send(...Array.from({ length: 50 }, (_, i) => asking('t/walk/#', 1, 2 + i)))
  await until(sub, () => publishes(sub).length >= 100 + 32)
  t.same(
    asked[0],
    filters.map(({ topic }) => topic),
  )
  // The window is full, the second walk waits: what is asked for till then is one more.
  await until(sub, () => sub.packets.filter(({ cmd }) => cmd === 'suback').length === 51)
  acknowledging(sub)
  sub.emit('progress')
  await quiet(sub)
  t.ok(asked.length <= 4, `${asked.length} walks`)
})
