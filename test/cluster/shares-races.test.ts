/** Share groups over nodes, where the one acts while the other does: the last member leaves as the first one subscribes, an owner loses a group it is giving up. */
import t, { type Test } from 'tap'
import { ShareGroup } from '../../broker/mqtt/shared/group.js'
import { movableClock } from '../helpers/clock.js'
import { cut, leave, open } from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'
import { holdQueueReads } from '../helpers/reading.js'
import { Member, together } from '../helpers/share-member.js'
import { GROUP, leftovers, modelNodes, send, served, storeOf, until } from '../helpers/share-nodes.js'
import { allDone, ShareSaves } from '../helpers/share-saves.js'

type GivingUp = 'settleAssignments' | 'endHere'

/** Resolves when a node that gives up a group has come to this step: it waits for acknowledgements, or lets go of what is assigned. */
function givenUp(t: Test, step: GivingUp): Promise<void> {
  const original = ShareGroup.prototype[step] as (...args: unknown[]) => unknown
  t.teardown(() => void Object.assign(ShareGroup.prototype, { [step]: original }))
  return new Promise((resolve) => {
    const told = function (this: ShareGroup, ...args: unknown[]) {
      resolve()
      return original.apply(this, args)
    }
    Object.assign(ShareGroup.prototype, { [step]: told })
  })
}

/** The SUBSCRIBE is sent, and nothing is waited for. */
function subscribe(client: RawClient): void {
  const subscriptions = [{ topic: '$share/workers/jobs/+', qos: 1 }]
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions } as never)
}

t.test('a group is given up while a member subscribes at another node', async (t) => {
  const [one, two] = await modelNodes(t)
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  let count = 0
  for (const turns of [-24, -16, -12, -8, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 24]) {
    const first = await Member.join(one, { id: `first ${turns}` })
    const other = await Member.join(two, { id: `other ${turns}`, filter: null })
    const acts = [() => first.client.send({ cmd: 'disconnect' }), () => subscribe(other.client)]
    const [earlier, later] = turns < 0 ? acts.reverse() : acts
    earlier!()
    for (let turn = 0; turn < Math.abs(turns); turn++) await new Promise((resolve) => setImmediate(resolve))
    later!()
    await until(() => other.isSubscribed)
    const sent = await send(sender, count, 3)
    count += 3
    t.same((await other.has(3)).slice(-3), sent, `${turns} turns of the event loop between the two`)
    await leave(two.broker, other.client)
    await until(async () => (await leftovers(two)).length === 0)
  }
})

t.test('the last member leaves while the store does not answer, and a member subscribes at another node', async (t) => {
  const [one, two] = await modelNodes(t)
  const sender = await open(two.broker, { user: 'bob', id: 'bob' })
  const first = await Member.join(one, { id: 'w1' })
  await send(sender, 0, 1)
  await first.has(1)
  one.holdWrites()
  first.client.send({ cmd: 'disconnect' })
  const other = await Member.join(two, { id: 'w2' })
  const sent = await send(sender, 1, 3)
  await one.write()
  t.same((await other.has(3)).slice(-3), sent, 'its end is decided again')
  await served(two)
})

t.test('a group is ended for good while what a member at another node needs of it is not stored yet', async (t) => {
  const [one, two] = await modelNodes(t)
  const sender = await open(one.broker, { user: 'bob', id: 'bob' })
  const first = await Member.join(one, { id: 'w1' })
  const other = await Member.join(two, { id: 'w2', filter: null })
  two.holdWrites()
  subscribe(other.client)
  await leave(one.broker, first.client)
  await until(async () => (await leftovers(one)).length === 0)
  await two.write()
  await until(() => other.isSubscribed)
  const sent = await send(sender, 0, 3)
  t.same(await other.has(3), sent)
  // How far the group is is saved when it is time for that.
  const stored = (await leftovers(one)).filter((what) => !what.startsWith('sessionState'))
  t.match(stored, [/^owner/, /^subscription/])
})

for (const qos of [1, 2] as const)
  t.test(`the owner of a group is fenced while it waits for acknowledgements of QoS ${qos}`, async (t) => {
    const clock = movableClock(t)
    const [one, two] = await modelNodes(t)
    const first = await Member.join(one, { id: 'w1', qos, holds: true, expiry: 60 })
    const other = await Member.join(two, { id: 'w2', qos, holds: true })
    const sender = await open(two.broker, { user: 'bob', id: 'bob' })
    const sent = await send(sender, 0, 5, qos)
    await first.has(5)
    const gives = givenUp(t, 'settleAssignments')
    clock.forward(6)
    await gives
    one.pause()
    one.node.leave()
    // It waits for a second, in which the other one may not have had its turn.
    first.acknowledge()
    await served(two)
    if (qos === 1) await other.has(5)
    if (qos === 1) await until(() => one.holdsDequeue(GROUP))
    await one.goOn()
    one.node.lose()
    await one.broker.running.close()
    t.equal(storeOf(two).queue.size(GROUP).messages, 5, 'what it saves of the group then is refused')
    other.acknowledge()
    sent.push(...(await send(sender, 5, 5, qos)))
    await other.has(qos === 1 ? 10 : 5)
    t.same(other.got, qos === 1 ? sent : sent.slice(5), 'QoS 2 exchanges stay with their session')
    if (qos === 1) return
    const again = await Member.join(two, { id: 'w1', filter: null, qos, expiry: 60 }, first)
    await until(() => storeOf(two).queue.size(GROUP).messages === 0)
    t.same(again.got, sent.slice(0, 5), 'where they are completed, each once')
  })

for (const isAlone of [true, false])
  t.test(
    `a QoS 2 message whose member is taken over before it was sent is not lost: the group ${isAlone ? 'goes with the member' : 'stays'}`,
    async (t) => {
      const clock = movableClock(t)
      const [one, two] = await modelNodes(t)
      const first = await Member.join(one, { id: 'w1', qos: 2, expiry: 60 })
      const second = isAlone ? null : await Member.join(one, { id: 'w2', qos: 2 })
      const sender = await open(two.broker, { user: 'bob', id: 'bob' })
      one.holdWrites()
      const sent = await send(sender, 0, 4, 2)
      // They are to be stored with their session before they leave.
      await until(() => one.holdsStateOf('ann/w1'))
      one.deafen()
      const moving = Member.join(two, { id: 'w1', qos: 2, expiry: 60, filter: null }, first)
      await until(() => storeOf(two).sessionOwners.claimant('ann/w1') !== undefined)
      clock.forward(2)
      const moved = await moving
      await one.goOn()
      const got = await together(4, ...(second ? [moved, second] : [moved]))
      t.same([...got].sort(), sent)
      await until(() => storeOf(two).queue.size(GROUP).messages === 0)
      t.equal(moved.got.length + (second?.got.length ?? 0), 4)
    },
  )

t.test(
  'a node fails after a group was saved with another member than the one that a QoS 2 message is assigned to',
  async (t) => {
    const [one, two] = await modelNodes(t)
    const sender = await open(two.broker, { user: 'bob', id: 'bob' })
    const saves = await ShareSaves.begin(one.broker, sender)
    await saves.assignTwo()
    await saves.saveWithSecond()
    saves.line.end()
    one.kill()
    one.node.leave()
    const third = await Member.join(two, { id: 'w3', qos: 2 })
    t.same(await third.has(1), ['job 3'], 'it goes to another member')
    const [first, second] = await saves.comeBack(two.broker)
    await allDone(two.broker)
    t.same([...first.got, ...second.got, ...third.got].sort(), saves.sent, 'all to one member each')
  },
)

t.test(
  'a session completes what it has at another node, and comes back: the group is told without a turn',
  async (t) => {
    const [one, two] = await modelNodes(t)
    const stays = { id: 'w1', qos: 2, expiry: 60 } as const
    const first = await Member.join(one, { ...stays, holds: true })
    const other = await Member.join(one, { id: 'w2', qos: 0 })
    const sent = await send(await open(two.broker, { user: 'bob', id: 'bob' }), 0, 4, 2)
    await together(4, first, other)
    const elsewhere = await Member.join(two, { ...stays, filter: null }, first)
    t.same([...(await elsewhere.has(first.got.length)), ...other.got].sort(), sent)
    await elsewhere.completed()
    // What it has completed is saved as it leaves, when the other node has it already.
    await Member.join(one, { ...stays, filter: null }, elsewhere)
    await until(() => storeOf(one).queue.size(GROUP).messages === 0)
    t.ok(first.got.length > 0)
  },
)

t.test('a group goes to another node while a session is sent again what it has of it', async (t) => {
  const clock = movableClock(t)
  const [one, two] = await modelNodes(t)
  const stays = { id: 'w1', qos: 2, expiry: 60 } as const
  const first = await Member.join(one, { ...stays, holds: true })
  const sent = await send(await open(two.broker, { user: 'bob', id: 'bob' }), 0, 3, 2)
  await first.has(3)
  await Member.join(one, { id: 'w2', qos: 0 })
  await cut(one.broker, first.client)
  const reads = holdQueueReads(storeOf(one))
  const again = await Member.join(one, { ...stays, filter: null })
  await reads.begun
  await Member.join(two, { id: 'w3', qos: 0 })
  clock.forward(6)
  await served(two)
  await reads.release()
  t.same(await again.has(3), sent)
  await until(async () => (await storeOf(one).sessions.progress('ann/w1')).inflight.length === 0)
})

t.test(
  'a session is taken over while it is sent again what it has of a group, which is given up by that',
  async (t) => {
    const [one] = await modelNodes(t)
    const stays = { id: 'w1', qos: 2, expiry: 60 } as const
    const first = await Member.join(one, { ...stays, holds: true })
    const sent = await send(await open(one.broker, { user: 'bob', id: 'bob' }), 0, 3, 2)
    await first.has(3)
    await cut(one.broker, first.client)
    const reads = holdQueueReads(storeOf(one), 1)
    const second = await Member.join(one, { ...stays, filter: null })
    await second.has(1)
    await reads.begun
    await served(one)
    const held = givenUp(t, 'endHere').then(() => one.holdWrites())
    const joining = Member.join(one, { ...stays, filter: null }, second)
    await held
    await reads.release()
    await new Promise((resolve) => setImmediate(resolve))
    await one.goOn()
    t.same(await (await joining).has(3), sent)
    await until(() => storeOf(one).queue.size(GROUP).messages === 0)
  },
)
