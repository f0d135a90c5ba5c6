/** What holds for a person holds for their bots and devices, and what these do counts for the person. */
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import type { Overrides } from '../helpers/broker.js'
import type { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

/** Mallory, a bot and a device of hers, and alice. */
async function company(t: Test, overrides: Overrides = {}) {
  const there = await people(t, ['alice', 'mallory'], overrides)
  const { connect, mallory } = there
  const { key } = (await mallory.get('bots.create', { bot: 'mbot' })).key
  const { key: deviceKey } = await mallory.get('devices.register', { device: 'mdev' })
  const bot = await connect('mbot', { password: key })
  const device = await connect('mdev', { password: deviceKey })
  return { ...there, bot, device, owned: [bot, device], keys: { mbot: key, mdev: deviceKey } }
}

const membersOf = async (person: Person, room: string): Promise<string[]> =>
  (await person.get('rooms.members', { room })).members.map(({ user }: { user: string }) => user).sort()

t.test('a ban takes bots and devices of who is banned out, keeps them out, and ends for all at once', async (t) => {
  const { alice, mallory, bot, device, owned } = await company(t)
  await alice.get('rooms.create', { room: 'plaza' })
  for (const person of [mallory, bot]) await person.get('rooms.join', { room: 'plaza' })
  await bot.subscribe(['rooms/plaza/messages', 'users/mbot/messages'])
  await alice.subscribe('rooms/plaza/events')
  await alice.get('rooms.ban', { room: 'plaza', user: 'mallory' })
  t.same(await membersOf(alice, 'plaza'), ['alice'])
  const told = await alice.on('rooms/plaza/events', 2)
  t.match(told, [
    { type: 'banned', user: 'mallory', by: 'alice' },
    { type: 'removed', user: 'mbot', by: 'alice' },
  ])
  await alice.say('plaza', 'among us')
  await alice.tell('mbot', 'marker')
  await bot.hears('marker')
  t.notOk(bot.lines.some((line) => line.endsWith('among us')))

  for (const person of owned) {
    t.equal(await person.fails('rooms.join', { room: 'plaza' }), 'forbidden', person.user)
    t.same(await person.subscribe('rooms/plaza/messages'), [0x80])
    t.match(await person.refused('rooms/plaza/messages', 'hi'), { error: { code: 'forbidden' } })
    t.equal(await person.fails('history', { room: 'plaza' }), 'forbidden room')
    t.equal(await alice.fails('rooms.invite', { room: 'plaza', user: person.user }), 'forbidden')
  }
  await alice.get('rooms.unban', { room: 'plaza', user: 'mallory' })
  for (const person of [mallory, bot, device]) await person.get('rooms.join', { room: 'plaza' })
  t.equal((await membersOf(alice, 'plaza')).length, 4)
})

t.test('a ban on a bot is for the bot alone', async (t) => {
  const { alice, mallory, bot } = await company(t)
  await alice.get('rooms.create', { room: 'plaza' })
  for (const person of [mallory, bot]) await person.get('rooms.join', { room: 'plaza' })
  await alice.get('rooms.ban', { room: 'plaza', user: 'mbot' })
  t.same(await membersOf(alice, 'plaza'), ['alice', 'mallory'])
})

t.test('whose bot has a role above is banned by someone above both', async (t) => {
  const { connect, alice, mallory, bot } = await company(t)
  await alice.get('rooms.create', { room: 'plaza' })
  const carol = await connect('carol')
  for (const person of [mallory, bot, carol]) await person.get('rooms.join', { room: 'plaza' })
  await alice.get('rooms.setRole', { room: 'plaza', user: 'carol', role: 'moderator' })
  await alice.get('rooms.setRole', { room: 'plaza', user: 'mbot', role: 'admin' })
  t.equal(await carol.fails('rooms.ban', { room: 'plaza', user: 'mallory' }), 'forbidden user')
  await alice.get('rooms.ban', { room: 'plaza', user: 'mallory' })
  t.same(await membersOf(alice, 'plaza'), ['alice', 'carol'])
})

t.test('a mute and slow mode hold for a person’s bots and devices', async (t) => {
  const { alice, mallory, owned } = await company(t)
  await alice.get('rooms.create', { room: 'plaza' })
  for (const person of [mallory, ...owned]) await person.get('rooms.join', { room: 'plaza' })
  await alice.get('rooms.mute', { room: 'plaza', user: 'mallory' })
  for (const person of [mallory, ...owned])
    t.match(await person.refused('rooms/plaza/messages', 'hi'), { error: { code: 'forbidden' } }, person.user)
  await alice.get('rooms.unmute', { room: 'plaza', user: 'mallory' })
  await alice.get('rooms.update', { room: 'plaza', slowMode: 3600 })
  await mallory.say('plaza', 'the one of this hour')
  for (const person of owned)
    t.match(await person.refused('rooms/plaza/messages', 'hi'), { error: { code: 'rate_limited' } }, person.user)
})

t.test('who is blocked does not reach one by a bot or a device, nor sees one by them', async (t) => {
  const { alice, bot, owned } = await company(t)
  await alice.get('contacts.request', { user: 'mbot' })
  await bot.get('contacts.accept', { user: 'alice' })
  await bot.subscribe('users/alice/presence')
  await bot.on('users/alice/presence', 1)
  await alice.get('blocks.add', { user: 'mallory' })
  for (const person of owned) {
    t.match(await person.refused('users/alice/messages', 'hi'), { error: { code: 'forbidden' } }, person.user)
    t.match(await person.refused('users/alice/signals', 'hi'), { error: { code: 'forbidden' } })
    t.equal(await person.fails('contacts.request', { user: 'alice' }), 'forbidden')
  }
  t.same(await bot.subscribe('users/alice/presence'), [0x80])
})

t.test('asking again for what stands is no event, and over and over is refused', async (t) => {
  const { broker, connect, alice, mallory, bot } = await company(t, { limits: { asksPerPair: 40 } })
  const root = await connect('root', { roles: ['admin'] })
  await mallory.get('rooms.create', { room: 'spam' })
  await alice.subscribe('users/alice/events')
  for (let i = 0; i < 10; i++) await mallory.get('rooms.invite', { room: 'spam', user: 'alice' })
  t.equal((await alice.on('users/alice/events', 1)).length, 1)
  const ask = (person: Person) => person.ask('contacts.request', { user: 'alice' })
  for (let i = 0; i < 2; i++) {
    t.ok((await ask(mallory)).ok)
    await mallory.get('contacts.remove', { user: 'alice' })
  }
  t.match((await ask(mallory)).error, { code: 'rate_limited', retryAfter: Number })
  t.match((await ask(bot)).error, { code: 'rate_limited' }, 'a bot asks for its owner')
  const share = (person: Person) => person.ask('devices.share', { device: 'mdev', user: 'alice', may: 'read' })
  for (let i = 0; i < 2; i++) {
    t.ok((await share(mallory)).ok)
    await mallory.get('devices.unshare', { device: 'mdev', user: 'alice' })
  }
  t.match((await share(mallory)).error, { code: 'rate_limited' })
  t.ok((await share(root)).ok, 'admins are not counted')
  let rooms = 0
  let last = { ok: true }
  for (; last.ok && rooms < 60; rooms++) {
    await mallory.get('rooms.create', { room: `r${rooms}` })
    last = await mallory.ask('rooms.invite', { room: `r${rooms}`, user: 'alice' })
  }
  t.ok(rooms < 45, `${rooms} other rooms`)
  t.ok((await mallory.ask('rooms.invite', { room: 'r0', user: 'mbot' })).ok, 'each other user is asked apart')
  await broker.restart()
  const again = await connect('mallory', { clientId: 'again' })
  t.match((await ask(again)).error, { code: 'rate_limited' }, 'a restart does not forget it')
})

t.test('a device that comes to someone who is banned leaves the room', async (t) => {
  const { connect, alice, mallory } = await company(t)
  const { key } = await alice.get('devices.register', { device: 'lamp' })
  const lamp = await connect('lamp', { password: key })
  await alice.get('rooms.create', { room: 'plaza' })
  await lamp.get('rooms.join', { room: 'plaza' })
  await alice.get('rooms.ban', { room: 'plaza', user: 'mallory' })
  await alice.get('devices.transfer', { device: 'lamp', user: 'mallory' })
  await mallory.get('devices.accept', { device: 'lamp' })
  t.same(await membersOf(alice, 'plaza'), ['alice'])
})

t.test(
  'reports of bots and devices are their owner’s, and a list that is nearly full is kept for who has none',
  async (t) => {
    const { broker, connect, alice, mallory, bot } = await company(t, { limits: { rates: 'off' } })
    await mallory.get('rooms.create', { room: 'pit' })
    for (const person of [bot, alice]) await person.get('rooms.join', { room: 'pit' })
    for (let i = 0; i < 101; i++) await alice.say('pit', `words ${i}`)
    const report = (person: Person, seq: number) => person.ask('reports.create', { room: 'pit', seq, reason: 'spam' })
    for (let i = 0; i < 100; i++) t.ok((await report(i % 2 === 0 ? mallory : bot, i + 1)).ok)
    t.match((await report(mallory, 101)).error, { code: 'conflict' })
    t.match((await report(bot, 101)).error, { code: 'conflict' })

    const { store } = broker.running
    const { reports } = store.moderation
    const [some] = reports.values()
    const many = Array.from({ length: 9999 - reports.size }, (_, i) => ({
      ...some!,
      id: `many-${i}`,
      by: `u${i % 500}`,
    }))
    await commit(store, { ops: many.map((one) => store.moderation.reportOp(one)) })
    t.ok((await report(await connectMember('bob'), 1)).ok, 'the last place is for who has no report')
    t.match((await report(await connectMember('carol'), 1)).error, { code: 'conflict' })

    async function connectMember(user: string): Promise<Person> {
      const person = await connect(user)
      await person.get('rooms.join', { room: 'pit' })
      return person
    }
  },
)

t.test('invitations that stand are counted for the person, and stay', async (t) => {
  const { broker, connect, alice, mallory, bot } = await company(t, { limits: { invitationsPerUser: 2 } })
  for (const user of ['bob', 'carol', 'dave']) await connect(user)
  for (const [owner, room] of [
    [mallory, 'm'],
    [bot, 'b'],
  ] as const)
    await owner.get('rooms.create', { room, access: 'private' })
  await mallory.get('rooms.invite', { room: 'm', user: 'bob' })
  await bot.get('rooms.invite', { room: 'b', user: 'bob' })
  for (const [owner, room] of [
    [mallory, 'm'],
    [bot, 'b'],
  ] as const) {
    const { error } = await owner.ask('rooms.invite', { room, user: 'carol' })
    t.equal(error.code, 'conflict')
    t.match(error.message, 'limits.invitationsPerUser')
  }
  await mallory.get('rooms.invite', { room: 'm', user: 'bob' })
  await alice.get('rooms.create', { room: 'a', access: 'private' })
  await alice.get('rooms.invite', { room: 'a', user: 'carol' })
  await bot.get('rooms.delete', { room: 'b' })
  await mallory.get('rooms.invite', { room: 'm', user: 'carol' })

  await broker.restart({ limits: { invitationsPerUser: 1 } })
  const [back, bob] = [await connect('mallory'), await connect('bob')]
  await bob.get('rooms.join', { room: 'm' })
  t.equal(await back.fails('rooms.invite', { room: 'm', user: 'dave' }), 'conflict')
  await (await connect('carol')).get('rooms.join', { room: 'm' })
  await back.get('rooms.invite', { room: 'm', user: 'dave' })
})

t.test('requests, sessions and keys of bots and devices count for their owner', async (t) => {
  const rates = { read: 1 }
  const { connect, mallory, owned, keys } = await company(t, { limits: { rates, sessionsPerUser: 2, keysPerBot: 2 } })
  for (const person of [mallory, ...owned]) for (let i = 0; i < 4; i++) await person.ask('privacy.get')
  t.match((await owned[0]!.ask('privacy.get')).error, { code: 'rate_limited' })

  await mallory.get('keys.create', { name: 'second', user: 'mbot' })
  t.equal(await mallory.fails('keys.create', { name: 'third', user: 'mbot' }), 'conflict')

  const lasting = (user: 'mallory' | keyof typeof keys, clientId: string) =>
    connect(user, { clientId, clean: false, ...(user === 'mallory' ? {} : { password: keys[user] }) })
  await lasting('mallory', 'one')
  await lasting('mbot', 'two')
  await lasting('mdev', 'each may have one')
  await t.rejects(lasting('mbot', 'three'))
  await t.rejects(lasting('mallory', 'four'))

  await lasting('mbot', 'two')
  t.pass('what is there goes on')
})

t.test('a fleet that admins gave to one user counts by device', async (t) => {
  const { connect } = await people(t, [], { limits: { sessionsPerUser: 1, botsPerUser: 0 }, devices: { perUser: 1 } })
  const root = await connect('root', { roles: ['admin'] })
  for (const device of ['d1', 'd2', 'd3']) {
    const { key } = await root.get('devices.register', { device })
    await connect(device, { password: key, clean: false })
  }
  await connect('root', { clientId: 'kept', clean: false })
  t.pass('nobody uses up what another needs')
})
