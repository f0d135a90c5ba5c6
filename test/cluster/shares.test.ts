/** Shared subscriptions over nodes: each message to one member, wherever the members are, and wherever they go. */
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { type Clock, movableClock } from '../helpers/clock.js'
import { cut, leave, open, publish } from '../helpers/protocol.js'
import { Random } from '../helpers/random.js'
import { startRedis } from '../helpers/redis-server.js'
import { isAscending, Member, together } from '../helpers/share-member.js'
import {
  GROUP,
  leftovers,
  modelNodes,
  type Node,
  OVERRIDES,
  send,
  served,
  storeOf,
  until,
} from '../helpers/share-nodes.js'

const SECRET = 'one secret for all nodes, of 32 characters'
async function redisNodes(t: Test): Promise<[Node, Node]> {
  const { url } = await startRedis(t, { aof: 'off' })
  const redis = { url, assume: ['appendonly', 'appendfsync'] }
  const shared: Overrides = { ...OVERRIDES, store: { driver: 'redis', redis }, auth: { jwt: { secret: SECRET } } }
  return [{ broker: await startTestBroker(t, shared) }, { broker: await startTestBroker(t, shared) }]
}

let clock: Clock

/** With nodes in one process, and with a Redis. */
function onNodes(name: string, body: (t: Test, one: Node, two: Node) => Promise<void>): void {
  t.test(name, async (t) => {
    for (const [where, nodes] of Object.entries({ model: modelNodes, Redis: redisNodes }))
      t.test(where, async (t) => {
        clock = movableClock(t)
        await body(t, ...(await nodes(t)))
      })
  })
}

onNodes('each message goes to one member, from whichever node it comes', async (t, one, two) => {
  const [first, second] = [
    await Member.join(one, { id: 'w1', qos: 2 }),
    await Member.join(one, { id: 'w2', qos: 2, expiry: 60 }),
  ]
  const other = await Member.join(two, { id: 'w3', qos: 2, expiry: 60 })
  const [here, there] = [
    await open(one.broker, { user: 'bob', id: 'here' }),
    await open(two.broker, { user: 'bob', id: 'there' }),
  ]
  const sent: string[] = []
  for (const [index, qos] of ([0, 1, 2] as const).entries())
    sent.push(...(await send(here, index * 20, 10, qos)), ...(await send(there, index * 20 + 10, 10, qos)))
  const got = await together(sent.length, first, second, other)
  t.same([...got].sort(), [...sent].sort())
  t.ok(first.got.length > 0 && second.got.length > 0, 'of those who are connected to the node that serves the group')
  for (const member of [first, second, other]) isAscending(t, member, 'in order')
})

onNodes('the last member leaves while messages come: those at the other node get the rest', async (t, one, two) => {
  const first = await Member.join(one, { id: 'w1', qos: 2 })
  const other = await Member.join(two, { id: 'w2', qos: 2 })
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const sent = await send(sender, 0, 10, 1)
  await first.has(10)
  const later = send(sender, 10, 30, 1)
  await first.has(15)
  await leave(one.broker, first.client)
  sent.push(...(await later))
  const all = await together(sent.length, first, other)
  t.same([...new Set(all)].sort(), [...sent].sort(), 'nothing is lost')
  t.ok(other.got.length > 0)
  isAscending(t, other, 'in order')
})

onNodes('a group is served by each node in its turn while members of several wait', async (t, one, two) => {
  const first = await Member.join(one, { id: 'w1', qos: 2 })
  const other = await Member.join(two, { id: 'w2', qos: 2, expiry: 60 })
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const sent = await send(sender, 0, 10, 1)
  await first.has(10)
  t.same(other.got, [], 'not yet')
  clock.forward(6)
  await served(two)
  sent.push(...(await send(sender, 10, 10, 2)))
  await other.has(10)
  t.equal(first.got.length, 10)
  clock.forward(6)
  await served(one)
  sent.push(...(await send(sender, 20, 10, 2)))
  await first.has(20)
  t.same([...first.got, ...other.got].sort(), [...sent].sort(), 'each once')
})

onNodes('what a member has not acknowledged when its turn is over is given to another one', async (t, one, two) => {
  const first = await Member.join(one, { id: 'w1', holds: true })
  const other = await Member.join(two, { id: 'w2' })
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const sent = await send(sender, 0, 5, 1)
  await first.has(5)
  clock.forward(6)
  await other.has(5)
  first.acknowledge()
  sent.push(...(await send(sender, 5, 5, 1)))
  await other.has(10)
  t.same(other.got, sent, 'in order, and once: the late acknowledgement changes nothing')
  await until(() => storeOf(two).queue.size(GROUP).messages === 0)
})

onNodes('a QoS 2 exchange stays with its session, wherever that goes on', async (t, one, two) => {
  const first = await Member.join(one, { id: 'w1', qos: 2, expiry: 60, holds: true })
  const other = await Member.join(two, { id: 'w2', qos: 2 })
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const sent = await send(sender, 0, 5, 2)
  await first.has(5)
  await cut(one.broker, first.client)
  sent.push(...(await send(sender, 5, 5, 2)))
  await other.has(5)
  t.same(other.got, sent.slice(5), 'what the session has is not given to another one')
  for (const node of [one, two, one]) {
    const again = await Member.join(node, { id: 'w1', filter: null, qos: 2, expiry: 60, holds: true })
    await again.has(5)
    t.same(again.got, sent.slice(0, 5), 'it is sent again')
    await cut(node.broker, again.client)
  }
  const last = await Member.join(one, { id: 'w1', filter: null, qos: 2, expiry: 60 })
  await last.has(5)
  await until(async () => (await storeOf(one).sessions.progress('ann/w1')).inflight.length === 0)
  await leave(one.broker, last.client)
  t.same(last.got, sent.slice(0, 5))
  await until(() => storeOf(two).queue.size(GROUP).messages === 0)
  t.same(other.got, sent.slice(5), 'and never to another one')
})

onNodes('a group over rooms: its cursors go with it', async (t, one, two) => {
  const rooms = { filter: '$share/bots/rooms/+/messages', qos: 2 as const }
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const ann = await open(one.broker, { user: 'ann', id: 'ann' })
  for (const room of ['den', 'hall'])
    for (const who of [sender, ann]) await publish(who, `rooms/${room}/messages`, 'job before')
  const first = await Member.join(one, { id: 'w1', ...rooms })
  const other = await Member.join(two, { id: 'w2', ...rooms })
  const sent: string[] = []
  const say = async (from: number, count: number) => {
    sent.push(...(await send(sender, from, count, 2, 'rooms/den/messages')))
    sent.push(...(await send(sender, from + count, count, 1, 'rooms/hall/messages')))
  }
  await say(0, 5)
  await first.has(10)
  const leaving = leave(one.broker, first.client)
  await say(10, 5)
  await leaving
  t.same((await together(20, first, other)).sort(), [...sent].sort(), 'each once')
  await leave(two.broker, other.client)
  await until(async () => (await leftovers(one)).length === 0)
})

onNodes('of a group that has no members anywhere nothing is left; not before', async (t, one, two) => {
  const first = await Member.join(one, { id: 'w1' })
  const absent = await Member.join(one, { id: 'w2', expiry: 60 })
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  await leave(one.broker, absent.client)
  await leave(one.broker, first.client)
  await until(async () => (await leftovers(one)).every((one) => !one.startsWith('owner')))
  const sent = await send(sender, 0, 5)
  const other = await Member.join(two, { id: 'w3' })
  await other.has(5)
  t.same(other.got, sent, 'while a session has the subscription, messages wait')
  await leave(two.broker, other.client)
  const again = await Member.join(two, { id: 'w2', filter: null, expiry: 60 })
  again.client.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['$share/workers/jobs/+'] })
  await until(async () => (await leftovers(one)).length === 0)
  await Member.join(one, { id: 'w4', expiry: 60 }).then(({ client }) => leave(one.broker, client))
  t.notSame(await leftovers(two), [])
  await open(two.broker, { user: 'ann', id: 'w4', clean: true }).then((client) => leave(two.broker, client))
  await until(async () => (await leftovers(one)).length === 0)
})

onNodes('a node that closes gives up its groups', async (t, one, two) => {
  const first = await Member.join(one, { id: 'w1', qos: 2, expiry: 60 })
  const other = await Member.join(two, { id: 'w2', qos: 2 })
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const sent = await send(sender, 0, 10, 2)
  await first.has(10)
  const closing = one.broker.running.close()
  sent.push(...(await send(sender, 10, 10, 2)))
  await closing
  // What was on its way to it stays with its session.
  const back = await Member.join(two, { id: 'w1', qos: 2, expiry: 60, filter: null }, first)
  await together(20, back, other)
  t.same([...back.got, ...other.got].sort(), [...sent].sort())
  isAscending(t, other, 'in order')
})

onNodes('members that come and go between nodes get each QoS 2 message once', async (t, one, two) => {
  const random = Random.from('SHARES')
  t.comment(`SHARES=${random.seed}`)
  const senders = [await open(one.broker, { user: 'bob', id: 'b1' }), await open(two.broker, { user: 'bob', id: 'b2' })]
  const options = (id: string) => ({ id, qos: 2 as const, expiry: 60 })
  const ids = ['w1', 'w2', 'w3']
  const places = new Map<string, { node: Node; member: Member }>()
  for (const id of ids) places.set(id, { node: one, member: await Member.join(one, options(id)) })
  let count = 0
  const move = async (id: string): Promise<void> => {
    const { node, member } = places.get(id)!
    if (random.chance(0.5)) await cut(node.broker, member.client)
    const next = random.pick([one, two])
    places.set(id, { node: next, member: await Member.join(next, { ...options(id), filter: null }, member) })
  }
  for (let step = 0; step < 60; step++) {
    const sending = send(random.pick(senders), count, 3, 2)
    count += 3
    if (random.chance(0.4)) await move(random.pick(ids))
    if (random.chance(0.2)) clock.forward(6)
    await sending
  }
  const got = await together(count, ...[...places.values()].map(({ member }) => member))
  t.same(
    got.map((job) => Number(job.split(' ')[1])).sort((a, b) => a - b),
    Array.from({ length: count }, (_, i) => i),
  )
  // What ended at a node that does not serve the group is known there with the next turn.
  await until(() => {
    clock.forward(1)
    return storeOf(one).queue.size(GROUP).messages === 0
  })
})

onNodes('what is asked for at a higher QoS elsewhere is kept, also while nobody is connected', async (t, one, two) => {
  const room = '$share/bots/rooms/den/messages'
  const sender = await open(two.broker, { user: 'ann', id: 'sender' })
  await publish(sender, 'rooms/den/messages', 'job before')
  const first = await Member.join(one, { id: 'w1', qos: 0 })
  const inRoom = await Member.join(one, { id: 'r1', qos: 0, filter: room })
  const other = await Member.join(two, { id: 'w2', expiry: 60 })
  const otherInRoom = await Member.join(two, { id: 'r2', expiry: 60, filter: room })
  for (const { client } of [other, otherInRoom]) await leave(two.broker, client)
  for (const { client } of [first, inRoom]) await leave(one.broker, client)
  const isServed = async (): Promise<boolean> => (await leftovers(one)).some((one) => one.startsWith('owner'))
  await until(async () => !(await isServed()))
  const sent = await send(sender, 0, 3)
  const said = await send(sender, 0, 3, 1, 'rooms/den/messages')
  const again = await Member.join(one, { id: 'w2', expiry: 60, filter: null })
  const againInRoom = await Member.join(one, { id: 'r2', expiry: 60, filter: null })
  t.same(await again.has(3), sent)
  t.same(await againInRoom.has(3), said)
})

t.test('a node ends without a word: the other one goes on with its groups', async (t) => {
  clock = movableClock(t)
  const [one, two] = await modelNodes(t)
  const first = await Member.join(one, { id: 'w1', qos: 2, expiry: 60 })
  const slow = await Member.join(one, { id: 'w2', qos: 1, holds: true })
  const other = await Member.join(two, { id: 'w3', qos: 2 })
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const sent = await send(sender, 0, 10, 2)
  await together(10, first, slow)
  const coming = send(sender, 10, 10, 2)
  one.kill()
  sent.push(...(await coming))
  one.node.leave()
  await until(() => new Set([...first.got, ...other.got]).size === 20)
  t.same([...new Set([...first.got, ...other.got])].sort(), [...sent].sort(), 'nothing is lost')
  t.ok(slow.got.every((one) => other.got.includes(one) || first.got.includes(one)))
  await leave(two.broker, other.client)
  const again = await Member.join(two, { id: 'w1', filter: null, qos: 2, expiry: 60 })
  again.client.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['$share/workers/jobs/+'] })
  await until(async () => (await leftovers(two)).length === 0)
})

t.test('a group whose only members were those of a node that ended is not left behind', async (t) => {
  const [one, two] = await modelNodes(t)
  await Member.join(one, { id: 'w1' })
  t.notSame(await leftovers(two), [])
  one.kill()
  one.node.leave()
  await until(async () => (await leftovers(two)).length === 0)
})

t.test('what a node that slept saves of a group is refused', async (t) => {
  const [one, two] = await modelNodes(t)
  const first = await Member.join(one, { id: 'w1', holds: true })
  const other = await Member.join(two, { id: 'w2', holds: true })
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const sent = await send(sender, 0, 5)
  await first.has(5)
  one.pause()
  one.node.leave()
  await other.has(5)
  first.acknowledge()
  await one.goOn()
  await one.broker.running.close()
  t.equal(storeOf(two).queue.size(GROUP).messages, 5, 'they are not acknowledged where they were assigned last')
  other.acknowledge()
  sent.push(...(await send(sender, 5, 5)))
  await other.has(10)
  t.same(other.got, sent)
})

t.test('a single node writes nothing of it', async (t) => {
  const broker = await startTestBroker(t, OVERRIDES)
  await Member.join({ broker }, { id: 'w1', expiry: 60 })
  await Member.join({ broker }, { id: 'w2' })
  t.same(await leftovers({ broker }), [])
})
