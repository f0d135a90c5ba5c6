/** Devices of users: owned, shared, commanded; over MQTT 3.1.1 with plain JSON. */
import t from 'tap'
import { commit } from '../../broker/store/commit.js'
import { fetchFrom } from '../helpers/http.js'
import type { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

const LASTING = { clean: false } as const
const STATE = 'devices/lamp/state'
const COMMANDS = 'devices/lamp/commands'
const RECEIPTS = 'devices/lamp/receipts'

async function cast(t: Parameters<typeof people>[0], overrides = {}) {
  const all = await people(t, ['owner', 'friend', 'stranger'], overrides)
  const { key } = await all.owner.get('devices.register', { device: 'lamp', name: 'Lamp' })
  const lamp = (options: object = {}) => all.connect('lamp', { password: key, ...options })
  return { ...all, key, lamp }
}

/** The next command that the device gets, after so many. */
async function commanded(lamp: Person, count: number) {
  return (await lamp.on(COMMANDS, count))[count - 1]
}

t.test('the owner, and those it shares with, follow a device without any rule', async (t) => {
  const { lamp, owner, friend, stranger } = await cast(t)
  const device = await lamp()
  await device.publish(STATE, 'on', { retain: true })
  t.same(await owner.subscribe(['devices/lamp/#', 'devices/+/state']), [1, 1])
  await owner.hears('on')
  for (const person of [friend, stranger])
    t.same(await person.subscribe(['devices/lamp/#', 'devices/+/state', STATE]), [128, 1, 128], 'of those to come')
  await owner.get('devices.share', { device: 'lamp', user: 'friend', may: 'read' })
  t.same(await friend.subscribe('devices/+/state'), [1], 'of every device one may read')
  await friend.hears('on')
  await device.publish(STATE, 'off')
  await device.publish('devices/lamp/temperature', '21')
  await Promise.all([owner.hears('21'), friend.hears('off')])
  t.same(friend.lines, [`${STATE} on`, `${STATE} off`])
  t.equal((await friend.refused(STATE, 'forged')).error.code, 'forbidden')
  t.equal((await owner.refused(STATE, 'forged')).error.code, 'forbidden', 'what it measures only it says')
  t.match(await friend.get('devices.get', { device: 'lamp' }), { may: 'read', owner: 'owner', shares: [], bridges: [] })
  t.equal(await stranger.fails('devices.get', { device: 'lamp' }), 'not_found device')
})

t.test('a share that is taken back ends live, queued, retained and shared delivery', async (t) => {
  const { broker, connect, lamp, owner, friend } = await cast(t)
  const device = await lamp()
  await owner.get('devices.share', { device: 'lamp', user: 'friend', may: 'read' })
  const phone = await connect('friend', { clientId: 'phone', ...LASTING })
  const shared = await connect('friend', { clientId: 'desk' })
  await phone.subscribe('devices/lamp/#')
  await phone.leave()
  await friend.subscribe('devices/lamp/#')
  await shared.subscribe('$share/desk/devices/lamp/#')
  await device.publish(STATE, 'before', { retain: true })
  await Promise.all([friend.hears('before'), shared.hears('before')])
  await owner.get('devices.unshare', { device: 'lamp', user: 'friend' })
  await device.publish(STATE, 'after')
  t.same(await friend.subscribe('devices/lamp/#'), [128])
  const back = await connect('friend', { clientId: 'phone', ...LASTING })
  await back.get('rooms.list')
  for (const person of [friend, shared]) {
    await person.get('rooms.list')
    t.same(person.lines, [`${STATE} before`])
  }
  t.same(back.lines, [], 'what waited for it too')
  t.equal((await fetchFrom(broker, '/v1/events?filter=devices/lamp/%23', { as: 'friend' })).status, 403)
})

t.test('a command waits for its device, is done once, and its outcome finds who asked', async (t) => {
  const { broker, connect, lamp, owner } = await cast(t)
  const device = await lamp({ clientId: 'lamp', ...LASTING })
  await device.subscribe('devices/lamp/#')
  await device.leave()
  const phone = await connect('owner', { clientId: 'phone', ...LASTING })
  await phone.subscribe('users/owner/events')
  const asked = await owner.get('devices.command', { device: 'lamp', name: 'dim', params: { to: 3 }, cid: 'c1' })
  t.match(asked, { state: 'pending', name: 'dim', by: 'owner', deliveredAt: null })
  const again = await owner.get('devices.command', { device: 'lamp', name: 'dim', params: { to: 3 }, cid: 'c1' })
  t.equal(again.id, asked.id, 'a retry is the same command')
  t.equal(await owner.fails('devices.command', { device: 'lamp', name: 'off', cid: 'c1' }), 'conflict cid')
  await phone.leave()
  await broker.restart()

  const back = await lamp({ clientId: 'lamp', ...LASTING })
  const command = await commanded(back, 1)
  t.match(command, { id: asked.id, from: 'owner', name: 'dim', params: { to: 3 } })
  const asking = await connect('owner', { clientId: 'asking' })
  const state = async () => (await asking.get('devices.commands', { device: 'lamp' })).commands[0]
  while ((await state()).state === 'pending') await back.get('rooms.list')
  t.match(await state(), { state: 'delivered', deliveredAt: Number, finishedAt: null })
  await back.publish(RECEIPTS, { id: command.id, ok: true, result: { level: 3 } })
  await back.publish(RECEIPTS, { id: command.id, ok: true, result: { level: 9 } })
  t.match((await back.refused(RECEIPTS, { id: command.id, ok: false })).error, { code: 'conflict', field: 'id' })
  t.match(await state(), { state: 'done', result: { level: 3 }, finishedAt: Number })
  const home = await connect('owner', { clientId: 'phone', ...LASTING })
  await asking.get('devices.command', { device: 'lamp', name: 'last' })
  await back.publish(RECEIPTS, { id: (await commanded(back, 2)).id, ok: false, error: 'no power' })
  const events = await home.on('users/owner/events', 2)
  t.match(events, [
    { type: 'deviceCommand', device: 'lamp', command: asked.id, name: 'dim', state: 'done', result: { level: 3 } },
    { type: 'deviceCommand', name: 'last', state: 'failed', error: 'no power' },
  ])
})

t.test('a new session gets what is under way, and nothing that is done or over', async (t) => {
  const { lamp, owner } = await cast(t)
  await owner.subscribe('users/owner/events')
  const ask = async (name: string, ttl?: number) =>
    (await owner.get('devices.command', { device: 'lamp', name, ...(ttl ? { ttl } : {}) })).id
  const [, done] = [await ask('short', 1), await ask('done'), await ask('open')]
  const first = await lamp()
  await first.publish(RECEIPTS, { id: done, ok: true })
  const events = await owner.on('users/owner/events', 2)
  t.same(events.map(({ name, state }) => `${name} ${state}`).sort(), ['done done', 'short expired'])
  t.equal((await first.refused(RECEIPTS, { id: (await commands(owner))[0].id, ok: true })).error.code, 'conflict')
  for (const clientId of ['one', 'two']) {
    const device = await lamp({ clientId })
    await device.subscribe(COMMANDS)
    const { id } = await commanded(device, 1)
    await device.get('rooms.list')
    t.same(
      device.inbox.json(COMMANDS).map(({ name }) => name),
      ['open'],
      'until there is a receipt',
    )
    if (clientId === 'two') await device.publish(RECEIPTS, { id, ok: true })
  }
  t.same(
    (await commands(owner)).map(({ state }: { state: string }) => state),
    ['expired', 'done', 'done'],
  )
})

async function commands(owner: Person) {
  return (await owner.get('devices.commands', { device: 'lamp' })).commands
}

t.test('a device is shared with a hundred users; what they may do changes still', async (t) => {
  const { broker, owner } = await cast(t)
  const { store } = broker.running
  const { shares } = store.directory.devices
  const share = (user: string) => shares.putOp({ device: 'lamp', user, may: 'read', at: 1 })
  await owner.get('devices.share', { device: 'lamp', user: 'friend', may: 'read' })
  await commit(store, { ops: Array.from({ length: 99 }, (_, i) => share(`user${i}`)) })
  t.equal(await owner.fails('devices.share', { device: 'lamp', user: 'stranger', may: 'read' }), 'conflict')
  await owner.get('devices.share', { device: 'lamp', user: 'friend', may: 'control' })
  t.match(shares.get('lamp', 'friend'), { may: 'control' })
})

t.test('commands are published too, by those who may, and nobody else sees them', async (t) => {
  const { lamp, owner, friend, stranger } = await cast(t)
  const device = await lamp()
  await device.subscribe('devices/lamp/#')
  await owner.subscribe('devices/lamp/#')
  await owner.get('devices.share', { device: 'lamp', user: 'friend', may: 'read' })
  t.equal((await friend.refused(COMMANDS, { name: 'on' })).error.code, 'forbidden')
  t.equal((await stranger.refused(COMMANDS, { name: 'on' })).error.code, 'forbidden')
  await owner.get('devices.share', { device: 'lamp', user: 'friend', may: 'control' })
  t.match(await friend.send(COMMANDS, { cid: 'c', name: 'on', ttl: 60 }), { ok: true, result: { seq: 1 } })
  t.match(await friend.send(COMMANDS, { cid: 'c', name: 'on', ttl: 60 }), { ok: true, result: { seq: 1 } })
  t.match(await commanded(device, 1), { from: 'friend', name: 'on', ttl: 60 })
  for (const [payload, wrong] of [
    ['on', 'bad_request'],
    [{ params: 1 }, 'bad_request name'],
    [{ name: 'on', ttl: 0 }, 'bad_request ttl'],
    [{ name: 'on', why: 1 }, 'bad_request why'],
  ] as const) {
    const { code, field } = (await friend.refused(COMMANDS, payload)).error
    t.equal([code, field].filter(Boolean).join(' '), wrong)
  }
  t.equal((await friend.refused(RECEIPTS, { id: 'x', ok: true })).error.code, 'forbidden')
  t.equal((await device.refused(RECEIPTS, { id: 'x', ok: true })).error.code, 'not_found')
  await device.publish('devices/lamp/last', 'x')
  await owner.hears('x')
  t.same(owner.lines, ['devices/lamp/last x'])
  for (let n = 0; n < 99; n++) await friend.publish(COMMANDS, { name: `${n}` })
  t.equal(await owner.fails('devices.command', { device: 'lamp', name: 'one too many' }), 'conflict')
})

t.test('a device that is handed over is nobody else’s any more', async (t) => {
  const { connect, key, lamp, owner, friend, stranger } = await cast(t)
  const device = await lamp()
  await owner.get('devices.share', { device: 'lamp', user: 'stranger', may: 'control' })
  for (const person of [owner, stranger]) await person.subscribe('devices/lamp/#')
  await friend.subscribe(['users/friend/events', 'users/+/presence'])
  t.same(await owner.get('devices.transfer', { device: 'lamp', user: 'friend' }), { offered: true })
  t.match(await friend.on('users/friend/events', 1), [{ type: 'deviceOffered', device: 'lamp', by: 'owner' }])
  t.match(await friend.get('devices.offers'), { offers: [{ device: 'lamp', name: 'Lamp', by: 'owner' }] })
  t.same((await friend.get('devices.list')).devices, [], 'it is not theirs until they take it')
  t.equal(await stranger.fails('devices.accept', { device: 'lamp' }), 'not_found device')
  const gone = device.gone()
  const taken = await friend.get('devices.accept', { device: 'lamp' })
  t.match(taken.device, { owner: 'friend', may: 'own' })
  await gone
  // It is gone, and others see that later.
  await friend.inbox.wait(1, ({ topic, payload }) => topic === 'users/lamp/presence' && payload.includes('"online"'))
  await t.rejects(connect('lamp', { password: key }), 'who had it knows no key that is good')
  t.match((await friend.on('users/friend/events', 2))[1], { type: 'device', device: 'lamp', by: 'owner', may: 'own' })
  t.same((await friend.get('devices.offers')).offers, [])
  t.equal(await friend.fails('devices.accept', { device: 'lamp' }), 'not_found device')
  const again = await connect('lamp', { password: taken.key, clientId: 'again' })
  await friend.subscribe('devices/lamp/#')
  await again.publish(STATE, 'theirs')
  await friend.hears('theirs')
  for (const person of [owner, stranger]) {
    t.same((await person.get('devices.list')).devices, [])
    t.equal(await person.fails('devices.command', { device: 'lamp', name: 'on' }), 'not_found device')
    t.same(person.lines, [])
  }
  t.equal(await friend.fails('devices.transfer', { device: 'lamp', user: 'lamp' }), 'bad_request user')
  t.equal(await again.fails('devices.register', { device: 'child' }), 'forbidden')
  t.equal(await again.fails('bots.create', { bot: 'child' }), 'forbidden')
})

t.test('a device is handed to nobody who does not want it', async (t) => {
  const { owner, friend, stranger } = await cast(t, { devices: { perUser: 1 } })
  const offer = (user: string) => owner.get('devices.transfer', { device: 'lamp', user })
  await friend.subscribe('users/friend/events')
  await offer('friend')
  await offer('friend')
  await friend.get('devices.register', { device: 'own' })
  t.equal(await friend.fails('devices.accept', { device: 'lamp' }), 'conflict', 'they have as many as they may')
  await friend.get('devices.decline', { device: 'lamp' })
  t.equal(await friend.fails('devices.accept', { device: 'lamp' }), 'not_found device')
  await offer('friend')
  t.equal((await friend.on('users/friend/events', 2)).length, 2, 'to offer again what is offered is no event')
  t.same(await offer('owner'), { offered: false }, 'the owner takes it back')
  t.equal(await friend.fails('devices.accept', { device: 'lamp' }), 'not_found device')
  await offer('friend')
  await offer('stranger')
  t.same((await friend.get('devices.offers')).offers, [], 'it is offered to one at a time')
  await stranger.get('devices.accept', { device: 'lamp' })
  t.equal(await owner.fails('devices.get', { device: 'lamp' }), 'not_found device')

  await friend.get('privacy.update', { invites: 'contacts' })
  t.equal(await stranger.fails('devices.transfer', { device: 'lamp', user: 'friend' }), 'forbidden')
  t.equal(await stranger.fails('devices.share', { device: 'lamp', user: 'friend', may: 'read' }), 'forbidden')
  await stranger.get('contacts.request', { user: 'friend' })
  await friend.get('contacts.accept', { user: 'stranger' })
  await stranger.get('devices.share', { device: 'lamp', user: 'friend', may: 'read' })
  await friend.get('privacy.update', { invites: 'nobody' })
  t.equal(await owner.fails('contacts.request', { user: 'friend' }), 'forbidden')
  await friend.get('contacts.request', { user: 'owner' })
  t.match(await owner.get('contacts.request', { user: 'friend' }), { state: 'contact' }, 'whom they asked may answer')
})

t.test('a device that is removed leaves nothing to who has its name next', async (t) => {
  const { broker, connect, key, lamp, owner, friend } = await cast(t)
  const device = await lamp()
  await device.publish(STATE, 'on', { retain: true })
  await owner.get('devices.share', { device: 'lamp', user: 'friend', may: 'control' })
  await friend.get('devices.command', { device: 'lamp', name: 'old' })
  const gone = device.gone()
  await owner.get('devices.remove', { device: 'lamp' })
  await gone
  t.equal(await owner.fails('devices.get', { device: 'lamp' }), 'not_found device')
  await t.rejects(connect('lamp', { password: key }))
  for await (const { topic } of broker.running.store.queue.retained(['devices/lamp/#'])) t.fail(topic)
  const next = await friend.get('devices.register', { device: 'lamp' })
  const heir = await connect('lamp', { password: next.key })
  await heir.subscribe('devices/lamp/#')
  await heir.get('rooms.list')
  t.same(heir.lines, [])
  t.match(await friend.get('devices.get', { device: 'lamp' }), { owner: 'friend', shares: [], may: 'own' })
  t.same((await friend.get('devices.commands', { device: 'lamp' })).commands, [])
  await broker.running.accounts.remove('friend')
  t.equal(await owner.fails('devices.get', { device: 'lamp' }), 'not_found device', 'devices go with their owner')
})

t.test('another key ends those before', async (t) => {
  const { connect, key, lamp, owner } = await cast(t)
  const device = await lamp()
  const gone = device.gone()
  const next = await owner.get('devices.key', { device: 'lamp' })
  await gone
  await t.rejects(connect('lamp', { password: key }))
  await connect('lamp', { password: next.key })
})

t.test('who makes devices, and how many, is the operator’s', async (t) => {
  const few = await people(t, ['owner'], { devices: { perUser: 1 } })
  await few.owner.get('devices.register', { device: 'one' })
  t.equal(await few.owner.fails('devices.register', { device: 'two' }), 'conflict')
  t.equal(await few.owner.fails('devices.register', { device: 'owner' }), 'conflict')
  for (const overrides of [{ devices: { register: 'admin' } }, { auth: { registration: 'closed' } }]) {
    const { connect, owner } = await people(t, ['owner'], overrides)
    t.equal(await owner.fails('devices.register', { device: 'lamp' }), 'forbidden')
    const root = await connect('root', { roles: ['admin'] })
    await root.get('devices.register', { device: 'lamp' })
    await root.get('devices.transfer', { device: 'lamp', user: 'owner' })
    t.match(await owner.get('devices.list'), { devices: [{ device: 'lamp', may: 'own' }] })
  }
})

t.test('who has no device yet may ask for all of them, and sees those that are shared later', async (t) => {
  const { lamp, owner, friend, connect } = await cast(t)
  const device = await lamp()
  const kept = await connect('friend', { ...LASTING, clientId: 'kept' })
  for (const person of [friend, kept]) t.same(await person.subscribe('devices/+/state'), [1])
  const { client } = await connect('stranger', { protocolVersion: 5, clientId: 'five' })
  const refused = client.subscribeAsync(STATE, { qos: 1 }).then(
    () => null,
    (error: Error) => error,
  )
  t.ok(await refused, 'lamp is not theirs')
  await device.publish(STATE, 'unseen')
  await owner.get('devices.share', { device: 'lamp', user: 'friend', may: 'read' })
  await device.publish(STATE, 'seen')
  await Promise.all([friend.hears('seen'), kept.hears('seen')])
  t.same(friend.lines, [`${STATE} seen`])
  t.same(kept.lines, [`${STATE} seen`])
})
