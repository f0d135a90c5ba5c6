/** The devices of a user: seen, and sent away. */
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { COMMANDS } from '../../schemas/commands.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person, type PersonOptions } from '../helpers/people.js'

async function open(t: Test, overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const root = await connect('root', { roles: ['admin'] })
  return { broker, connect, root }
}

t.test('sessions are listed, connected or not, to their user and to admins', async (t) => {
  const { connect, root } = await open(t)
  const before = Date.now()
  const phone = await connect('alice', { clientId: 'phone', clean: false })
  const laptop = await connect('alice', { clientId: 'laptop', ws: true, protocolVersion: 5 })
  await connect('alice2', { clientId: 'other' })
  await phone.leave()
  const { sessions, more } = await laptop.get('sessions.list')
  const address = /127\.0\.0\.1$/
  t.match(sessions, [
    { ...{ id: 'laptop', connected: true, current: true }, lastSeen: null, via: 'websocket', protocol: '5.0', address },
    { ...{ id: 'phone', connected: false, current: false }, via: null, protocol: null, address: null },
  ])
  t.equal(sessions.length, 2)
  t.notOk(more)
  for (const { since } of sessions) t.ok(since >= before && since <= Date.now())
  t.ok(sessions[1].lastSeen >= sessions[1].since)
  t.match(await laptop.get('sessions.list', { limit: 1 }), { sessions: [{ id: 'laptop' }], more: true })
  t.match(await laptop.get('sessions.list', { after: 'laptop' }), { sessions: [{ id: 'phone' }], more: false })

  const seen = (await root.get('sessions.list', { user: 'alice' })).sessions
  t.same(seen, [{ ...sessions[0], current: false, sameLogin: false }, sessions[1]])
  t.equal(await laptop.fails('sessions.list', { user: 'root' }), 'forbidden')
  t.ok(await laptop.get('sessions.list', { user: 'alice' }))
})

t.test('sessions with the longest of client ids are listed in pages, and ended through both doors', async (t) => {
  const { broker, connect } = await open(t)
  const names = ['a', 'b', 'c'].map((letter) => letter + 'é/'.repeat(341))
  for (const clientId of names) await connect('alice', { clientId, clean: false })
  const alice = await connect('alice', { clientId: 'z' })
  const page = { limit: 2 }
  const first = await alice.get('sessions.list', page)
  const rest = await alice.get('sessions.list', { ...page, after: first.sessions.at(-1).session })
  t.same(
    [...first.sessions, ...rest.sessions].map(({ session }: { session: string }) => session),
    [...names, 'z'],
  )
  const route = `/v1/sessions/${encodeURIComponent(names[0]!)}`
  t.equal((await fetchFrom(broker, route, { method: 'DELETE', as: 'alice' })).status, 200)
  await alice.get('sessions.end', { session: names[1] })
  while ((await alice.get('sessions.list')).sessions.length > 2);
})

t.test('a session that is ended is gone with all it held, and so is its login', async (t) => {
  const { connect, root } = await open(t)
  const login = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const lost = await connect('alice', { clientId: 'lost', password: login.token, clean: false })
  const away = await connect('alice', { clientId: 'away', clean: false })
  await away.subscribe('users/alice/messages')
  await away.leave()
  const alice = await connect('alice', { clientId: 'here' })
  await alice.subscribe('users/alice/presence')
  const gone = lost.gone()
  t.same(await alice.get('sessions.end', { session: 'lost' }), {})
  await gone
  await t.rejects(connect('alice', { clientId: 'lost', password: login.token }), { code: 4 })
  t.equal(await root.fails('auth.token', { refreshToken: login.refreshToken }), 'unauthorized refreshToken')

  await alice.get('sessions.end', { session: 'away' })
  await root.tell('alice', 'while away')
  while ((await alice.get('sessions.list')).sessions.length > 1);
  const back = await connect('alice', { clientId: 'away', clean: false })
  await back.subscribe('users/alice/messages')
  await root.tell('alice', 'hello again')
  await back.hears('hello again')
  t.same(back.lines, ['users/alice/messages hello again'])

  t.equal(await alice.fails('sessions.end', { session: 'nothing' }), 'not_found session')
  t.equal(await alice.fails('sessions.end', { session: 'root', user: 'root' }), 'forbidden')
  const ended = alice.gone()
  await root.get('sessions.end', { session: 'here', user: 'alice' })
  await ended
  const me = root.gone()
  t.same(await root.get('sessions.end', { session: 'root' }), {}, 'one’s own, after the answer')
  await me
})

t.test('all others end with their logins; what shares the login of who asked stays', async (t) => {
  const { broker, connect, root } = await open(t)
  const mine = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const foreign = await root.get('auth.login', { user: 'alice', password: 'alice-pw' })
  const unused = await root.get('auth.login', { user: 'alice', password: 'alice-pw' })
  const here = await connect('alice', { clientId: 'here', password: mine.token })
  const beside = await connect('alice', { clientId: 'beside', password: mine.token })
  const phone = await connect('alice', { clientId: 'phone', password: foreign.token, clean: false })
  const typed = await connect('alice', { clientId: 'typed', password: 'alice-pw' })
  const away = await connect('alice', { clientId: 'away', password: 'alice-pw', clean: false })
  await away.subscribe('users/alice/messages')
  await away.leave()
  const logins = async (): Promise<unknown[]> =>
    (await here.get('sessions.list')).sessions.map((one: Record<string, unknown>) => [one['session'], one['sameLogin']])
  t.same(await logins(), [
    ['away', false],
    ['beside', true],
    ['here', true],
    ['phone', false],
    ['typed', false],
  ])
  const bob = await connect('bob')
  const ends = Promise.all([phone.gone(), typed.gone()])
  t.same(await here.get('sessions.endOthers'), {})
  await ends
  while ((await logins()).length > 2);
  t.same(await logins(), [
    ['beside', true],
    ['here', true],
  ])
  for (const { refreshToken } of [foreign, unused])
    t.equal(await root.fails('auth.token', { refreshToken }), 'unauthorized refreshToken')
  await t.rejects(connect('alice', { clientId: 'phone', password: foreign.token }), { code: 4 })
  t.match(await root.get('auth.token', { refreshToken: mine.refreshToken }), { user: 'alice' })
  t.ok(await beside.get('sessions.list'), 'another tab of the browser')
  t.ok(await bob.get('sessions.list'), 'another user')

  await root.tell('alice', 'while away')
  const back = await connect('alice', { clientId: 'away', password: 'alice-pw', clean: false })
  await back.subscribe('users/alice/messages')
  await root.tell('alice', 'hello again')
  await back.hears('hello again')
  t.same(back.lines, ['users/alice/messages hello again'], 'nothing waited for it')

  const all = Promise.all([here.gone(), beside.gone(), back.gone()])
  const headers = { authorization: `Bearer ${await broker.token('alice')}` }
  t.equal((await fetchFrom(broker, '/v1/sessions', { method: 'DELETE', headers })).status, 200)
  await all
})

t.test('of two that end each other at once, one stays', async (t) => {
  const { connect, root } = await open(t)
  await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const logIn = () => root.get('auth.login', { user: 'alice', password: 'alice-pw' })
  const both: { person: Person; refreshToken: string }[] = []
  for (const clientId of ['one', 'two']) {
    const { token, refreshToken } = await logIn()
    both.push({ person: await connect('alice', { clientId, password: token }), refreshToken })
  }
  for (const { person } of both) await person.get('sessions.list')
  const outcomes = both.map(async ({ person }) => {
    const closed = new Promise<string>((resolve) => person.client.once('close', () => resolve('closed')))
    const answered = person.ask('sessions.endOthers').then(({ ok, error }) => (ok ? 'ended' : error.code))
    const outcome = await Promise.race([answered, closed])
    if (outcome !== 'ended') await closed
    return outcome
  })
  const first = (await Promise.all(outcomes)).indexOf('ended')
  // Decided after what both asked for, whether or not the second could still be answered.
  await logIn()
  const { person, refreshToken } = both[first]!
  t.match(await root.ask('auth.token', { refreshToken }), { ok: true }, 'who is ended ends nobody')
  if (t.ok(person.client.connected)) await person.get('sessions.list')
})

t.test('no command has a parameter id: over MQTT that is the request’s own', async (t) => {
  for (const [name, { params }] of Object.entries(COMMANDS)) t.notOk('id' in params.properties, name)
})

t.test('what a session has saved of a former room of that name is not taken for the present one', async (t) => {
  const { broker, connect } = await open(t)
  const alice = await connect('alice')
  const { store } = broker.running
  const anew = async (texts: string[]) => {
    await alice.get('rooms.create', { room: 'tea' })
    await bob.get('rooms.join', { room: 'tea' })
    for (const text of texts) await alice.say('tea', text)
  }
  const bob = await connect('bob')
  const phone = await connect('bob', { clientId: 'phone', clean: false })
  await phone.subscribe('rooms/+/messages')
  await anew(['old 1', 'old 2', 'old 3'])
  await phone.hears('old 3')
  await phone.leave()
  const former = (await store.sessions.load('bob/phone'))!.cursors
  t.match(Object.fromEntries(former), { 'm:tea': 3, 'm:tea>': 3, 'm:tea#': Number })
  await alice.get('rooms.delete', { room: 'tea' })
  const saved = async () => (await store.sessions.load('bob/phone'))!.cursors
  while ((await saved()).has('m:tea')) await new Promise((resolve) => setImmediate(resolve))
  t.notOk(
    [...(await saved()).keys()].some((name) => name.startsWith('m:tea')),
    'forgotten with the room',
  )
  const whole = ['new 1', 'new 2', 'new 3', 'new 4', 'new 5']
  await anew(whole)

  // As if the broker had died before it was forgotten. Two entries were acknowledged, the third was under way.
  const restored = [...former].map(([name, seq]) =>
    store.sessions.cursorOp('bob/phone', name, name === 'm:tea' ? 2 : seq),
  )
  const inflight = { packetId: 7, source: 'm:tea', seq: 3, qos: 1 as const, released: false }
  await commit(store, { ops: [...restored, ...store.sessions.inflightOps('bob/phone', [inflight])] })
  const again = await connect('bob', { clientId: 'phone', clean: false })
  await again.hears('new 5')
  t.same(
    again.lines,
    whole.map((text) => `rooms/tea/messages ${text}`),
  )
  t.notOk(again.heard.some(({ dup }) => dup))
  await alice.say('tea', 'live')
  await again.hears('live')
  await again.leave()
  const last = await connect('bob', { clientId: 'phone', clean: false })
  await alice.say('tea', 'and on')
  await last.hears('and on')
  t.same(last.lines, ['rooms/tea/messages and on'])
  t.not((await saved()).get('m:tea#'), former.get('m:tea#'))
})

t.test('nor is what a share group has saved', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = [await Person.connect(t, broker, 'alice'), await Person.connect(t, broker, 'bob')]
  const phone = await Person.connect(t, broker, 'bob', { clientId: 'phone', clean: false })
  await phone.subscribe('$share/crew/rooms/+/messages')
  const anew = async (texts: string[]) => {
    await alice.get('rooms.create', { room: 'tea' })
    await bob.get('rooms.join', { room: 'tea' })
    for (const text of texts) await alice.say('tea', text)
  }
  await anew(['old 1', 'old 2', 'old 3', 'old 4'])
  await phone.hears('old 4')
  const group = 'bob/\u0001crew/rooms/+/messages'
  const saved = () => broker.running.store.sessions.progress(group)
  while ((await saved()).cursors.get('m:tea') !== 4) await new Promise((resolve) => setTimeout(resolve, 20))
  const former = (await saved()).cursors
  t.match(Object.fromEntries(former), { 'm:tea>': 4, 'm:tea#': Number })
  await phone.leave()
  await alice.get('rooms.delete', { room: 'tea' })
  const whole = ['new 1', 'new 2', 'new 3', 'new 4', 'new 5']
  await anew(whole)

  // As if the broker had died before the former cursor was forgotten, with the fourth entry under way.
  await broker.restart({}, (store) => {
    const restored = [...former].map(([name, seq]) => store.sessions.cursorOp(group, name, name === 'm:tea' ? 3 : seq))
    const inflight = { packetId: 0, source: 'm:tea', seq: 4, qos: 1 as const, released: false }
    return commit(store, { ops: [...restored, ...store.sessions.inflightOps(group, [inflight])] })
  })
  const again = await Person.connect(t, broker, 'bob', { clientId: 'phone', clean: false })
  await again.hears('new 5')
  t.same(
    again.lines,
    whole.map((text) => `rooms/tea/messages ${text}`),
  )
})

t.test(
  'a cursor of an earlier version, without the incarnation of its log, is taken for the present log',
  async (t) => {
    const { broker, connect } = await open(t)
    const alice = await connect('alice')
    const { store } = broker.running
    const phone = await connect('bob', { clientId: 'phone', clean: false })
    await phone.subscribe('users/bob/messages')
    for (const text of ['one', 'two']) await alice.tell('bob', text)
    await phone.hears('two')
    await phone.leave()
    await alice.tell('bob', 'three')
    const { cursors } = (await store.sessions.load('bob/phone'))!
    const dropped = [...cursors.keys()].filter((name) => name.endsWith('#'))
    t.equal(dropped.length, 1)
    await commit(store, { ops: dropped.map((name) => store.sessions.dropCursorOp('bob/phone', name)) })
    const again = await connect('bob', { clientId: 'phone', clean: false })
    await again.hears('three')
    t.same(again.lines, ['users/bob/messages three'])
  },
)
