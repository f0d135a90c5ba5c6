/** How much one person may have retained: theirs and that of their bots and devices. */
import t, { type Test } from 'tap'
import type { Overrides } from '../helpers/broker.js'
import { connect5, message } from '../helpers/mqtt5.js'
import { take } from '../helpers/protocol.js'
import { people } from '../helpers/rooms.js'

const RETAIN = { retain: true } as const

/** Mallory, and a device of hers. */
async function company(t: Test, limits: NonNullable<Overrides['limits']>) {
  const there = await people(t, ['alice', 'mallory'], { limits })
  const device = async (clientId = 'd') => there.connect('mdev', { clientId, password: key })
  const { key } = (await there.mallory.get('devices.register', { device: 'mdev' })).key
  return { ...there, device: await device(), again: device }
}

t.test('messages are counted for the person; cleared ones make room', async (t) => {
  const { alice, mallory, device } = await company(t, { retainedMessagesPerUser: 3 })
  await mallory.subscribe('devices/mallory/#')
  for (const topic of ['a', 'b']) await device.publish(`devices/mdev/${topic}`, '1', RETAIN)
  await mallory.publish('devices/mallory/c', '1', RETAIN)
  const refused = async () => {
    const before = device.replies.length
    await device.publish('devices/mdev/d', '1', RETAIN)
    await device.inbox.wait(before + 1, ({ topic }) => topic === 'users/mdev/replies')
    return device.replies[before]
  }
  await device.subscribe('users/mdev/replies')
  t.match(await refused(), { ok: false, topic: 'devices/mdev/d', error: { code: 'too_large' } })
  t.match((await refused()).error.message, 'limits.retainedMessagesPerUser')
  await device.publish('devices/mdev/d', 'not retained')
  await device.publish('devices/mdev/a', 'larger than before', RETAIN)
  await alice.publish('devices/alice/x', '1', RETAIN)
  t.equal(device.replies.length, 2, 'what there is may change, and others have their own')
  await mallory.publish('devices/mallory/c', '', RETAIN)
  await device.publish('devices/mdev/d', '1', RETAIN)
  t.equal(device.replies.length, 2)
  await device.subscribe('devices/mdev/+')
  await device.inbox.wait(3, ({ topic, retain }) => retain && topic.startsWith('devices/mdev/'))
})

t.test('what is more than one may have stays over a restart, may become less, and no more', async (t) => {
  const { broker, again, device } = await company(t, { retainedBytesPerUser: 100_000 })
  await device.publish('devices/mdev/large', 'x'.repeat(5000), RETAIN)
  await device.publish('devices/mdev/small', 'x', RETAIN)
  await broker.restart({ limits: { retainedBytesPerUser: 1000 } })
  const back = await again()
  await back.subscribe(['devices/mdev/#', 'users/mdev/replies'])
  await back.inbox.wait(2, ({ retain }) => retain)
  const [client] = await connect5(broker, { user: 'mdev', id: 'five' })
  const reason = async (topic: string, payload: string) => {
    client.send(message(`devices/mdev/${topic}`, payload, RETAIN))
    const { reasonCode = 0, properties } = await take(client, 'puback')
    return [reasonCode, properties?.reasonString?.includes('limits.retainedBytesPerUser') ?? false]
  }
  t.same(await reason('new', 'x'), [0x97, true])
  t.same(await reason('small', 'xx'), [0x97, true])
  t.same(await reason('small', 'y'), [0, false])
  t.same(await reason('large', 'y'.repeat(4000)), [0, false], 'still more than allowed, and less than before')
  t.same(await reason('large', ''), [0, false])
  t.same(await reason('new', 'x'), [0, false])
})

t.test('messages under way are counted, however fast they come', async (t) => {
  const { broker, device } = await company(t, { retainedMessagesPerUser: 5 })
  await device.subscribe('users/mdev/replies')
  await Promise.all(Array.from({ length: 50 }, (_, i) => device.publish(`devices/mdev/${i}`, 'x', RETAIN)))
  await device.inbox.wait(45, ({ topic }) => topic === 'users/mdev/replies')
  t.equal(broker.running.store.queue.retainedBy('mdev').messages, 5)
})
