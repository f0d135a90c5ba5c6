/** Sessions that outlive their connection [MQTT-4.1, MQTT-4.3, MQTT-4.4]: queues, redelivery, QoS 2, windows and order. */
import type { IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import {
  connectPacket,
  cut,
  leave,
  OPEN_ACL,
  open,
  openWith,
  publish,
  subscribe,
  take,
  takePublishes,
  text,
  told,
  untilPong,
} from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'
import { onRedis } from '../helpers/test-store.js'

const ROOM = 'rooms/lobby/messages'
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i)

function packetOf(topic: string, more: Partial<IPublishPacket> = {}): IPublishPacket {
  return { cmd: 'publish', topic, payload: 'x', qos: 1, messageId: 1, retain: false, dup: false, ...more }
}

/** What was said, of a plain message or of a room's. */
function said({ topic, payload }: IPublishPacket): string {
  return topic === ROOM ? JSON.parse(payload.toString()).text : payload.toString()
}

function ack(client: RawClient, { messageId, qos }: IPublishPacket): void {
  if (qos > 0) client.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: messageId! })
}

/** Takes and acknowledges `count` messages, wholly. */
async function consume(client: RawClient, count: number): Promise<string[]> {
  const found: string[] = []
  let releasing = 0
  while (found.length < count || releasing > 0) {
    const packet = await client.next()
    if (packet?.cmd === 'pubrel') {
      client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
      releasing--
    } else if (packet?.cmd === 'publish') {
      found.push(said(packet))
      ack(client, packet)
      if (packet.qos === 2) releasing++
    } else throw new Error(`unexpected ${packet?.cmd ?? 'close'}`)
  }
  return found
}

/** The ways a session may be left and come back. */
const PAUSES: Record<string, (broker: TestBroker, client: RawClient) => Promise<void>> = {
  'after DISCONNECT': leave,
  'after the network failed': cut,
  'after a restart of the broker': async (broker, client) => {
    await broker.restart()
    await client.whenClosed()
  },
  'after a takeover': async () => {},
}

for (const topic of ['t/q', ROOM]) {
  t.test(`a kept session on ${topic}`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    for (const [name, pause] of Object.entries(PAUSES)) {
      for (const qos of [1, 2] as const) {
        await t.test(
          `QoS ${qos}, ${name}: what was sent comes with DUP and its packet id, then what was missed`,
          async (t) => {
            const id = `${name} ${qos}`
            const client = await open(broker, { user: 'bob', id, clean: false })
            await subscribe(client, [topic, qos])
            let ann = await open(broker)
            for (const i of numbers(5)) await publish(ann, topic, `${i}`, { qos: 2 })
            const got = await takePublishes(client, 5)
            t.same(got.map(said), ['0', '1', '2', '3', '4'])
            // The first is acknowledged, and one out of order.
            const unacknowledged = [got[1]!, got[2]!, got[4]!]
            if (qos === 1) for (const i of [0, 3]) ack(client, got[i]!)
            else {
              for (const i of [0, 3]) client.send({ cmd: 'pubrec', messageId: got[i]!.messageId! })
              for (const i of [0, 3]) t.match(await take(client, 'pubrel'), { messageId: got[i]!.messageId })
              for (const i of [0, 3]) client.send({ cmd: 'pubcomp', messageId: got[i]!.messageId! })
            }
            await untilPong(client)
            await pause(broker, client)
            if (name.includes('restart')) ann = await open(broker)
            if (name !== 'after a takeover') for (const i of [5, 6]) await publish(ann, topic, `${i}`, { qos: 2 })
            const [again, connack] = await openWith(broker, { user: 'bob', id, clean: false })
            t.ok(connack.sessionPresent)
            if (name === 'after a takeover') for (const i of [5, 6]) await publish(ann, topic, `${i}`, { qos: 2 })
            const resent = await takePublishes(again, 5)
            t.same(resent.map(said), ['1', '2', '4', '5', '6'], 'in order [MQTT-4.6.0-1]')
            t.same(
              resent.map(({ dup }) => dup),
              [true, true, true, false, false],
              '[MQTT-3.3.1-1]',
            )
            t.same(
              resent.slice(0, 3).map(({ messageId }) => messageId),
              unacknowledged.map(({ messageId }) => messageId),
              '[MQTT-4.4.0-1]',
            )
            const ids = resent.map(({ messageId }) => messageId)
            t.equal(new Set(ids).size, 5, 'no packet id is used twice [MQTT-2.3.1-4]')
            for (const packet of resent) ack(again, packet)
            if (qos === 2) {
              for (const messageId of ids) t.match(await take(again, 'pubrel'), { messageId }, '[MQTT-4.6.0-4]')
              for (const messageId of ids) again.send({ cmd: 'pubcomp', messageId: messageId! })
            }
            await untilPong(again)
            await leave(broker, again)
            const last = await open(broker, { user: 'bob', id, clean: false })
            await publish(ann, topic, 'live')
            t.same((await takePublishes(last, 1)).map(said), ['live'], 'acknowledged for good')
            last.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [topic] })
            await take(last, 'unsuback')
            await leave(broker, last)
          },
        )
      }
      await t.test(`QoS 2, ${name}: after PUBREC comes PUBREL, not PUBLISH [MQTT-4.4.0-1]`, async (t) => {
        const id = `${name} released`
        const client = await open(broker, { user: 'bob', id, clean: false })
        await subscribe(client, [topic, 2])
        const ann = await open(broker)
        await publish(ann, topic, 'once', { qos: 2 })
        const [{ messageId }] = (await takePublishes(client, 1)) as [IPublishPacket]
        client.send({ cmd: 'pubrec', messageId: messageId! })
        await take(client, 'pubrel')
        await pause(broker, client)
        const again = await open(broker, { user: 'bob', id, clean: false })
        t.match(await take(again, 'pubrel'), { messageId }, 'again')
        again.send({ cmd: 'pubcomp', messageId: messageId! })
        t.same(await untilPong(again), [])
        await pause(broker, again)
        const last = await open(broker, { user: 'bob', id, clean: false })
        t.same(await untilPong(last), [], 'and then never again')
        last.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: [topic] })
        await take(last, 'unsuback')
      })
    }
  })

  t.test(`inbound QoS 2 on ${topic}`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    for (const [name, pause] of Object.entries(PAUSES)) {
      await t.test(`${name}: a message sent again is taken once [MQTT-4.3.3-2]`, async (t) => {
        const client = await open(broker, { id: name, clean: false })
        client.send(packetOf(topic, { qos: 2, messageId: 3, payload: name }))
        await take(client, 'pubrec')
        await pause(broker, client)
        const watcher = await open(broker, { user: 'watcher' })
        await subscribe(watcher, [topic, 0])
        const again = await open(broker, { id: name, clean: false })
        again.send(packetOf(topic, { qos: 2, messageId: 3, payload: name, dup: true }))
        t.match(await take(again, 'pubrec'), { messageId: 3 })
        again.send({ cmd: 'pubrel', messageId: 3 })
        t.match(await take(again, 'pubcomp'), { messageId: 3 })
        await pause(broker, again)
        const last = await open(broker, { id: name, clean: false })
        last.send({ cmd: 'pubrel', messageId: 3 })
        t.match(await take(last, 'pubcomp'), { messageId: 3 }, 'PUBREL is answered again')
        last.send(packetOf(topic, { qos: 2, messageId: 3, payload: 'new' }))
        await take(last, 'pubrec')
        last.send({ cmd: 'pubrel', messageId: 3 })
        await take(last, 'pubcomp')
        const listener = name.includes('restart') ? null : watcher
        if (listener) t.same((await takePublishes(listener, 1)).map(said), ['new'], 'once before, and the id is free')
        await leave(broker, last)
      })
    }
    await t.test('a clean session forgets them', async (t) => {
      const watcher = await open(broker, { user: 'watcher' })
      await subscribe(watcher, [topic, 0])
      for (const clean of [false, true, false]) {
        const client = await open(broker, { id: 'forgetful', clean })
        client.send(packetOf(topic, { qos: 2, messageId: 3, payload: `${clean}` }))
        await take(client, 'pubrec')
        await cut(broker, client)
      }
      t.same((await takePublishes(watcher, 3)).map(said), ['false', 'true', 'false'])
    })
  })
}

t.test('what is under way stays so while its filter goes to QoS 0 and back [MQTT-3.10.4-3]', async (t) => {
  const broker = await startTestBroker(t)
  const ann = await open(broker)
  const client = await open(broker, { user: 'bob', id: 'b', clean: false })
  await subscribe(client, [ROOM, 1])
  await publish(ann, ROOM, 'before')
  const [{ messageId }] = (await takePublishes(client, 1)) as [IPublishPacket]
  await subscribe(client, [ROOM, 0])
  await publish(ann, ROOM, 'live')
  t.same((await takePublishes(client, 1)).map(said), ['live'])
  await subscribe(client, [ROOM, 1])
  await cut(broker, client)
  await publish(ann, ROOM, 'away')
  const again = await open(broker, { user: 'bob', id: 'b', clean: false })
  const got = await takePublishes(again, 2)
  t.same(got.map(said), ['before', 'away'])
  t.match(got[0], { dup: true, messageId })
  for (const packet of got) ack(again, packet)
  t.same(await untilPong(again), [])
})

t.test('a publish that waits in a hook while the session is taken over is taken once', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const { aedes } = broker.running
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, ['t/h', 0])
  const waiting: (() => void)[] = []
  const hooked = new Promise<void>((resolve) => {
    aedes.authorizePublish = (_client, _packet, done) => {
      waiting.push(() => done(null))
      resolve()
    }
  })
  const old = await open(broker, { id: 'c', clean: false })
  old.send(packetOf('t/h', { qos: 2, messageId: 9, payload: 'once' }))
  await hooked
  const young = await open(broker, { id: 'c', clean: false })
  young.send(packetOf('t/h', { qos: 2, messageId: 9, payload: 'once', dup: true }))
  waiting[0]!()
  while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve))
  waiting[1]!()
  await take(young, 'pubrec')
  aedes.authorizePublish = (_client, _packet, done) => done(null)
  await publish(young, 't/h', 'end')
  t.same((await takePublishes(watcher, 2)).map(text), ['once', 'end'])
})

t.test('what is queued', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const ann = await open(broker)
  const { queue } = broker.running.store
  await t.test('QoS 1 and 2 for filters of QoS 1 and 2, no more', async (t) => {
    const client = await open(broker, { user: 'bob', id: 'c', clean: false })
    await subscribe(client, ['q/0', 0], ['q/1', 1], ['q/2', 2], ['q/+', 0])
    await leave(broker, client)
    for (const level of [0, 1, 2]) {
      for (const qos of [0, 1, 2] as const) await publish(ann, `q/${level}`, 'x', { qos })
    }
    await publish(ann, 'q/end')
    t.equal(queue.size('bob/c').messages, 4)
    const again = await open(broker, { user: 'bob', id: 'c', clean: false })
    t.same((await takePublishes(again, 4)).map(told), ['q/1 x q1', 'q/1 x q1', 'q/2 x q1', 'q/2 x q2'])
    t.same(await untilPong(again), [])
  })
  await t.test('a message of a kept session is kept once, however many filters and sessions', async (t) => {
    const before = broker.running.store.counts.writes
    for (const id of ['one', 'two', 'three']) {
      const client = await open(broker, { user: 'bob', id, clean: false })
      await subscribe(client, ['m/+', 1], ['m/#', 2])
      await leave(broker, client)
    }
    await publish(ann, 'm/1', 'x'.repeat(1000), { qos: 2 })
    // Records of the embedded store, or commands of Redis.
    t.ok(broker.running.store.counts.writes - before < (onRedis ? 100 : 40))
    for (const id of ['one', 'two', 'three']) t.same(queue.size(`bob/${id}`), { messages: 1, bytes: 1003 })
  })
  await t.test('a retained one that waits keeps its flag', async (t) => {
    await publish(ann, 'k/1', 'kept', { retain: true })
    const client = await open(broker, { user: 'bob', id: 'k', clean: false })
    await subscribe(client, ['k/1', 1])
    t.same((await takePublishes(client, 1)).map(told), ['k/1 kept q1 retain'])
    await leave(broker, client)
    await publish(ann, 'k/1', 'newer', { retain: true })
    const again = await open(broker, { user: 'bob', id: 'k', clean: false })
    t.same((await takePublishes(again, 2)).map(told), ['k/1 kept q1 retain dup', 'k/1 newer q1'])
  })
  await t.test('clean session discards all of it [MQTT-3.1.2-6]', async (t) => {
    const client = await open(broker, { user: 'bob', id: 'gone', clean: false })
    await subscribe(client, ['g/1', 1], [ROOM, 1])
    client.send(packetOf('g/2', { qos: 2, messageId: 4 }))
    await take(client, 'pubrec')
    await leave(broker, client)
    await publish(ann, 'g/1')
    await leave(broker, await open(broker, { user: 'bob', id: 'gone', clean: true }))
    t.equal(queue.size('bob/gone').messages, 0)
    t.equal(await broker.running.store.sessions.load('bob/gone'), null)
    const [again, connack] = await openWith(broker, { user: 'bob', id: 'gone', clean: false })
    t.notOk(connack.sessionPresent)
    await publish(ann, 'g/1')
    await publish(ann, ROOM, 'hello')
    t.same(await untilPong(again), [])
  })
  await t.test('a clean session is gone with its connection', async (t) => {
    const client = await open(broker, { user: 'bob', id: 'short', clean: true })
    await subscribe(client, ['s/1', 1])
    await cut(broker, client)
    await publish(ann, 's/1')
    t.equal(queue.size('bob/short').messages, 0)
    const [again, connack] = await openWith(broker, { user: 'bob', id: 'short', clean: false })
    t.notOk(connack.sessionPresent)
    t.same(await untilPong(again), [])
  })
  await t.test('a session that is too old is gone', async (t) => {
    const { sessions } = broker.running.store
    await leave(broker, await open(broker, { user: 'bob', id: 'old', clean: false }))
    const { record } = (await sessions.load('bob/old'))!
    await sessions.writeLazily([sessions.recordOp({ ...record, disconnectedAt: 1 })])
    const [, connack] = await openWith(broker, { user: 'bob', id: 'old', clean: false })
    t.notOk(connack.sessionPresent)
  })
})

t.test('a full queue drops the newest, counted', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { queueMessages: 10, queueBytes: 5000 } })
  const ann = await open(broker)
  const { queue } = broker.running.store
  for (const [name, topic, payload, fits] of [
    ['messages', 'f/m', 'x', 10],
    ['bytes', 'f/b', 'y'.repeat(990), 5],
  ] as const) {
    await t.test(`limits of ${name}`, async (t) => {
      const client = await open(broker, { user: 'bob', id: name, clean: false })
      await subscribe(client, [topic, 1])
      await leave(broker, client)
      const before = queue.dropped
      for (const i of numbers(15)) await publish(ann, topic, `${payload}${i}`.slice(-payload.length - 1))
      t.equal(queue.dropped - before, 15 - fits)
      const again = await open(broker, { user: 'bob', id: name, clean: false })
      const got = await consume(again, fits)
      t.same(
        got.map((one) => Number(/\d+$/.exec(one))),
        numbers(fits),
        'the oldest are there',
      )
      while (queue.size(`bob/${name}`).messages >= fits) await new Promise((resolve) => setImmediate(resolve))
      await publish(ann, topic, 'after')
      t.same(await consume(again, 1), ['after'], 'room again')
    })
  }
  await t.test('acknowledging makes room at once: a client that keeps up loses nothing', async (t) => {
    const client = await open(broker, { user: 'bob', id: 'fast', clean: false })
    await subscribe(client, ['f/fast', 1])
    const before = queue.dropped
    for (const i of numbers(100)) {
      await publish(ann, 'f/fast', `${i}`)
      t.same(await consume(client, 1), [`${i}`])
    }
    t.equal(queue.dropped, before)
  })
  await t.test('a clean session that does not acknowledge: bounded too', async (t) => {
    const client = await open(broker, { user: 'bob' })
    await subscribe(client, ['f/clean', 1])
    for (const i of numbers(60)) await publish(ann, 'f/clean', `${i}`)
    const got = await consume(client, 42)
    t.same(got.map(Number), numbers(42), 'the window and the queue')
    t.same(await untilPong(client), [])
    t.equal(broker.running.counters.all()['dropped.queue_full'], 18)
  })
})

t.test('limits.inflight', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { inflight: 4 } })
  const ann = await open(broker)
  const sources: Record<string, [string[], boolean]> = {
    'a clean session, plain topics': [['w/1'], true],
    'a kept session, plain topics': [['w/1'], false],
    'a room': [[ROOM], false],
    'all of them together': [['w/1', ROOM, 'w/2', 'devices/bob/x'], false],
  }
  for (const [name, [topics, clean]] of Object.entries(sources)) {
    for (const qos of [1, 2] as const) {
      await t.test(`${name}: at most so many QoS ${qos} messages unacknowledged`, async (t) => {
        const publisher = await open(broker, { user: 'bob' })
        const client = await open(broker, { user: 'bob', id: `${name} ${qos}`, clean })
        await subscribe(client, ...topics.map((topic): [string, 1 | 2] => [topic, qos]))
        const total = 12 * topics.length
        for (const _ of numbers(12)) {
          for (const topic of topics)
            await publish(topic.startsWith('devices') ? publisher : ann, topic, 'x', { qos: 2 })
        }
        let received = 0
        const released: number[] = []
        while (received < total) {
          const window: IPublishPacket[] = []
          while (window.length < 4 && received + window.length < total) {
            const packet = await client.next()
            if (packet?.cmd === 'publish') window.push(packet)
          }
          const more = await untilPong(client)
          t.same(
            more.filter(({ cmd }) => cmd === 'publish'),
            [],
            'the window is full',
          )
          received += window.length
          t.equal(new Set(window.map(({ messageId }) => messageId)).size, window.length)
          for (const packet of window) ack(client, packet)
          if (qos === 1) continue
          const rels = more.filter(({ cmd }) => cmd === 'pubrel')
          while (rels.length < window.length) rels.push(await take(client, 'pubrel'))
          t.same(
            (await untilPong(client)).filter(({ cmd }) => cmd === 'publish'),
            [],
            'a QoS 2 message counts until PUBCOMP',
          )
          for (const { messageId } of rels) {
            released.push(messageId!)
            client.send({ cmd: 'pubcomp', messageId: messageId! })
          }
        }
        t.same(await untilPong(client), [])
        client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: topics })
        await take(client, 'unsuback')
      })
    }
  }
})

t.test('live delivery does not overtake the replay', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { inflight: 8 } })
  for (const topic of ['l/1', ROOM]) {
    for (const qos of [1, 2] as const) {
      await t.test(`${topic}, QoS ${qos}`, async (t) => {
        const id = `${topic} ${qos}`
        const client = await open(broker, { user: 'bob', id, clean: false })
        await subscribe(client, [topic, qos])
        await leave(broker, client)
        const ann = await open(broker)
        for (const i of numbers(150)) ann.send(packetOf(topic, { payload: `${i}`, messageId: i + 1, qos: 2 }))
        for (const i of numbers(150)) t.match(await take(ann, 'pubrec'), { messageId: i + 1 })
        const again = new RawClient(broker)
        again.send(await connectPacket(broker, { user: 'bob', id, clean: false }))
        for (const i of numbers(150, 150)) ann.send(packetOf(topic, { payload: `${i}`, messageId: i + 1, qos: 2 }))
        await take(again, 'connack')
        t.same((await consume(again, 300)).map(Number), numbers(300))
        t.same(await untilPong(again), [])
        await leave(broker, again)
        await cut(broker, ann)
      })
    }
  }
})

t.test('a session that comes and goes while it is sent to loses and repeats nothing it acknowledged', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { inflight: 8 } })
  for (const topic of ['l/1', ROOM]) {
    await t.test(topic, async (t) => {
      const ann = await open(broker)
      const opening = { user: 'bob', id: `flapping ${topic}`, clean: false }
      let client = await open(broker, opening)
      await subscribe(client, [topic, 2])
      for (const i of numbers(200)) ann.send(packetOf(topic, { payload: `${i}`, messageId: i + 1, qos: 2 }))
      const got: number[] = []
      const known = new Map<number, number>()
      for (let step = 0; got.length < 200; step++) {
        if (step % 13 === 12) {
          if (step % 2 === 0) await cut(broker, client)
          client = await open(broker, opening)
        }
        const packet = await client.next()
        if (packet?.cmd === 'pubrel') {
          client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
          known.delete(packet.messageId!)
        } else if (packet?.cmd === 'publish') {
          const number = Number(said(packet))
          // A receiver of QoS 2 tells a repetition by its packet id [MQTT-4.3.3-2].
          if (known.get(packet.messageId!) !== number) got.push(number)
          else t.ok(packet.dup, 'a repetition says so')
          known.set(packet.messageId!, number)
          ack(client, packet)
        }
      }
      t.same(got, numbers(200))
    })
  }
})

t.test('what is read while the window fills waits for the window', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { inflight: 4 } })
  const { log, queue } = broker.running.store
  const ann = await open(broker)
  for (const [slow, fast, store] of [
    ['w/1', ROOM, queue],
    [ROOM, 'w/1', log],
  ] as const) {
    await t.test(`${slow} is read, ${fast} is live`, async (t) => {
      const opening = { user: 'bob', id: slow, clean: false }
      const client = await open(broker, opening)
      await subscribe(client, [slow, 1], [fast, 1])
      await leave(broker, client)
      for (const i of numbers(4)) await publish(ann, slow, `${i}`)
      const { read } = store
      let release = (): void => {}
      const gate = new Promise<void>((resolve) => (release = resolve))
      const delivered = new Promise<void>((resolve) => {
        store.read = async (...args: unknown[]) => {
          const found = await (read as (...args: unknown[]) => Promise<never>).apply(store, args)
          await gate
          setImmediate(resolve)
          return found
        }
      })
      const again = await open(broker, opening)
      t.same(await untilPong(again), [], 'the session is back, and reads')
      for (const i of numbers(4)) await publish(ann, fast, `live ${i}`)
      const live = await takePublishes(again, 4)
      t.same(live.map(said), ['live 0', 'live 1', 'live 2', 'live 3'])
      store.read = read as never
      release()
      await delivered
      t.same(await untilPong(again), [], 'the window is full')
      for (const packet of live) ack(again, packet)
      t.same(await consume(again, 4), ['0', '1', '2', '3'])
      await leave(broker, again)
    })
  }
})

t.test('a QoS 2 publish that is still joining its room while the session is taken over is taken once', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const { store } = broker.running
  const watcher = await open(broker, { user: 'watcher' })
  await subscribe(watcher, [ROOM, 0])
  const old = await open(broker, { id: 'c', clean: false })
  const { commit } = store
  const held: (() => void)[] = []
  const joining = new Promise<void>((resolve) => {
    store.commit = (change) => {
      store.commit = commit
      held.push(() => store.commit(change))
      resolve()
    }
  })
  const message = packetOf(ROOM, { qos: 2, messageId: 9, payload: 'once' })
  old.send(message)
  await joining
  const young = new RawClient(broker)
  young.send(await connectPacket(broker, { id: 'c', clean: false }), { ...message, dup: true })
  await old.whenClosed()
  for (const _ of numbers(20)) await untilPong(watcher)
  held[0]!()
  await take(young, 'connack')
  await take(young, 'pubrec')
  await publish(young, ROOM, 'end')
  t.same((await takePublishes(watcher, 2)).map(said), ['once', 'end'])
})

t.test('what is sent again goes in the order it left in, across topics and QoS [MQTT-4.6.0-1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const client = await open(broker, { id: 'c', clean: false })
  await subscribe(client, ['t/#', 2], ['rooms/lobby/messages', 2])
  const [one, two] = [await open(broker, { user: 'bob' }), await open(broker, { user: 'cleo' })]
  for (let i = 1; i <= 5; i++) {
    one.send({ cmd: 'publish', topic: 'rooms/lobby/messages', payload: `r${i}`, qos: 2, messageId: i } as never)
    two.send({ cmd: 'publish', topic: 't/a', payload: `p${i}`, qos: 1, messageId: i } as never)
  }
  const sent = (await takePublishes(client, 10)).map(({ messageId }) => messageId)
  await cut(broker, client)
  const again = await takePublishes(await open(broker, { id: 'c', clean: false }), 10)
  t.same(
    again.map(({ messageId }) => messageId),
    sent,
  )
})
