/** Accounts as those who run the broker see to them: their roles, and whether anyone may log in by them. */
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { EventReader } from '../helpers/event-reader.js'
import { fetchFrom } from '../helpers/http.js'
import { knock } from '../helpers/knock.js'
import { Person, type PersonOptions } from '../helpers/people.js'

async function open(t: Test) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const root = await connect('root', { roles: ['admin'] })
  return { broker, connect, root }
}

const statusOf = async (broker: TestBroker, authorization: string, path = '/v1/rooms') =>
  (await fetchFrom(broker, path, { headers: { authorization } })).status
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

t.test('who is connected has the roles that the account has now, unless a token says otherwise', async (t) => {
  const { broker, connect, root } = await open(t)
  await root.get('accounts.create', { user: 'ops', password: 'ops-pw', roles: ['admin', 'notifier'] })
  const login = await root.get('auth.login', { user: 'ops', password: 'ops-pw' })
  const byPassword = await connect('ops', { password: 'ops-pw', clientId: 'password' })
  const byLogin = await connect('ops', { password: login.token, clientId: 'login' })
  const { key } = await byLogin.get('keys.create', { name: 'all' })
  const byKey = await connect('ops', { password: key, clientId: 'key' })
  const byClaim = await connect('ops', { roles: ['admin'], clientId: 'claim' })
  const subscribers = [byPassword, byLogin, byKey]
  const topic = `$SYS/${broker.running.aedes.id}/#`
  for (const one of [...subscribers, byClaim]) {
    t.same(await one.subscribe(topic), [1])
    await one.get('audit.list')
  }
  const stream = await EventReader.open(t, broker, '/v1/events?filter=%24SYS/%23', { token: login.token })
  const rooms = await EventReader.open(t, broker, '/v1/events?filter=rooms/%2B/messages', { token: login.token })
  const session = (one: Person) => broker.running.aedes.clients[`ops/${one.client.options.clientId}`]!.client!.session

  await callAdmin(broker.dataDir, 'user.role', { name: 'ops', roles: ['notifier'] })
  await stream.end()
  for (const one of subscribers) {
    t.equal(await one.fails('audit.list'), 'forbidden')
    while (session(one).subscriptions.has(topic)) await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(await byClaim.get('audit.list'), 'what a token says is its own')
  t.ok(session(byClaim).subscriptions.has(topic))
  t.notOk(rooms.ended, 'a stream that needs no role goes on')

  await root.get('accounts.setRoles', { user: 'ops', roles: ['admin'] })
  for (const one of subscribers) t.ok(await one.get('audit.list'), 'and gets them back without another login')
})

t.test('a key has no more than it was made for, whatever its account gets', async (t) => {
  const { connect, root } = await open(t)
  await root.get('accounts.create', { user: 'ops', password: 'ops-pw', roles: ['notifier'] })
  const ops = await connect('ops', { password: 'ops-pw' })
  const { key } = await ops.get('keys.create', { name: 'k' })
  const byKey = await connect('ops', { password: key, clientId: 'key' })
  await root.get('accounts.setRoles', { user: 'ops', roles: ['notifier', 'admin'] })
  t.ok(await ops.get('audit.list'))
  t.equal(await byKey.fails('audit.list'), 'forbidden')
})

t.test('a suspended account lets nobody in by anything, and gives all back when it is resumed', async (t) => {
  const { broker, connect, root } = await open(t)
  const login = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const minted = await broker.token('alice')
  const phone = await connect('alice', { password: login.token, clientId: 'phone', clean: false })
  const { key } = await phone.get('keys.create', { name: 'k' })
  const { key: ofBot } = await phone.get('bots.create', { bot: 'helper' })
  await phone.subscribe('users/alice/messages')
  await phone.leave()
  await root.tell('alice', 'kept')
  const live: Person[] = []
  for (const [clientId, password] of Object.entries({ a: login.token, b: 'alice-pw', c: key, d: minted }))
    live.push(await connect('alice', { clientId, password }))
  live.push(await connect('helper', { password: ofBot.key }))
  const stream = await EventReader.open(t, broker, '/v1/events', { token: key })

  const ends = Promise.all(live.map((one) => one.gone()))
  t.match(await root.get('accounts.suspend', { user: 'alice', reason: 'spam' }), {
    suspended: { by: 'root', reason: 'spam' },
  })
  await ends
  await stream.end()
  for (const password of [login.token, minted, key, 'alice-pw']) t.not(await knock(broker, 'alice', password), 0)
  t.not(await knock(broker, 'helper', ofBot.key), 0, 'nor as her bot')
  for (const token of [login.token, minted, key, ofBot.key]) t.not(await statusOf(broker, `Bearer ${token}`), 200)
  t.equal(await statusOf(broker, basic('alice', 'alice-pw')), 403)
  t.equal(await root.fails('auth.login', { user: 'alice', password: 'alice-pw' }), 'forbidden user')
  t.equal(await root.fails('auth.login', { user: 'alice', password: 'guess' }), 'unauthorized password')
  t.equal(await root.fails('auth.token', { refreshToken: login.refreshToken }), 'unauthorized refreshToken')
  t.match(await root.get('accounts.list', { query: 'ali' }), { accounts: [{ suspended: { reason: 'spam' } }] })
  t.match(await root.get('audit.list', { action: 'accounts.suspend' }), {
    entries: [{ user: 'alice', details: { reason: 'spam' } }],
  })

  await callAdmin(broker.dataDir, 'user.resume', { name: 'alice' })
  for (const password of [login.token, minted, key, 'alice-pw']) t.equal(await knock(broker, 'alice', password), 0)
  t.equal(await knock(broker, 'helper', ofBot.key), 0)
  t.ok(await root.get('auth.token', { refreshToken: login.refreshToken }))
  const back = await connect('alice', { password: 'alice-pw', clientId: 'phone', clean: false })
  await back.hears('kept')
})

t.test('accounts are listed in pages, however large they are', async (t) => {
  const { root } = await open(t)
  const roles = Array.from({ length: 64 }, (_, i) => `${'r'.repeat(60)}-${i}`)
  for (let i = 0; i < 30; i++) await root.get('accounts.create', { user: `many-${String(i).padStart(2, '0')}`, roles })
  const seen: string[] = []
  for (let more = true; more; ) {
    const page = await root.get('accounts.list', { query: 'many-', after: seen.at(-1) ?? '', limit: 1000 })
    seen.push(...page.accounts.map(({ user }: { user: string }) => user))
    more = page.more
  }
  t.equal(seen.length, 30)
  t.same(seen, [...new Set(seen)].sort())
})
