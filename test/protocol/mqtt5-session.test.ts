/** MQTT 5.0 where time passes: session expiry, subscription options and identifiers, message expiry, wills, requests and responses. */

import type { IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import { body } from '../../broker/store/body.js'
import { commit } from '../../broker/store/commit.js'
import type { Extra } from '../../broker/store/logs.js'
import { enqueueOp, retainOp } from '../../broker/store/queue-ops.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { acknowledge, connect5, disconnected, ids, message, open5, subscribe5, unsubscribe5 } from '../helpers/mqtt5.js'
import {
  cut,
  goneOf,
  leave,
  OPEN_ACL,
  open,
  publish,
  subscribe,
  take,
  takePublishes,
  text,
  told,
  untilPong,
} from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'

const ROOM = 'rooms/lobby/messages'
const BACK = { clean: false, expiry: 60 }

/** What was said, of a plain message or of a room's. */
function said(packet: IPublishPacket): string {
  return packet.topic === ROOM ? JSON.parse(text(packet)).text : text(packet)
}

/** DISCONNECT with properties. Resolves when the broker is done with the session. */
async function leave5(broker: TestBroker, client: RawClient, expiry?: number, reasonCode = 0): Promise<void> {
  const gone = goneOf(broker, client)
  const properties = expiry === undefined ? {} : { properties: { sessionExpiryInterval: expiry } }
  client.send({ cmd: 'disconnect', reasonCode, ...properties } as never)
  await gone
}

/** Resolves when everything sent before is stored and delivered. */
async function present(broker: TestBroker, id: string): Promise<boolean> {
  const [client, { sessionPresent }] = await connect5(broker, { id, ...BACK })
  await cut(broker, client)
  return sessionPresent
}

t.test('session expiry [MQTT5-3.1.2-23, MQTT5-3.14.2.2.2, MQTT5-4.1]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { sessionExpiry: '1h' } })
  const { sessions } = broker.running.store
  const expiryOf = async (id: string) => (await sessions.load(`ann/${id}`))?.record.expiry
  const cases: [string, number | undefined, number | undefined, number | undefined][] = [
    ['absent: it ends with the connection', undefined, undefined, undefined],
    ['0: the same', 0, undefined, undefined],
    ['as long as asked', 60, undefined, 60],
    ['for ever: as long as the broker keeps any', 0xffffffff, undefined, 3600],
    ['shortened by DISCONNECT', 60, 5, 5],
    ['ended by DISCONNECT', 60, 0, undefined],
    ['prolonged by DISCONNECT', 60, 120, 120],
    ['for ever by DISCONNECT', 60, 0xffffffff, 3600],
  ]
  for (const [name, connect, disconnect, kept] of cases) {
    await t.test(name, async (t) => {
      const client = await open5(broker, { id: 's', ...(connect === undefined ? {} : { expiry: connect }) })
      await subscribe5(client, 't/a')
      await leave5(broker, client, disconnect)
      t.equal(await expiryOf('s'), kept)
      t.equal(broker.running.store.queue.mayEnqueue('t/a'), kept !== undefined)
    })
  }
  await t.test('not prolonged from 0: the session and the will are as after a failure', async (t) => {
    const hearer = await open(broker)
    await subscribe(hearer, ['w/#', 0])
    const client = await open5(broker, { id: 's', expiry: 0, will: { topic: 'w/a', payload: 'gone' } })
    client.send({ cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 60 } })
    t.equal(await disconnected(client), 0x82)
    t.same((await takePublishes(hearer, 1)).map(told), ['w/a gone'])
    t.equal(await expiryOf('s'), undefined)
  })
  await t.test('over: it is not there any more', async (t) => {
    const client = await open5(broker, { id: 'over', expiry: 60 })
    await subscribe5(client, 't/a')
    await cut(broker, client)
    t.equal(await present(broker, 'over'), true, 'not over')
    const { record } = (await sessions.load('ann/over'))!
    await commit(broker.running.store, {
      ops: [sessions.recordOp({ ...record, disconnectedAt: Date.now() - 61_000 })],
    })
    t.equal(await present(broker, 'over'), false)
  })
  await t.test('a clean start discards, and the new session is kept all the same [MQTT5-3.1.2-4]', async (t) => {
    const first = await open5(broker, { id: 'c', expiry: 60 })
    await subscribe5(first, 't/a')
    await cut(broker, first)
    const [second, { sessionPresent }] = await connect5(broker, { id: 'c', expiry: 60, clean: true })
    t.equal(sessionPresent, false)
    await publish(await open(broker), 't/a')
    t.same(await untilPong(second), [])
    await cut(broker, second)
    t.equal(await present(broker, 'c'), true)
  })
  await t.test('resumed without one, it ends with this connection', async (t) => {
    const first = await open5(broker, { id: 'd', expiry: 60 })
    await cut(broker, first)
    const [second, { sessionPresent }] = await connect5(broker, { id: 'd', clean: false })
    t.equal(sessionPresent, true)
    await leave(broker, second)
    t.equal(await expiryOf('d'), undefined)
  })
  await t.test('once it has ended, nothing of it is saved over the next one of that client', async (t) => {
    const announcer = await open(broker)
    await cut(broker, await open5(broker, { id: 'next', expiry: 60 }))
    const last = await open5(broker, { id: 'next', clean: false })
    await subscribe5(last, 't/a')
    await publish(announcer, 't/a', 'acknowledged')
    acknowledge(last, (await takePublishes(last, 1))[0]!)
    await untilPong(last)
    await leave(broker, last)
    const next = await open5(broker, { id: 'next', expiry: 60 })
    await subscribe5(next, 't/a')
    await publish(announcer, 't/a', 'under way')
    const [{ messageId }] = (await takePublishes(next, 1)) as [IPublishPacket]
    await broker.restart()
    const again = await open5(broker, { id: 'next', ...BACK })
    t.match((await takePublishes(again, 1))[0], { messageId, dup: true, payload: Buffer.from('under way') })
  })
  await t.test('3.1.1 and 5 come back to the same session', async (t) => {
    const old = await open(broker, { id: 'both', clean: false })
    await subscribe(old, ['t/a', 1], [ROOM, 1])
    await leave(broker, old)
    await publish(await open(broker), 't/a', 'one')
    const [five, { sessionPresent }] = await connect5(broker, { id: 'both', ...BACK })
    t.equal(sessionPresent, true)
    const [one] = await takePublishes(five, 1)
    t.equal(text(one!), 'one')
    acknowledge(five, one!)
    await subscribe5(five, 't/a', { nl: true }, 9)
    await leave(broker, five)
    await publish(await open(broker), ROOM, 'two')
    const back = await open(broker, { id: 'both', clean: false })
    t.same((await takePublishes(back, 1)).map(said), ['two'])
  })
})

t.test('subscription identifiers [MQTT5-3.3.4-3, MQTT5-3.3.4-4]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const cases: [string, string, [string, number | undefined][], number[]][] = [
    ['one', 't/a', [['t/a', 7]], [7]],
    ['a large one', 't/a', [['t/a', 268_435_455]], [268_435_455]],
    ['none', 't/a', [['t/a', undefined]], []],
    [
      'several of overlapping filters',
      't/a',
      [
        ['t/a', 1],
        ['t/+', 300],
        ['#', 70000],
        ['x/#', 4],
      ],
      [1, 300, 70000],
    ],
    [
      'some without',
      't/a',
      [
        ['t/a', undefined],
        ['t/+', 2],
      ],
      [2],
    ],
    [
      'several in a room',
      ROOM,
      [
        [ROOM, 1],
        ['rooms/+/messages', 2],
        ['rooms/lobby/#', 3],
      ],
      [1, 2, 3],
    ],
    ['a room by a wildcard', ROOM, [['rooms/+/messages', 200]], [200]],
  ]
  for (const [name, topic, filters, expected] of cases) {
    for (const qos of [0, 1, 2] as const) {
      await t.test(`${name}, QoS ${qos}`, async (t) => {
        const id = `${name}${qos}`
        const announcer = await open(broker)
        const client = await open5(broker, { id, expiry: 60 })
        for (const [filter, id] of filters) await subscribe5(client, filter, { qos, rh: 2 }, id)
        await publish(announcer, topic, 'live', { qos: 2 })
        const [live] = await takePublishes(client, 1)
        t.same(ids(live!), expected, 'live')
        t.same(await untilPong(client), [], 'once')
        if (qos === 0) return
        await cut(broker, client)
        await publish(announcer, topic, 'away', { qos: 2 })
        await leave(broker, announcer)
        if (qos === 1 && name.startsWith('several')) await broker.restart()
        const again = await open5(broker, { id, ...BACK })
        const got = await takePublishes(again, 2)
        t.same(got.map(said), ['live', 'away'])
        t.same(got.map(ids), [expected, expected], 'after a reconnect')
      })
    }
  }
  await t.test('of bare text: of the filters that name it, also when it is sent again', async (t) => {
    const client = await open5(broker, { id: 'bare', expiry: 60 })
    await subscribe5(client, 'rooms/lobby/text', {}, 1)
    await subscribe5(client, 'rooms/lobby/+', {}, 3)
    // The info of the room is retained.
    await take(client, 'publish')
    const idsByTopic = async (from: RawClient) =>
      Object.fromEntries((await takePublishes(from, 2)).map((packet) => [packet.topic, ids(packet)]))
    await publish(await open(broker), ROOM, 'x')
    const expected = { 'rooms/lobby/text': [1], [ROOM]: [3] }
    t.same(await idsByTopic(client), expected)
    await cut(broker, client)
    t.same(await idsByTopic(await open5(broker, { id: 'bare', ...BACK })), expected)
  })
  await t.test('of a subscription given anew: the new one, or none', async (t) => {
    const client = await open5(broker)
    for (const id of [1, 2, undefined]) {
      await subscribe5(client, ['t/a', ROOM], {}, id)
      const speaker = await open(broker)
      await publish(speaker, 't/a')
      await publish(speaker, ROOM)
      t.same((await takePublishes(client, 2)).map(ids), id ? [[id], [id]] : [[], []])
    }
  })
  await t.test('gone with their filter', async (t) => {
    const client = await open5(broker)
    const speaker = await open(broker)
    await subscribe5(client, ['t/a', ROOM], {}, 1)
    await subscribe5(client, ['t/+', 'rooms/+/messages'], {}, 2)
    t.same(await unsubscribe5(client, 't/a', ROOM), [0, 0])
    await publish(speaker, 't/a')
    await publish(speaker, ROOM)
    t.same((await takePublishes(client, 2)).map(ids), [[2], [2]])
  })
  await t.test('on replies and typing', async (t) => {
    const client = await open5(broker)
    await subscribe5(client, ['users/ann/replies', 'rooms/lobby/typing'], {}, 5)
    await publish(await open(broker), ROOM)
    client.send(message('rooms/lobby/typing', '', { qos: 0 }))
    t.same((await takePublishes(client, 1)).map(ids), [[5]])
    client.send(message('users/ann/requests/rooms.list', '{}', { qos: 0 }))
    t.same((await takePublishes(client, 1)).map(ids), [[5]])
  })
  await t.test('on retained messages', async (t) => {
    const speaker = await open(broker)
    await publish(speaker, 'r/a', 'kept', { retain: true })
    const client = await open5(broker)
    await subscribe5(client, 'r/a', {}, 6)
    t.same((await takePublishes(client, 1)).map(ids), [[6]])
  })
})

t.test('no local [MQTT5-3.8.3-3]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const topics = ['t/a', ROOM]
  for (const qos of [0, 1, 2] as const) {
    for (const expiry of [0, 60]) {
      await t.test(`QoS ${qos}, session expiry ${expiry}`, async (t) => {
        const id = `n${qos}${expiry}`
        const client = await open5(broker, { id, expiry })
        const sameUser = await open5(broker, { id: `other${id}` })
        await subscribe5(client, topics, { qos, nl: true })
        for (const topic of topics) await publish(client, topic, 'mine', { qos: 2 })
        for (const topic of topics) await publish(sameUser, topic, 'of my other session', { qos: 2 })
        const got = await takePublishes(client, 2)
        t.same(got.map(said), ['of my other session', 'of my other session'])
        t.same(await untilPong(client), [])
        if (expiry === 0 || qos === 0) return
        for (const packet of got) {
          acknowledge(client, packet)
          if (packet.qos === 2) {
            await take(client, 'pubrel')
            client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
          }
        }
        for (const topic of topics) client.send(message(topic, 'mine, and gone', { qos: 1, messageId: 50 }))
        for (const _ of topics) await take(client, 'puback')
        await cut(broker, client)
        for (const topic of topics) await publish(sameUser, topic, 'meanwhile', { qos: 2 })
        const again = await open5(broker, { id, ...BACK })
        t.same((await takePublishes(again, 2)).map(said), ['meanwhile', 'meanwhile'], 'after a reconnect')
        t.same(await untilPong(again), [])
        t.equal(broker.running.store.queue.size(`ann/${id}`).messages, 1, 'nor does it stay in the queue')
      })
    }
  }
  await t.test('an overlapping filter without it brings the message', async (t) => {
    const client = await open5(broker)
    await subscribe5(client, ['t/a', ROOM], { nl: true })
    await subscribe5(client, ['t/+', 'rooms/+/messages'])
    for (const topic of topics) {
      await publishQuietly(client, topic)
      t.equal((await takeThrough(client, 1))[0]!.topic, topic)
    }
  })
  await t.test('what was left out does not come by a later filter', async (t) => {
    await publish(await open(broker), 'later/kept', 'kept', { retain: true })
    const client = await open5(broker, { id: 'later', expiry: 60 })
    await subscribe5(client, 'later/+', { nl: true, rh: 2 })
    await publish(client, 'later/a', 'mine')
    await subscribe5(client, 'later/#')
    t.same((await takePublishes(client, 1)).map(text), ['kept'])
    t.same(await untilPong(client), [])
    t.equal(broker.running.store.queue.size('ann/later').messages, 1)
  })
  await t.test('beside a filter of QoS 0 without it: at QoS 0', async (t) => {
    const client = await open5(broker, { id: 'beside', expiry: 60 })
    await subscribe5(client, 't/a', { nl: true })
    await subscribe5(client, 't/+', { qos: 0 })
    await publishQuietly(client, 't/a')
    t.same((await takeThrough(client, 1)).map(told), ['t/a mine'])
  })
  await t.test('what waited when it was asked for still comes [MQTT5-3.8.4-4]', async (t) => {
    const client = await open5(broker, { id: 'waited', expiry: 60, properties: { receiveMaximum: 1 } })
    await subscribe5(client, 't/a')
    await publishQuietly(client, 't/a')
    const [first] = await takeThrough(client, 1)
    await publishQuietly(client, 't/a')
    await take(client, 'puback')
    await subscribe5(client, 't/a', { nl: true, rh: 2 })
    acknowledge(client, first!)
    t.same((await takePublishes(client, 1)).map(told), ['t/a mine q1'])
  })
  await t.test("one's own retained message neither", async (t) => {
    for (const expiry of [0, 60]) {
      const client = await open5(broker, { id: 'own', expiry })
      await publish(client, 'own/a', 'mine', { retain: true })
      await publish(await open(broker), 'own/b', 'theirs', { retain: true })
      await subscribe5(client, 'own/#', { nl: true })
      t.same((await takePublishes(client, 1)).map(text), ['theirs'], `session expiry ${expiry}`)
      t.same(await untilPong(client), [])
      await subscribe5(client, 'own/#')
      t.same((await takePublishes(client, 2)).map(text).sort(), ['mine', 'theirs'])
    }
  })
})

async function publishQuietly(client: RawClient, topic: string): Promise<void> {
  client.send(message(topic, 'mine', { messageId: 51 }))
}

/** The next `count` publishes; acks between them are passed over. */
async function takeThrough(client: RawClient, count: number): Promise<IPublishPacket[]> {
  const found: IPublishPacket[] = []
  for (let acks = 0; found.length < count || acks < 1; ) {
    const packet = await client.next()
    if (packet?.cmd === 'publish') found.push(packet)
    else acks++
  }
  return found
}

t.test('retain as published [MQTT5-3.3.1-12, MQTT5-3.3.1-13] and retain handling [MQTT5-3.3.1-9…11]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const announcer = await open(broker)
  for (const rap of [false, true]) {
    for (const qos of [0, 1, 2] as const) {
      await t.test(`retain as published ${rap}, QoS ${qos}`, async (t) => {
        const id = `rap${rap}${qos}`
        const client = await open5(broker, { id, expiry: 60 })
        await subscribe5(client, 'p/+', { qos, rap, rh: 2 })
        await publish(announcer, 'p/a', 'x', { qos: 2, retain: true })
        await publish(announcer, 'p/a', 'y', { qos: 2 })
        t.same(
          (await takePublishes(client, 2)).map(({ retain }) => retain),
          [rap, false],
          'live',
        )
        if (qos === 0) return
        await cut(broker, client)
        await publish(announcer, 'p/a', 'z', { qos: 2, retain: true })
        const again = await open5(broker, { id, ...BACK })
        t.same(
          (await takePublishes(again, 3)).map(({ retain }) => retain),
          [rap, false, rap],
          'after a reconnect',
        )
      })
    }
  }
  for (const qos of [0, 1] as const) {
    await t.test(`not by 3.1.1, whatever was asked in MQTT 5, QoS ${qos} [MQTT-3.3.1-9]`, async (t) => {
      const id = `old${qos}`
      await subscribe5(await open5(broker, { id, expiry: 60 }), 'p/+', { qos, rap: true, rh: 2 })
      const old = await open(broker, { id, clean: false })
      await publish(announcer, 'p/old', 'x', { retain: true })
      t.same(
        (await takePublishes(old, 1)).map(({ retain }) => retain),
        [false],
      )
    })
  }
  await t.test('a room has no retained messages, whatever is asked', async (t) => {
    const client = await open5(broker)
    await subscribe5(client, ROOM, { rap: true })
    await publish(announcer, ROOM, 'x', { retain: true })
    t.same(
      (await takePublishes(client, 1)).map(({ retain }) => retain),
      [false],
    )
    await subscribe5(client, ROOM, { rap: true })
    t.same(await untilPong(client), [])
  })
  await publish(announcer, 'h/a', 'kept', { retain: true })
  const handling: [0 | 1 | 2, number, number][] = [
    [0, 1, 1],
    [1, 1, 0],
    [2, 0, 0],
  ]
  for (const [rh, first, second] of handling) {
    for (const expiry of [0, 60]) {
      await t.test(`retain handling ${rh}, session expiry ${expiry}`, async (t) => {
        const client = await open5(broker, { id: `h${rh}${expiry}`, expiry })
        for (const count of [first, second]) {
          await subscribe5(client, 'h/+', { rh })
          t.same((await takePublishes(client, count)).map(told), Array(count).fill('h/a kept q1 retain'))
          t.same(await untilPong(client), [])
        }
        if (expiry === 0) return
        await cut(broker, client)
        const again = await open5(broker, { id: `h${rh}${expiry}`, ...BACK })
        for (let i = 0; i < first + second; i++) t.equal((await take(again, 'publish')).dup, true)
        await subscribe5(again, 'h/+', { rh: 1 })
        t.same(await untilPong(again), [], 'a subscription that was kept is not new')
      })
    }
  }
})

function extra(msFromNow: number): Extra {
  return { properties: Buffer.alloc(0), expiresAt: Date.now() + msFromNow }
}

t.test('message expiry [MQTT5-3.3.2-5, MQTT5-3.3.2-6]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const { store } = broker.running
  const left = ({ properties }: IPublishPacket): number | undefined => properties?.messageExpiryInterval
  const near = (t: Tester, packet: IPublishPacket, seconds: number): void => {
    t.ok(left(packet)! <= seconds && left(packet)! > seconds - 10, `${left(packet)} of ${seconds}`)
  }
  await t.test('passed on', async (t) => {
    const client = await open5(broker)
    await subscribe5(client, ['e/#', ROOM], { qos: 2 })
    const speaker = await open5(broker)
    for (const topic of ['e/a', ROOM]) {
      for (const qos of [0, 1, 2] as const) {
        await publish(speaker, topic, 'x', { qos, properties: { messageExpiryInterval: 1000 } })
        near(t, (await takePublishes(client, 1))[0]!, 1000)
      }
      await publish(speaker, topic)
      t.equal(left((await takePublishes(client, 1))[0]!), undefined, 'none where none was given')
    }
  })
  const client = await open5(broker, { id: 'c', expiry: 60 })
  await subscribe5(client, ['e/#', ROOM])
  await cut(broker, client)
  const queued = (payload: string, ms: number) =>
    enqueueOp(
      { topic: 'e/a', payload: Buffer.from(payload), qos: 1, retain: false, clientId: null, extra: extra(ms) },
      [{ sessionId: 'ann/c', qos: 1 }],
    )
  const logged = (seconds: string, ms: number) => ({
    log: 'm:lobby',
    id: `id-${seconds}`,
    ts: Date.now(),
    from: 'eve',
    qos: 1 as const,
    extra: extra(ms),
    body: body('{"room":"lobby","seq":', `,"text":${JSON.stringify(seconds)}}`),
    dedupe: null,
  })
  await t.test('of what waited: what is left; nothing that is over', async (t) => {
    await commit(store, {
      ops: [queued('over', -1), queued('half', 50_000)],
      drafts: [logged('over', -1), logged('half', 50_000), logged('whole', 100_000)],
    })
    const again = await open5(broker, { id: 'c', ...BACK })
    const got = await takePublishes(again, 3)
    t.same(got.map(said).sort(), ['half', 'half', 'whole'])
    for (const packet of got) near(t, packet, said(packet) === 'half' ? 50 : 100)
    for (const packet of got) acknowledge(again, packet)
    t.same(await untilPong(again), [])
    await cut(broker, again)
    t.equal(store.queue.size('ann/c').messages, 0, 'what is over leaves the queue')
  })
  await t.test('3.1.1 gets none that is over either', async (t) => {
    await commit(store, {
      ops: [queued('over', -1), queued('fresh', 50_000)],
      drafts: [logged('over', -1), logged('fresh', 9000)],
    })
    const old = await open(broker, { id: 'c', clean: false })
    t.same((await takePublishes(old, 2)).map(said), ['fresh', 'fresh'])
    t.same(await untilPong(old), [])
  })
  await t.test('of retained messages', async (t) => {
    const kept = (topic: string, ms: number) =>
      retainOp({ topic, payload: Buffer.from('x'), qos: 1, retain: true, clientId: null, extra: extra(ms) })
    await commit(store, { ops: [kept('k/over', -1), kept('k/half', 50_000)] })
    for (const expiry of [0, 60]) {
      const client = await open5(broker, { id: `k${expiry}`, expiry })
      await subscribe5(client, 'k/#')
      const [half] = await takePublishes(client, 1)
      t.equal(half!.topic, 'k/half')
      near(t, half!, 50)
      t.same(await untilPong(client), [])
    }
  })
})

interface Tester {
  ok(value: unknown, message: string): boolean
}

t.test(
  'what waits in a room when its filter goes to QoS 0 still comes, once and in order [MQTT5-3.8.4-4]',
  async (t) => {
    const broker = await startTestBroker(t)
    const announcer = await open(broker, { user: 'bob' })
    for (const expiry of [0, 60]) {
      for (const back of [0, 1] as const) {
        const client = await open5(broker, { expiry, id: `c${expiry}${back}`, properties: { receiveMaximum: 1 } })
        await subscribe5(client, ROOM)
        for (const text of ['one', 'two']) await publish(announcer, ROOM, text)
        const [one] = await takePublishes(client, 1)
        await subscribe5(client, ROOM, { qos: 0 })
        await publish(announcer, ROOM, 'three')
        if (back) await subscribe5(client, ROOM)
        const got = [one!]
        while (got.length < 3) {
          acknowledge(client, got.at(-1)!)
          got.push(...(await takePublishes(client, 1)))
        }
        t.same(got.map(said), ['one', 'two', 'three'])
        t.same(await untilPong(client), [])
      }
    }
  },
)

t.test('resending keeps to what the client takes now', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const announcer = await open(broker)
  const client = await open5(broker, { id: 'c', expiry: 60 })
  await subscribe5(client, ['s/#', ROOM])
  for (let i = 0; i < 3; i++) await publish(announcer, 's/a', `${i}`)
  await publish(announcer, 's/a', 'x'.repeat(500))
  await publish(announcer, ROOM, 'last')
  await takePublishes(client, 5)
  await cut(broker, client)
  await publish(announcer, 's/a', 'new')
  const again = await open5(broker, { id: 'c', ...BACK, properties: { receiveMaximum: 2, maximumPacketSize: 300 } })
  const got: IPublishPacket[] = []
  for (let i = 0; i < 5; i++) {
    got.push(...(await takePublishes(again, i === 0 ? 2 : i < 4 ? 1 : 0)))
    t.same(await untilPong(again), [], 'at most two under way')
    if (got[i]) acknowledge(again, got[i]!)
  }
  t.same(got.map(said), ['0', '1', '2', 'last', 'new'])
  t.same(
    got.map(({ dup }) => dup),
    [true, true, true, true, false],
  )
})

t.test('wills [MQTT5-3.1.2-8, MQTT5-3.1.3-9, MQTT5-3.14.4-3]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const hearer = await open5(broker, { user: 'eve' })
  await subscribe5(hearer, 'w/#')
  const speaker = await open(broker)
  /** All that came until now. */
  const heard = async (): Promise<IPublishPacket[]> => {
    await publish(speaker, 'w/marker')
    const found: IPublishPacket[] = []
    for (let packet = await take(hearer, 'publish'); ; packet = await take(hearer, 'publish')) {
      acknowledge(hearer, packet)
      if (packet.topic === 'w/marker') return found
      found.push(packet)
    }
  }
  const will = (payload: string, willDelayInterval?: number) => ({
    topic: 'w/a',
    payload,
    qos: 1 as const,
    properties: {
      ...(willDelayInterval === undefined ? {} : { willDelayInterval }),
      contentType: 'text/x',
      messageExpiryInterval: 500,
      userProperties: { k: 'v' },
      correlationData: Buffer.from('c'),
      responseTopic: 'w/r',
      payloadFormatIndicator: true,
    },
  })
  const stored = () => broker.running.store.persistence.getWill({ id: 'ann/w' } as never)
  await t.test('without delay: at once, with its properties, but the delay', async (t) => {
    await cut(broker, await open5(broker, { id: 'w', will: will('plain', 0) }))
    const [packet] = await heard()
    t.match(packet, {
      payload: Buffer.from('plain'),
      properties: {
        contentType: 'text/x',
        messageExpiryInterval: 500,
        userProperties: { k: 'v' },
        responseTopic: 'w/r',
        payloadFormatIndicator: true,
      },
    })
    t.notOk('willDelayInterval' in packet!.properties!)
  })
  await t.test('DISCONNECT discards it, DISCONNECT 0x04 does not', async (t) => {
    await leave5(broker, await open5(broker, { id: 'w', will: will('never') }))
    t.same(await heard(), [])
    await leave5(broker, await open5(broker, { id: 'w', will: will('wanted') }), undefined, 4)
    t.same((await heard()).map(text), ['wanted'])
  })
  await t.test('a delay ends with the session: at once where there is none', async (t) => {
    await cut(broker, await open5(broker, { id: 'w', will: will('no session', 3600) }))
    t.same((await heard()).map(text), ['no session'])
    await leave5(broker, await open5(broker, { id: 'w', expiry: 60, will: will('ended now', 3600) }), 0, 4)
    t.same((await heard()).map(text), ['ended now'])
  })
  await t.test('coming back in time cancels it', async (t) => {
    await cut(broker, await open5(broker, { id: 'w', expiry: 60, will: will('delayed', 3600) }))
    t.same(await heard(), [])
    t.ok((await stored())?.due, 'it waits in the store')
    const again = await open5(broker, { id: 'w', ...BACK })
    t.notOk(await stored(), 'and is gone')
    await leave(broker, again)
    t.same(await heard(), [])
  })
  await t.test('so does a takeover', async (t) => {
    const first = await open5(broker, { id: 'w', expiry: 60, will: will('first', 3600) })
    const second = await open5(broker, { id: 'w', ...BACK, will: will('second', 3600) })
    t.equal(await disconnected(first), 0x8e)
    t.same(await heard(), [])
    t.equal((await stored())?.payload?.toString(), 'second')
    await leave(broker, second)
    t.notOk(await stored())
  })
  await t.test('a clean start ends the session: the will is sent', async (t) => {
    await cut(broker, await open5(broker, { id: 'w', expiry: 60, will: will('session ended', 3600) }))
    await leave(broker, await open5(broker, { id: 'w', clean: true }))
    t.same((await heard()).map(text), ['session ended'])
  })
  for (const [name, expiry, delay] of [
    ['when the delay is over', 60, 1],
    ['when the session is, if that is earlier', 1, 3600],
  ] as const) {
    await t.test(name, async (t) => {
      await cut(broker, await open5(broker, { id: 'w', expiry, will: will(name, delay) }))
      t.same(await heard(), [])
      const sent = await take(hearer, 'publish')
      acknowledge(hearer, sent)
      t.equal(text(sent), name)
      t.notOk(await stored())
    })
  }
  await t.test('a delayed will outlives the broker', async (t) => {
    await cut(broker, await open5(broker, { id: 'w', expiry: 60, will: will('late', 3600) }))
    await broker.restart()
    t.ok((await stored())?.due)
    await open5(broker, { id: 'w', ...BACK })
    t.notOk(await stored())
  })
})

t.test('requests and responses [MQTT5-4.10]', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const correlationData = Buffer.from([0, 255, 7])
  const REPLIES = 'users/ann/replies'
  const ask = (client: RawClient, properties: object, id = 'r1') =>
    publish(client, 'users/ann/requests/rooms.list', JSON.stringify({ id }), { qos: 0, properties } as never)
  const asking = await open5(broker, { id: 'asking' })
  const other = await open5(broker, { id: 'other' })
  await subscribe5(other, [REPLIES, 'my/#'])
  await t.test('correlation data comes back on replies', async (t) => {
    await subscribe5(asking, REPLIES)
    await ask(asking, { correlationData })
    const [reply] = await takePublishes(asking, 1)
    t.match(reply, { topic: REPLIES, properties: { correlationData } })
    t.match(JSON.parse(text(reply!)), { re: 'r1', ok: true })
    await ask(asking, {}, 'r2')
    const [bare] = await takePublishes(asking, 1)
    t.notOk(bare!.properties?.correlationData)
    t.same(await untilPong(other), [], 'the asking session alone')
  })
  await t.test('an own response topic, where the asking session subscribes to it', async (t) => {
    await subscribe5(asking, 'my/answers', { qos: 1 }, 3)
    await ask(asking, { correlationData, responseTopic: 'my/answers' })
    const [reply] = await takePublishes(asking, 1)
    t.match(reply, { topic: 'my/answers', qos: 1, properties: { correlationData, subscriptionIdentifier: 3 } })
    t.match(JSON.parse(text(reply!)), { re: 'r1', ok: true })
    t.same(await untilPong(other), [], 'nobody else, though they subscribe to it')
  })
  await t.test('else nobody gets it', async (t) => {
    await ask(asking, { correlationData, responseTopic: 'my/other' })
    t.same(await untilPong(asking), [])
    t.same(await untilPong(other), [])
  })
  await t.test('the error as well', async (t) => {
    await publish(asking, 'users/ann/requests/history', '{"id":"h","room":"nowhere"}', {
      qos: 0,
      properties: { correlationData, responseTopic: 'my/answers' },
    })
    const [reply] = await takePublishes(asking, 1)
    t.match(reply, { topic: 'my/answers', properties: { correlationData } })
    t.match(JSON.parse(text(reply!)), { re: 'h', ok: false, error: { code: 'not_found' } })
  })
  await t.test('users/{me}/replies named as response topic is no other', async (t) => {
    await ask(asking, { correlationData, responseTopic: REPLIES })
    t.match((await takePublishes(asking, 1))[0], { topic: REPLIES, properties: { correlationData } })
  })
  await t.test('a session that does not listen: its user’s others do', async (t) => {
    await unsubscribe5(asking, REPLIES)
    await ask(asking, { correlationData }, 'r9')
    t.match(JSON.parse(text((await takePublishes(other, 1))[0]!)), { re: 'r9' })
  })
  await t.test('between clients: a request on a plain topic and its response', async (t) => {
    const service = await open5(broker, { user: 'eve' })
    await subscribe5(service, 'service/add')
    await publish(asking, 'service/add', '1+1', { properties: { responseTopic: 'my/answers', correlationData } })
    const [{ properties } = {} as IPublishPacket] = await takePublishes(service, 1)
    await publish(service, properties!.responseTopic!, '2', {
      properties: { correlationData: properties!.correlationData! },
    })
    t.match((await takePublishes(asking, 1))[0], {
      topic: 'my/answers',
      payload: Buffer.from('2'),
      properties: { correlationData },
    })
  })
})
