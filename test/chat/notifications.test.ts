/** What becomes of notifications: replaced, expired, delivered, acknowledged, for all devices of a user alike. */
import t from 'tap'
import { stillClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { people } from '../helpers/rooms.js'

const LASTING = { clean: false } as const
const TOPIC = 'users/bob/notifications'

async function cast(t: Parameters<typeof people>[0], overrides = {}) {
  const all = await people(t, ['bob', 'carol'], overrides)
  const robot = await all.connect('robot', { roles: ['notifier'] })
  return { ...all, robot }
}

t.test('a newer notification takes the place of the older one of its key, for who was away', async (t) => {
  const { connect, bob, robot } = await cast(t)
  await bob.subscribe(TOPIC)
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  await phone.subscribe(TOPIC)
  await phone.leave()
  for (const percent of [10, 50, 90])
    await robot.publish(TOPIC, { title: `${percent} %`, body: '', collapseKey: 'download' })
  await robot.publish(TOPIC, { title: 'other', body: '', collapseKey: 'upload' })
  const live = await bob.on(TOPIC, 4)
  t.same(
    live.map(({ title }) => title),
    ['10 %', '50 %', '90 %', 'other'],
    'who is there sees each',
  )
  const back = await connect('bob', { clientId: 'phone', ...LASTING })
  const missed = await back.on(TOPIC, 2)
  t.match(missed, [
    { seq: 3, title: '90 %' },
    { seq: 4, title: 'other' },
  ])
  const { notifications, unacked } = await bob.get('notifications.list')
  t.same([notifications.map(({ seq }: { seq: number }) => seq), unacked], [[3, 4], 2])
  t.match(await robot.get('notifications.status', { user: 'bob', notification: live[0].id }), {
    seq: 1,
    gone: 'replaced',
  })
  t.match(await robot.get('notifications.status', { user: 'bob', notification: live[2].id }), { seq: 3, gone: null })
})

t.test('keyed notifications that come at once leave one', async (t) => {
  const { bob, robot } = await cast(t)
  const keyed = (n: number) => robot.publish(TOPIC, { title: `${n}`, body: '', collapseKey: 'k', cid: `c${n}` })
  await Promise.all(Array.from({ length: 20 }, (_, n) => keyed(n)))
  await keyed(3)
  const { notifications, unacked } = await bob.get('notifications.list')
  t.match([notifications, unacked], [[{ seq: 20, title: '19' }], 1], 'a retry replaces nothing')
})

t.test('one device acknowledges for all, and the others are told', async (t) => {
  const { broker, connect, bob, carol, robot } = await cast(t)
  const tablet = await connect('bob', { clientId: 'tablet' })
  await tablet.subscribe('users/bob/events')
  for (const title of ['a', 'b', 'c', 'd']) await robot.publish(TOPIC, { title, body: '' })
  const all = (await bob.get('notifications.list')).notifications
  t.same(await bob.get('notifications.ack', { ids: [all[1].id] }), { acked: [2], unacked: 3 })
  t.same(await bob.get('notifications.ack', { ids: [all[1].id] }), { acked: [], unacked: 3 }, 'twice is once')
  t.same(await bob.get('notifications.ack', { upTo: 3 }), { acked: [1, 3], unacked: 1 })
  t.match(await tablet.on('users/bob/events', 2), [
    { type: 'acked', notifications: [2] },
    { type: 'acked', notifications: [1, 3] },
  ])
  await broker.restart()
  const phone = await connect('bob', { clientId: 'phone' })
  const open = await phone.get('notifications.list', { unacked: true })
  t.match(open, { notifications: [{ title: 'd', acked: null }], unacked: 1, more: false })
  t.same(
    await phone
      .get('notifications.list', { before: 3, limit: 1 })
      .then(({ notifications, more }) => [notifications[0].title, more]),
    ['b', true],
  )
  const sender = await connect('robot', { clientId: 'again', roles: ['notifier'] })
  t.match(await sender.get('notifications.status', { user: 'bob', notification: all[1].id }), { acked: Number })
  for (const [person, params] of [
    [carol, { user: 'bob', notification: all[1].id }],
    [bob, { user: 'bob', notification: all[1].id }],
  ] as const) {
    const asking = await connect(person.user, { clientId: 'asking' })
    t.equal(await asking.fails('notifications.status', params), 'not_found notification', 'for who sent it alone')
  }
  t.match(
    await phone.get('notifications.ack', { ids: [all[3].id, 'no such'] }),
    { unknown: ['no such'] },
    'one that is not there holds up nothing',
  )
  t.equal((await phone.get('notifications.list', { unacked: true })).unacked, 0)
})

t.test('its sender learns when it reached a device', async (t) => {
  const { broker, connect, bob, robot } = await cast(t)
  const { sent } = await robot.get('notify', { user: 'bob', title: 'x', body: '' })
  const status = () => robot.get('notifications.status', { user: 'bob', notification: sent[0].id })
  t.match(await status(), { delivered: null })
  await bob.subscribe(TOPIC)
  const next = await robot.get('notify', { user: 'bob', title: 'y', body: '' })
  await bob.on(TOPIC, 1)
  await bob.get('rooms.list')
  // Arrivals are written before the broker stops.
  await broker.restart()
  const again = await connect('robot', { clientId: 'again', roles: ['notifier'] })
  const of = (one: { id: string }) => again.get('notifications.status', { user: 'bob', notification: one.id })
  t.match(await of(next.sent[0]), { delivered: Number, acked: null })
  t.match(await of(sent[0]), { delivered: null }, 'it came before the subscription')
})

t.test('over HTTP one request notifies many, and its key makes a retry safe', async (t) => {
  const { broker, bob, carol } = await cast(t)
  await Promise.all([bob.subscribe(TOPIC), carol.subscribe('users/carol/notifications')])
  const post = (body: object, key: string) =>
    fetchFrom(broker, '/v1/notifications', {
      ...{ method: 'POST', as: 'robot', roles: ['notifier'], body, headers: { 'idempotency-key': `"${key}"` } },
    })
  const body = { users: ['bob', 'carol', 'nobody'], title: 'Build', body: 'failed' }
  const [first, again] = [await post(body, 'k1'), await post(body, 'k1')]
  t.equal(first.status, 201)
  t.match(first.body, {
    sent: [
      { user: 'bob', seq: 1 },
      { user: 'carol', seq: 1 },
    ],
    refused: [{ user: 'nobody' }],
  })
  t.same(again.body.sent, first.body.sent)
  t.match((await post({ ...body, title: 'Other' }, 'k1')).body, { sent: [], refused: [{ code: 'conflict' }, {}, {}] })
  await post({ user: 'bob', title: 'last', body: '' }, 'k2')
  t.match(await bob.on(TOPIC, 2), [{ title: 'Build', from: 'robot' }, { title: 'last' }])
  t.equal((await post({ user: 'nobody', title: 'x', body: '' }, 'k3')).status, 404)
  t.equal((await post({ user: 'bob', users: ['bob'], title: 'x', body: '' }, 'k4')).body.field, 'user')
})

t.test('the newest are kept, and none longer than the operator says', async (t) => {
  const { broker, bob, robot } = await cast(t, { notifications: { keep: 64, ttl: '1h' } })
  for (let n = 1; n <= 256; n++) void robot.publish(TOPIC, { title: `${n}`, body: '' })
  await robot.get('notify', { user: 'bob', title: 'last', body: '', ttl: 7200 })
  const [entry] = await broker.running.store.log.read('n:bob', 256, 1, 1)
  t.ok(entry!.extra!.expiresAt <= entry!.ts + 3_600_000)
  const list = () => bob.get('notifications.list', { limit: 200 })
  let listed = await list()
  // What is beyond goes chunk by chunk, as soon as there are chunks.
  while (listed.unacked >= 128) {
    await broker.running.maintenance.sweep()
    listed = await list()
  }
  t.ok(listed.unacked >= 64, 'never fewer than are to be kept')
  t.match(listed.notifications.at(-1), { seq: 257, title: 'last' })
  const phone = await bob.get('notifications.list', { before: 257, limit: 1 })
  t.match(phone, { notifications: [{ seq: 256, title: '256' }], more: true })
})

t.test('a notification whose time is over is not listed, nor counted', async (t) => {
  // Until both are told of.
  const clock = stillClock(t)
  const { bob, robot } = await cast(t)
  await bob.subscribe(TOPIC)
  const { sent } = await robot.get('notify', { user: 'bob', title: 'short', body: '', ttl: 1 })
  await robot.publish(TOPIC, { title: 'long', body: '' })
  await bob.on(TOPIC, 2)
  clock.goOn()
  let listed = await bob.get('notifications.list')
  while (listed.notifications.length > 1) listed = await bob.get('notifications.list')
  t.match(listed, { notifications: [{ title: 'long' }], unacked: 1 })
  t.match(await robot.get('notifications.status', { user: 'bob', notification: sent[0].id }), { gone: 'expired' })
})
