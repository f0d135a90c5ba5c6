/** What nodes leave behind, and what is due of sessions that are not connected: done by one node, and of no session that another one serves. */
import t from 'tap'
import { heldIntervals, movableClock } from '../helpers/clock.js'
import { begin, owned, ownersIn, phone, TAKEN_OVER, twoNodes, wanted } from '../helpers/moving-session.js'
import { connect5, disconnected } from '../helpers/mqtt5.js'
import type { SharedBroker } from '../helpers/nodes.js'
import { cut, leave, publish, take } from '../helpers/protocol.js'

const MINUTE = 60_000

/** All that a node does from time to time. */
async function sweep({ broker: { running } }: SharedBroker, now = Date.now()): Promise<void> {
  await running.aedes.sweepWills()
  await running.maintenance.sweep(now)
}

t.test(
  'a node ends without a word: its sessions count as disconnected, and their wills are published once',
  async (t) => {
    const { one, two, another, bob, wills, store } = await twoNodes(t)
    const three = await another()
    await phone(one, { will: { topic: 'will/phone', payload: 'x' } })
    await phone(one, { id: 'tablet', will: { topic: 'will/tablet', payload: 'x' } })
    await connect5(one.broker, { id: 'brief', will: { topic: 'will/brief', payload: 'x' } })
    await Promise.all([sweep(two), sweep(three)])
    t.equal((await store.sessions.record('ann/phone'))!.disconnectedAt, 0, 'while it is there, nobody touches them')
    one.kill()
    one.node.leave()
    const topics = [await take(wills, 'publish'), await take(wills, 'publish'), await take(wills, 'publish')]
    t.same(topics.map(({ topic }) => topic).sort(), ['will/brief', 'will/phone', 'will/tablet'])
    await owned(store, undefined)
    await Promise.all([sweep(two), sweep(three)])
    await publish(bob, 'will/marker')
    t.equal((await take(wills, 'publish')).topic, 'will/marker', 'each once')
    t.match(await store.sessions.record('ann/phone'), { disconnectedAt: /^\d{10,}$/ })
    t.match(await ownersIn(store), [/^bob\/bob/, /^bob\/wills/], 'and nobody owns them')
    t.ok((await phone(three)).sessionPresent)
  },
)

t.test('a will with a delay waits for the client of a node that is gone', async (t) => {
  const clock = movableClock(t)
  const { one, two, another, bob, wills, store } = await twoNodes(t, clock)
  const three = await another()
  const will = (topic: string) => ({ topic, payload: 'x', properties: { willDelayInterval: 60 } })
  await phone(one, { will: will('will/phone') })
  await phone(one, { id: 'tablet', will: will('will/tablet') })
  one.kill()
  one.node.leave()
  await owned(store, undefined)
  t.ok((await phone(two)).sessionPresent)
  clock.forward(50)
  await Promise.all([sweep(two), sweep(three)])
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker', 'not yet')
  clock.forward(20)
  await Promise.all([sweep(two), sweep(three)])
  t.equal((await take(wills, 'publish')).topic, 'will/tablet')
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker', 'once, and not that of the client which came back')
})

t.test('a will that could not be published when its client died is published once, later', async (t) => {
  const { one, two, bob, wills } = await twoNodes(t)
  const { client } = await phone(one, { will: { topic: 'will/phone', payload: 'x' } })
  one.cutOff()
  await cut(one.broker, client)
  await one.write()
  await Promise.all([sweep(one), sweep(two)])
  t.equal((await take(wills, 'publish')).topic, 'will/phone')
  await Promise.all([sweep(one), sweep(two)])
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker')
})

t.test('a will with a delay is void if its client comes back before anybody knows that its node is gone', async (t) => {
  const clock = movableClock(t)
  const { one, two, bob, wills, store } = await twoNodes(t, clock)
  await phone(one, { will: { topic: 'will/phone', payload: 'x', properties: { willDelayInterval: 60 } } })
  one.kill()
  const client = await begin(two)
  await wanted(store, /^2\./)
  clock.forward(2)
  t.match(await take(client, 'connack'), { sessionPresent: true })
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker')
})

t.test('a delayed will is published though the node that knew of it is gone', async (t) => {
  const clock = movableClock(t)
  const { one, two, bob, wills } = await twoNodes(t, clock)
  const will = { topic: 'will/phone', payload: 'x', properties: { willDelayInterval: 30 } }
  const { client } = await phone(one, { will })
  await cut(one.broker, client)
  one.kill()
  one.node.leave()
  await sweep(two)
  clock.forward(31)
  await sweep(two)
  t.equal((await take(wills, 'publish')).topic, 'will/phone')
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker')
})

t.test('a delayed will is published when it is due, though the node that knew of it is gone', async (t) => {
  const clock = movableClock(t)
  const { one, two, another, bob, wills } = await twoNodes(t, clock)
  const three = await another()
  // Nobody looks for it.
  for (const { broker } of [two, three]) broker.running.aedes.sweepWills = async () => {}
  const { client } = await phone(one, {
    will: { topic: 'will/phone', payload: 'x', properties: { willDelayInterval: 30 } },
  })
  await cut(one.broker, client)
  one.kill()
  one.node.leave()
  clock.forward(31)
  t.equal((await take(wills, 'publish')).topic, 'will/phone')
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker', 'once')
})

t.test('sessions expire on one node, and not while another one serves them', async (t) => {
  const { one, two, store } = await twoNodes(t)
  const { client } = await phone(one, { properties: { sessionExpiryInterval: 10 } })
  await phone(one, { id: 'tablet', properties: { sessionExpiryInterval: 10 } })
  await leave(one.broker, client)
  await Promise.all([sweep(one, Date.now() + MINUTE), sweep(two, Date.now() + MINUTE)])
  t.equal(await store.sessions.record('ann/phone'), null)
  t.match(await store.sessions.record('ann/tablet'), { disconnectedAt: 0 })
  const expired = [one, two].map(({ broker }) => broker.running.counters.all()['sessions.expired'] ?? 0)
  t.equal(expired[0]! + expired[1]!, 1)
})

t.test('a session that its client takes up again is not ended by who thought it had expired', async (t) => {
  const { one, two, store } = await twoNodes(t)
  const { client } = await phone(one, { properties: { sessionExpiryInterval: 10 } })
  await leave(one.broker, client)
  two.pause()
  const sweeping = sweep(two, Date.now() + MINUTE)
  const again = await phone(one, { properties: { sessionExpiryInterval: 10 } })
  await two.goOn()
  await sweeping
  t.match(await store.sessions.record('ann/phone'), { disconnectedAt: 0 })
  t.notOk(again.client.closed)
})

t.test('a node that was silent for too long ends its connections, and others go on with the sessions', async (t) => {
  // It has nothing to write by which it would find out.
  heldIntervals(t)
  const { one, two, bob, wills, store } = await twoNodes(t)
  const { client } = await phone(one, { will: { topic: 'will/phone', payload: 'x' } })
  one.deafen()
  one.node.leave()
  t.equal((await take(wills, 'publish')).topic, 'will/phone', 'by who took the session')
  one.node.lose()
  t.equal(await disconnected(client), TAKEN_OVER)
  one.hear()
  t.ok((await phone(two)).sessionPresent)
  await publish(bob, 'will/marker')
  t.equal((await take(wills, 'publish')).topic, 'will/marker', 'and not again by who lost it')
  await owned(store, /^2\./)
})
