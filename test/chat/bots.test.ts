/** API keys, bots, and the commands they take, over real connections. */
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person, type PersonOptions } from '../helpers/people.js'

const LASTING = { clean: false } as const

async function open(t: Test, overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const bearer = (key: string, path: string) => fetchFrom(broker, path, { headers: { authorization: `Bearer ${key}` } })
  return { broker, connect, bearer }
}

t.test('a key opens every door until it is revoked, and then at once none', async (t) => {
  const { broker, connect, bearer } = await open(t)
  const alice = await connect('alice')
  const { id, key, ...rest } = await alice.get('keys.create', { name: 'backup' })
  t.match(rest, { name: 'backup', expiresAt: null })
  const service = await connect('alice', { password: key, clientId: 'service', ...LASTING })
  await service.subscribe('users/alice/messages')
  const nameless = await connect('alice', { username: '', password: key, clientId: 'nameless' })
  t.equal((await bearer(key, '/v1/rooms')).status, 200)
  const basic = Buffer.from(`alice:${key}`).toString('base64')
  t.equal((await fetchFrom(broker, '/v1/rooms', { headers: { authorization: `Basic ${basic}` } })).status, 200)
  await t.rejects(connect('bob', { password: key }), 'the name must be that of the key')
  await t.rejects(connect('alice', { password: `${key.slice(0, -4)}AAAA` }))

  const [first] = (await alice.get('keys.list')).keys
  t.match(first, { id, name: 'backup', usedAt: Number })
  t.notOk(JSON.stringify(first).includes(key.split('.')[3]), 'the secret is never shown again')
  const ends = Promise.all([service.gone(), nameless.gone()])
  t.same(await alice.get('keys.revoke', { keyId: id }), {})
  await ends
  t.equal((await bearer(key, '/v1/rooms')).status, 401)
  await t.rejects(connect('alice', { password: key }))
  t.same((await alice.get('keys.list')).keys, [])

  const bob = await connect('bob')
  await bob.tell('alice', 'while away')
  const next = await alice.get('keys.create', { name: 'the next' })
  const back = await connect('alice', { password: next.key, clientId: 'service', ...LASTING })
  await back.hears('while away')
  t.pass('what waits for a session is there for the next key')
})

t.test('a key gives no more than whoever made it had', async (t) => {
  const { broker, connect } = await open(t, { limits: { keysPerUser: 2 } })
  await broker.running.accounts.add('ann', 'ann-pw', ['admin'])
  const narrowed = await connect('ann', { roles: [], clientId: 'narrowed' })
  const weak = await narrowed.get('keys.create', { name: 'weak' })
  const service = await connect('ann', { password: weak.key, clientId: 'weak' })
  t.equal(await service.fails('auth.invite'), 'forbidden')
  t.equal(await service.fails('keys.create', { name: 'another' }), 'forbidden', 'nor does it make keys')
  const strong = await (await connect('ann', { password: 'ann-pw' })).get('keys.create', { name: 'strong' })
  const admin = await connect('ann', { password: strong.key, clientId: 'strong' })
  t.match(await admin.get('auth.invite'), { invite: String })
  t.equal(await narrowed.fails('keys.create', { name: 'third' }), 'conflict')
  t.equal(await admin.fails('keys.create', { name: 'x', user: 'nobody' }), 'not_found user')
})

t.test('keys stay when passwords and tokens change', async (t) => {
  const { connect, bearer } = await open(t)
  const root = await connect('root', { roles: ['admin'] })
  const { token } = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const alice = await connect('alice', { password: token })
  const { key } = await alice.get('keys.create', { name: 'service' })
  const gone = alice.gone()
  await alice.get('auth.logoutEverywhere')
  await gone
  t.equal((await bearer(key, '/v1/rooms')).status, 200)
})

t.test('a bot is a user with keys in place of a password, and goes with its owner', async (t) => {
  const { broker, connect, bearer } = await open(t, { limits: { botsPerUser: 1 } })
  const alice = await connect('alice')
  const { bot, key } = await alice.get('bots.create', { bot: 'helper' })
  t.equal(bot, 'helper')
  const helper = await connect('helper', { password: key.key })
  await helper.subscribe('rooms/lobby/messages')
  await alice.subscribe('rooms/lobby/messages')
  await helper.say('lobby', 'I am here')
  await alice.hears('I am here')
  t.equal(await helper.fails('bots.create', { bot: 'another' }), 'forbidden')
  t.equal(await alice.fails('bots.create', { bot: 'second' }), 'conflict')
  t.equal(await alice.fails('bots.create', { bot: 'HELPER' }), 'conflict')
  t.match((await alice.get('bots.list')).bots, [{ bot: 'helper' }])

  const second = await alice.get('keys.create', { user: 'helper', name: 'second' })
  t.equal((await alice.get('keys.list', { user: 'helper' })).keys.length, 2)
  const cut = helper.gone()
  await alice.get('keys.revoke', { user: 'helper', keyId: key.keyId })
  await cut
  const anew = await connect('helper', { password: second.key })
  const ended = anew.gone()
  await broker.running.accounts.add('root', null)
  await alice.get('bots.delete', { bot: 'helper' })
  await ended
  t.equal((await bearer(second.key, '/v1/rooms')).status, 401)
  t.notOk(broker.running.store.directory.member('lobby', 'helper'))

  const last = await alice.get('bots.create', { bot: 'last' })
  await broker.running.accounts.remove('alice')
  t.equal((await bearer(last.key.key, '/v1/rooms')).status, 401)
})

t.test('a slash command goes to the bot that takes it, even one that is away, and not to the room', async (t) => {
  const { broker, connect } = await open(t)
  const [alice, bob] = [await connect('alice'), await connect('bob')]
  const { key } = await alice.get('bots.create', { bot: 'ci' })
  const ci = await connect('ci', { password: key.key, ...LASTING })
  await ci.subscribe('users/ci/events')
  for (const person of [ci, alice, bob]) await person.subscribe('rooms/lobby/messages')
  const root = await connect('root', { roles: ['admin'] })
  await root.get('slash.allow', { room: 'lobby', bot: 'ci' })
  const deploy = { name: 'deploy', description: 'Deploys a service.', usage: '<service>' }
  await ci.get('slash.set', { commands: [deploy] })
  t.same((await bob.get('slash.list', { room: 'lobby' })).commands, [{ ...deploy, bot: 'ci', owner: 'alice' }])

  const taken = await bob.send('rooms/lobby/messages', { cid: 'once', text: '/deploy web  now', mentions: ['@alice'] })
  t.match(taken.result, { room: 'lobby', seq: 0, command: { bot: 'ci', name: 'deploy', owner: 'alice' } })
  const again = await bob.send('rooms/lobby/messages', { cid: 'once', text: '/deploy web  now', mentions: ['@alice'] })
  t.same(again.result, taken.result, 'a retry is answered as the first time')
  const [event] = await ci.on('users/ci/events', 1)
  t.match(event, { type: 'command', command: 'deploy', args: 'web  now', room: 'lobby', by: 'bob' })
  t.match(event.message, { text: '/deploy web  now', mentions: ['@alice'] })

  const text: [string, string][] = [
    ['/unknown', 'nobody takes it'],
    ['//deploy web', 'two slashes are a text'],
    ['/deploy@other web', 'of another bot'],
    ['/Deploy', 'names are small letters'],
    [' /deploy', 'the slash comes first'],
  ]
  for (const [said] of text) await bob.say('lobby', said)
  await ci.say('lobby', '/deploy by itself')
  await alice.hears('/deploy by itself')
  t.same(
    alice.lines,
    [...text.map(([said]) => said), '/deploy by itself'].map((said) => `rooms/lobby/messages ${said}`),
  )

  await ci.leave()
  await bob.publish('rooms/lobby/text', '/deploy@ci api')
  const back = await connect('ci', { password: key.key, ...LASTING })
  t.match(await back.on('users/ci/events', 1), [{ command: 'deploy', args: 'api', seq: 2 }])
  t.equal((await bob.get('history', { room: 'lobby' })).messages.length, text.length + 1)

  await bob.get('rooms.create', { room: 'side' })
  t.match(
    (await bob.send('rooms/side/messages', { text: '/deploy x' })).result,
    { seq: 1 },
    'not where it is no member',
  )
  t.match(
    (await bob.send('users/ci/messages', { text: '/deploy x' })).result,
    { room: 'dm:bob:ci', seq: 0 },
    'told directly',
  )
  await alice.get('bots.delete', { bot: 'ci' })
  t.match((await bob.send('rooms/lobby/messages', { text: '/deploy web' })).result, { seq: text.length + 2 })
  t.equal(await bob.fails('slash.set', { commands: [] }), 'forbidden bot')
  t.equal(broker.running.store.directory.bots.byCommand('deploy').length, 0)
})

t.test('who may not write may not command either; of two bots the older one hears it', async (t) => {
  const { connect } = await open(t)
  const [alice, dora] = [await connect('alice'), await connect('dora')]
  const hearing: Person[] = []
  await alice.get('rooms.create', { room: 'ops' })
  for (const bot of ['zed', 'abe']) {
    const { key } = await alice.get('bots.create', { bot })
    await alice.get('slash.set', { bot, commands: [{ name: 'ping', description: '' }] })
    const person = await connect(bot, { password: key.key })
    await person.subscribe(`users/${bot}/events`)
    await person.get('rooms.join', { room: 'ops' })
    hearing.push(person)
  }
  await dora.get('rooms.join', { room: 'ops' })
  await alice.get('rooms.setRole', { room: 'ops', user: 'dora', role: 'reader' })
  t.match((await dora.send('rooms/ops/messages', { text: '/ping' })).error, { code: 'forbidden' })
  t.match((await alice.send('rooms/ops/messages', { text: '/ping' })).result.command, { bot: 'zed' })
  t.match((await alice.send('rooms/ops/messages', { text: '/ping@abe' })).result.command, { bot: 'abe' })
  for (const person of hearing)
    t.match(await person.on(`users/${person.user}/events`, 1), [{ type: 'command', by: 'alice', seq: 1 }])
})

t.test(
  'a bot that walks into a public room hears its owner alone, until someone who may change the room lets it',
  async (t) => {
    const { broker, connect } = await open(t)
    const [alice, bob, mallory] = [await connect('alice'), await connect('bob'), await connect('mallory')]
    const stranger = await mallory.get('bots.create', { bot: 'mbot' })
    const own = await alice.get('bots.create', { bot: 'own' })
    const commands = [{ name: 'deploy', description: '' }]
    await mallory.get('slash.set', { bot: 'mbot', commands: [...commands, { name: 'extra', description: '' }] })
    await alice.get('slash.set', { bot: 'own', commands })
    await alice.get('rooms.create', { room: 'ops' })
    const walked = await connect('mbot', { password: stranger.key.key })
    for (const person of [walked, bob, mallory]) await person.get('rooms.join', { room: 'ops' })
    const taker = async (person: Person, text: string): Promise<string | null> =>
      (await person.send('rooms/ops/messages', { text })).result.command?.bot ?? null

    t.equal(await taker(bob, '/deploy web --token=s3cret'), null, 'a text like any other')
    t.equal(await taker(bob, '/deploy@mbot web'), null)
    t.equal(await taker(mallory, '/deploy web'), 'mbot', 'of one’s own bots one knows whose they are')
    t.same((await bob.get('slash.list', { room: 'ops' })).commands, [])
    t.equal(await bob.fails('slash.allow', { room: 'ops', bot: 'mbot' }), 'forbidden')
    t.equal(await walked.fails('slash.allow', { room: 'ops', bot: 'mbot' }), 'forbidden')
    await alice.get('slash.allow', { room: 'ops', bot: 'mbot' })
    t.equal(await taker(bob, '/deploy web'), 'mbot')

    await (await connect('own', { password: own.key.key })).get('rooms.join', { room: 'ops' })
    t.equal(await taker(bob, '/deploy web'), 'own', 'the room owner’s comes first, though it came later')
    t.equal(await taker(mallory, '/deploy web'), 'own')
    t.equal(await taker(bob, '/extra'), 'mbot')
    await alice.get('slash.allow', { room: 'ops', bot: 'mbot', allow: false })
    t.equal(await taker(bob, '/extra'), null)
    await walked.get('rooms.leave', { room: 'ops' })
    await alice.get('rooms.invite', { room: 'ops', user: 'mbot' })
    await walked.get('rooms.join', { room: 'ops' })
    t.equal(await taker(bob, '/extra'), 'mbot', 'who is invited by name is let')

    const { directory } = broker.running.store
    const { commands: _, ...before } = directory.member('ops', 'mbot')!
    await commit(broker.running.store, { ops: [directory.memberOp(before)] })
    t.equal(await taker(bob, '/extra'), 'mbot', 'what was there before anyone was asked goes on')
    t.equal(await taker(bob, '/deploy web'), 'own')
  },
)
