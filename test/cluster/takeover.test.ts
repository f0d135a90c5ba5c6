/** A session is served by one node: taken over, taken from a node that is gone or does not answer, and nothing of it lost or doubled. */
import type { IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import type { Connection } from '../../broker/mqtt/connection.js'
import { commit } from '../../broker/store/commit.js'
import { startTestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { begin, LOG, owned, ownersIn, phone, said, TAKEN_OVER, twoNodes, wanted } from '../helpers/moving-session.js'
import { disconnected, message, open5, subscribe5 } from '../helpers/mqtt5.js'
import { leave, publish, take, takePublishes, untilPong } from '../helpers/protocol.js'

const CURSOR = 'm:den'

t.test('a session moves to another node with all that is in flight', async (t) => {
  const { one, two, bob, store } = await twoNodes(t)
  const before = (await phone(one)).client
  await subscribe5(before, LOG, { qos: 2 })
  await publish(bob, LOG, 'zero', { qos: 0, messageId: undefined as never })
  await publish(bob, LOG, 'one')
  await publish(bob, LOG, 'two', { qos: 2 })
  const [, first, second] = await takePublishes(before, 3)
  before.send({ cmd: 'pubrec', messageId: second!.messageId! })
  await take(before, 'pubrel')
  before.send(message(LOG, 'mine', { qos: 2, messageId: 9 }))
  const inbound = [await before.next(), await before.next()].map((packet) => packet!.cmd).sort()
  t.same(inbound, ['publish', 'pubrec'], 'its own message, and the answer to it')
  const after = await phone(two)
  t.ok(after.sessionPresent)
  t.equal(await disconnected(before), TAKEN_OVER, 'the old connection is told')
  const again = await take(after.client, 'publish')
  t.match(again, { messageId: first!.messageId, dup: true })
  t.equal(said(again), 'one', 'QoS 1: again, under its packet id')
  t.match(await take(after.client, 'pubrel'), { messageId: second!.messageId }, 'QoS 2: it goes on where it was')
  const mine = await take(after.client, 'publish')
  t.match([said(mine), mine.qos, mine.dup], ['mine', 2, true])
  after.client.send(message(LOG, 'mine', { qos: 2, messageId: 9, dup: true }))
  t.match(await take(after.client, 'pubrec'), { messageId: 9 }, 'its own message was taken before')
  await publish(bob, LOG, 'last')
  t.equal(said(await take(after.client, 'publish')), 'last')
  t.same(await untilPong(after.client), [])
  t.equal((await store.log.open('m:den')).head, 5, 'each message is in the log once')
  t.match(await ownersIn(store), [/ann\/phone 2\./, /bob\/bob 2\./, /bob\/wills/])
  await leave(two.broker, after.client)
  t.match(await ownersIn(store), [/bob\/bob/, /bob\/wills/], 'nobody owns a session that is not connected')
})

t.test('a clean session ends where it was, and begins anew', async (t) => {
  const { one, two } = await twoNodes(t)
  const before = (await phone(one)).client
  await subscribe5(before, 'x')
  const after = await phone(two, { clean: true })
  t.notOk(after.sessionPresent)
  t.equal(await disconnected(before), TAKEN_OVER)
  const brief = await open5(one.broker, { id: 'brief' })
  await open5(two.broker, { id: 'brief' })
  t.equal(await disconnected(brief), TAKEN_OVER, 'one that ends with its connection, too')
})

t.test('the will of who is taken over is published by the node that had it, once [MQTT5-3.1.4-3]', async (t) => {
  const { one, two, bob, wills } = await twoNodes(t)
  const will = (topic: string, delay: number) => ({ topic, payload: 'x', properties: { willDelayInterval: delay } })
  await phone(one, { will: will('will/now', 0) })
  await phone(two, { will: will('will/late', 60) })
  t.equal((await take(wills, 'publish')).topic, 'will/now')
  await phone(one)
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker', 'one with a delay is not: the session goes on')
})

t.test('a node that ended without a word', async (t) => {
  const clock = movableClock(t)
  const { one, two, bob, wills, store } = await twoNodes(t, clock)
  const before = (await phone(one, { will: { topic: 'will/x', payload: 'gone' } })).client
  await subscribe5(before, [LOG, 'plain/x'], { qos: 2 })
  await publish(bob, LOG, 'first')
  await publish(bob, 'plain/x', 'second')
  await takePublishes(before, 2)
  one.kill()
  await publish(bob, LOG, 'third')
  const after = await begin(two)
  await wanted(store, /^2\./)
  t.same(after.packets, [], 'it does not answer, and might still serve the session')
  clock.forward(2)
  t.match(await take(after, 'connack'), { sessionPresent: true, reasonCode: 0 }, 'after a second the session is taken')
  t.same((await takePublishes(after, 3)).map(said).sort(), ['first', 'second', 'third'], 'nothing is lost')
  t.equal((await take(wills, 'publish')).topic, 'will/x')
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker', 'its will is published, once')
})

t.test('a node that is known to be gone: what it had is taken at once', async (t) => {
  const { one, two, store } = await twoNodes(t)
  await phone(one)
  one.kill()
  const waiting = await begin(two)
  await wanted(store, /^2\./)
  one.node.leave()
  t.match(await take(waiting, 'connack'), { sessionPresent: true, reasonCode: 0 }, 'by who waits')
  waiting.stream.destroy()
  await owned(store, undefined)
  t.ok((await phone(two)).sessionPresent)
})

t.test('a node that sleeps loses its sessions, and writes nothing of them any more', async (t) => {
  const clock = movableClock(t)
  const { one, two, bob, wills, store } = await twoNodes(t, clock)
  const before = (await phone(one, { will: { topic: 'will/x', payload: 'gone' } })).client
  await publish(before, LOG, 'first')
  await subscribe5(before, LOG, { qos: 1 })
  await publish(bob, LOG, 'second')
  await take(before, 'publish')
  one.pause()
  before.send(message(LOG, 'late', { qos: 2, messageId: 9 }))
  before.send(message(LOG, '{"type":"edit","target":1,"text":"changed"}', { qos: 2, messageId: 10 }))
  before.send({ cmd: 'subscribe', messageId: 3, subscriptions: [{ topic: 'other', qos: 1 }] } as never)
  const after = await begin(two)
  await wanted(store, /^2\./)
  clock.forward(2)
  await take(after, 'connack')
  t.equal((await take(wills, 'publish')).topic, 'will/x', 'as that of a node that ended')
  t.equal(said(await take(after, 'publish')), 'second')
  after.send({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: [LOG] })
  await take(after, 'unsuback')
  await one.write()
  t.equal(await disconnected(before), TAKEN_OVER, 'its client is cut off')
  one.hear()
  after.send(message(LOG, 'late', { qos: 2, messageId: 9, dup: true }))
  await take(after, 'pubrec')
  after.send(message(LOG, '{"type":"edit","target":1,"text":"changed"}', { qos: 2, messageId: 10, dup: true }))
  await take(after, 'pubrec')
  t.equal((await store.log.open('m:den')).head, 4, 'what it had not acknowledged is stored once')
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker')
  await leave(two.broker, after)
  const saved = await store.sessions.load('ann/phone')
  t.same(saved!.subscriptions, [], 'nor is a subscription stored')
  t.same(saved!.incoming, [9, 10])
  t.match(saved!.record.disconnectedAt, /^\d{10,}$/)
})

t.test('a node that sleeps and has nothing to write hears that it lost its sessions', async (t) => {
  const clock = movableClock(t)
  const { one, two, store } = await twoNodes(t, clock)
  const before = (await phone(one)).client
  one.deafen()
  const after = await begin(two)
  await wanted(store, /^2\./)
  clock.forward(2)
  await take(after, 'connack')
  one.hear()
  t.equal(await disconnected(before), TAKEN_OVER)
  t.same(await untilPong(after), [])
})

t.test('what a node that slept saves of a session is refused, and of others it is not', async (t) => {
  const clock = movableClock(t)
  const { one, two, bob, store } = await twoNodes(t, clock)
  const before = (await phone(one)).client
  const tablet = (await phone(one, { id: 'tablet' })).client
  await subscribe5(before, LOG, { qos: 2 })
  await subscribe5(tablet, LOG)
  await publish(bob, LOG, 'first', { qos: 2 })
  await publish(bob, LOG, 'second')
  const [{ messageId }, second] = (await takePublishes(before, 2)) as [IPublishPacket, IPublishPacket]
  const [other] = await takePublishes(tablet, 2)
  one.pause()
  before.send({ cmd: 'pubrec', messageId: messageId! })
  await untilPong(before)
  before.send({ cmd: 'puback', messageId: second.messageId! })
  tablet.send({ cmd: 'puback', messageId: other!.messageId! })
  await untilPong(tablet)
  await untilPong(before)
  const [{ services }] = [...one.broker.running.aedes.connections] as [Connection]
  const saving = services.sessionWriter.flush()
  const after = await begin(two)
  await wanted(store, /^2\./)
  clock.forward(2)
  await take(after, 'connack')
  await takePublishes(after, 2)
  after.send({ cmd: 'pubrec', messageId: messageId! })
  await take(after, 'pubrel')
  after.send({ cmd: 'pubcomp', messageId: messageId! })
  await leave(two.broker, after)
  await one.write()
  await saving
  const [taken, kept] = await Promise.all(['ann/phone', 'ann/tablet'].map((id) => store.sessions.load(id)))
  t.match(taken!.inflight, [{ seq: 2, released: false }])
  t.equal(taken!.inflight.length, 1)
  t.same([taken!.cursors.get(CURSOR), kept!.cursors.get(CURSOR)], [1, 1])
  one.hear()
  t.equal(await disconnected(before), TAKEN_OVER)
  t.same(await untilPong(tablet), [])
})

t.test('of two that claim at once, one has the session in the end', async (t) => {
  const { one, two, bob, store } = await twoNodes(t)
  const both = await Promise.all([begin(one), begin(two)])
  await Promise.race(both.map((client) => client.whenClosed()))
  const winner = both.find(({ closed }) => !closed)!
  await take(winner, 'connack')
  await subscribe5(winner, LOG)
  await publish(bob, LOG, 'hello')
  t.equal(said(await take(winner, 'publish')), 'hello')
  t.equal((await ownersIn(store)).filter((owner) => owner.startsWith('ann')).length, 1)
})

t.test('of claims that wait, the last one gets the session', async (t) => {
  const clock = movableClock(t)
  const { one, two, another, store } = await twoNodes(t, clock)
  const three = await another()
  await phone(one)
  one.pause()
  const second = await begin(two)
  await wanted(two.store, /^2\./)
  two.deafen()
  const third = await begin(three)
  await wanted(three.store, /^3\./)
  clock.forward(2)
  t.match(await take(third, 'connack'), { reasonCode: 0, sessionPresent: true }, 'both have waited for long')
  two.hear()
  t.match(await take(second, 'connack'), { reasonCode: 0x89 }, 'the earlier one is refused')
  await one.goOn()
  await owned(store, /^3\./)
})

t.test('a session that was handed to nobody is had by who still waits', async (t) => {
  const { one, two, store } = await twoNodes(t)
  const before = (await phone(one)).client
  one.deafen()
  const waiting = await begin(two)
  await wanted(store, /^2\./)
  const { sessionOwners } = store
  await commit(store, { ops: [sessionOwners.deleteOwnerOp('ann/phone'), sessionOwners.deleteClaimantOp('ann/phone')] })
  t.match(await take(waiting, 'connack'), { sessionPresent: true })
  await owned(store, /^2\./)
  one.hear()
  t.equal(await disconnected(before), TAKEN_OVER)
})

t.test('a claim that is given up leaves nothing behind', async (t) => {
  const { one, two, store } = await twoNodes(t)
  const first = (await phone(one)).client
  one.pause()
  const second = await begin(two)
  await wanted(store, /^2\./)
  for (const connection of two.broker.running.aedes.connections) if (connection.connecting) connection.close()
  await second.whenClosed()
  while (store.sessionOwners.claimant('ann/phone') !== undefined) await new Promise((resolve) => setImmediate(resolve))
  await one.goOn()
  t.same(await untilPong(first), [], 'and the session stays where it is')
  await owned(store, /^1\./)
})

t.test('a single node writes no claims', async (t) => {
  const broker = await startTestBroker(t)
  const { running } = broker
  await open5(broker, { id: 'phone', clean: false, expiry: 3600 })
  t.same(await ownersIn(running.store), [])
})
