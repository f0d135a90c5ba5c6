/** What waits for a connected client on plain topics: all of it while the client gets on, for a bounded time at the cost of who publishes. */
import { connect } from 'node:net'
import type { MqttClient } from 'mqtt'
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { connectPacket, OPEN_ACL, open, subscribe, take, untilPong } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

const BURST = { 1: 10_000, 2: 3_000 }
const WINDOW = 500

/** Publishes as many as are unacknowledged at most, until the last is acknowledged. */
async function burst(publisher: MqttClient, count: number, qos: 1 | 2, payload = ''): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await publisher.publishAsync('f/x', `${next++}${payload}`, { qos })
  }
  await Promise.all(Array.from({ length: WINDOW }, lane))
}

function dropped({ running }: TestBroker): number {
  return running.counters.get('dropped.queue_full') + running.store.queue.dropped
}

/** How often a publisher may have been slowed with `backlogWait: 0.3`: it gets back a tenth of the time that has gone by. */
function mostSlowed(began: number): number {
  return 6 + Math.ceil((performance.now() - began) / 1000)
}

for (const qos of [1, 2] as const)
  for (const clean of [true, false])
    for (const filter of ['f/x', '$share/g/f/x']) {
      const who = `${clean ? 'a clean' : 'a kept'} session, ${filter}, QoS ${qos}`
      t.test(`a burst reaches who reads: ${who}`, async (t) => {
        const broker = await startTestBroker(t, { acl: OPEN_ACL })
        const reader = await broker.connect('rita', { clean })
        await reader.subscribeAsync(filter, { qos })
        const seen = new Set<number>()
        const all = new Promise<void>((resolve) => {
          reader.on('message', (_, payload) => {
            seen.add(Number(payload))
            if (seen.size === BURST[qos]) resolve()
          })
        })
        await burst(await broker.connect('pia'), BURST[qos], qos)
        await all
        t.equal(dropped(broker), 0)
      })
    }

t.test('what was acknowledged reaches who reads at QoS 0 too, beyond queueBytes', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const reader = await broker.connect('rita')
  await reader.subscribeAsync('f/x', { qos: 0 })
  const all = new Promise<void>((resolve) => {
    let left = 200
    reader.on('message', () => --left === 0 && resolve())
  })
  await burst(await broker.connect('pia'), 200, 1, ' '.repeat(30_000))
  await all
  t.equal(dropped(broker), 0)
})

t.test('at QoS 0 nobody waits for who stands still, and nothing more for what nobody acknowledged', async (t) => {
  const limits = { queueMessages: 10, backlogWait: 0.5, backlogStill: 0.5 }
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits })
  const socket = connect({ host: '127.0.0.1', port: broker.port })
  const frozen = new RawClient(broker, 4, socket)
  frozen.send(await connectPacket(broker, { user: 'fred', id: 'frozen' }))
  await take(frozen, 'connack')
  await subscribe(frozen, ['f/x', 0])
  socket.pause()
  const publisher = await broker.connect('pia')
  while (dropped(broker) === 0) await burst(publisher, WINDOW, 1, ' '.repeat(10_000))
  const { counters } = broker.running
  const slowed = counters.get('slowed')
  for (let lost = dropped(broker); dropped(broker) < lost + 1000; ) {
    await publisher.publishAsync('f/x', '0', { qos: 0 })
  }
  t.equal(counters.get('slowed'), slowed)
})

for (const clean of [true, false]) {
  const session = `${clean ? 'a clean' : 'a kept'} session`

  t.test(`who publishes more than may wait is read more slowly: ${session}`, async (t) => {
    const broker = await startTestBroker(t, {
      acl: OPEN_ACL,
      limits: { backlogBytes: 3_000_000, backlogWait: 60, backlogStill: 30 },
    })
    const reader = await broker.connect('rita', { clean })
    await reader.subscribeAsync('f/x', { qos: 1 })
    const all = new Promise<void>((resolve) => {
      let left = BURST[1]
      reader.on('message', () => --left === 0 && resolve())
    })
    await burst(await broker.connect('pia'), BURST[1], 1, ' '.repeat(1000))
    await all
    t.equal(dropped(broker), 0)
    t.ok(broker.running.counters.get('slowed') > 0)
  })

  t.test(`nobody waits for who stands still: ${session}`, async (t) => {
    const limits = { queueMessages: 10, backlogBytes: 100_000, backlogStill: 0.2 }
    const broker = await startTestBroker(t, { acl: OPEN_ACL, limits })
    const frozen = await open(broker, { user: 'fred', id: 'frozen', clean })
    await subscribe(frozen, ['f/x', 1])
    const publisher = await broker.connect('pia')
    while (dropped(broker) === 0) await burst(publisher, WINDOW, 1)
    t.equal(broker.running.counters.get('slowed'), 0)
  })

  t.test(`nor for ever for who gets on, but does not catch up: ${session}`, async (t) => {
    const limits = { inflight: 1, queueMessages: 10, backlogBytes: 50_000, backlogWait: 0.3, backlogStill: 10 }
    const broker = await startTestBroker(t, { acl: OPEN_ACL, limits })
    const slow = await open(broker, { user: 'sue', id: 'slow', clean })
    await subscribe(slow, ['f/x', 1])
    const publisher = await broker.connect('pia')
    const { counters } = broker.running
    const began = performance.now()
    for (let round = 0; round < 20; round++) {
      await burst(publisher, WINDOW / 2, 1)
      const next = await slow.next()
      if (next?.cmd === 'publish') slow.send({ cmd: 'puback', messageId: next.messageId! })
    }
    t.ok(counters.get('slowed') >= 3, `slowed ${counters.get('slowed')} times`)
    t.ok(counters.get('slowed') <= mostSlowed(began), 'for 0.3 seconds, a tenth of one at a time')
    t.ok(dropped(broker) > 0)
  })
}

t.test('what waits in memory for a kept session does not say how much its queue holds', async (t) => {
  const limits = { inflight: 1, queueMessages: 10, backlogBytes: 50_000, backlogWait: 0.3, backlogStill: 10 }
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits })
  const slow = await open(broker, { user: 'sue', id: 'slow', clean: false })
  await subscribe(slow, ['f/x', 1], ['users/sue/replies', 1])
  const publisher = await broker.connect('pia')
  const { counters } = broker.running
  const began = performance.now()
  for (let round = 0; round < 20; round++) {
    slow.send({
      cmd: 'publish',
      topic: 'users/sue/requests/rooms.list',
      payload: '{"id":"r"}',
      qos: 0,
      dup: false,
      retain: false,
    })
    await burst(publisher, WINDOW / 2, 1)
    const next = await slow.next()
    if (next?.cmd === 'publish') slow.send({ cmd: 'puback', messageId: next.messageId! })
  }
  t.ok(counters.get('slowed') >= 3, `slowed ${counters.get('slowed')} times`)
  t.ok(counters.get('slowed') <= mostSlowed(began), 'for 0.3 seconds, a tenth of one at a time')
})

t.test('who reads loses nothing when those that were slowed for another, who stands still, go on', async (t) => {
  const limits = { inflight: 8, queueMessages: 40, backlogBytes: 40_000, backlogStill: 0.3 }
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits })
  const reader = await broker.connect('rita', { clean: false })
  await reader.subscribeAsync('f/x', { qos: 1 })
  const seen = new Set<string>()
  const last = new Promise<void>((resolve) => {
    reader.on('message', (_, payload) => {
      seen.add(String(payload))
      if (seen.has('last')) resolve()
    })
  })
  const frozen = await open(broker, { user: 'fred', id: 'frozen', clean: false })
  await subscribe(frozen, ['f/x', 1])
  const publishers = await Promise.all(['pia', 'pat', 'pam'].map((user) => broker.connect(user)))
  const sent: string[] = []
  const say = async (publisher: MqttClient, text: string): Promise<void> => {
    await publisher.publishAsync('f/x', text, { qos: 1 })
    sent.push(text)
  }
  for (let round = 0; round < 4; round++) {
    const before = broker.running.store.queue.dropped
    await say(publishers[0]!, `${round}`)
    // Answers once more, and then not: what was slowed for it goes on when it counts as standing still.
    for (const packet of await untilPong(frozen))
      if (packet.cmd === 'publish') frozen.send({ cmd: 'puback', messageId: packet.messageId! })
    await Promise.all(
      publishers.map(async (publisher, who) => {
        for (let i = 0; broker.running.store.queue.dropped < before + 20; i++)
          await Promise.all([0, 1, 2].map((lane) => say(publisher, `${round} ${who} ${i} ${lane}`)))
      }),
    )
  }
  t.ok(broker.running.counters.get('slowed') > 0)
  await say(publishers[0]!, 'last')
  await last
  t.same(
    sent.filter((text) => !seen.has(text)),
    [],
  )
})
