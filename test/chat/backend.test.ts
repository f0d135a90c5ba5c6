/** `auth.http`: a backend that exists already answers who someone is and what they may do. */

import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { completeConfig } from '../../broker/config/config.js'
import { codeOf } from '../helpers/authenticator-app.js'
import { BACKEND_SECRET, BackendServer, type Reply } from '../helpers/backend-server.js'
import { startTestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { knock } from '../helpers/knock.js'
import { Person } from '../helpers/people.js'

/** The people of the backend, by password or token. */
const KNOWN: Record<string, object> = {
  'ann-pw': { allow: true },
  'token-of-ann': { allow: true, user: 'ann' },
  'boss-pw': { allow: true, roles: ['admin'] },
}

// biome-ignore lint/suspicious/noExplicitAny: any JSON
const knows = ({ password }: any): Reply => KNOWN[password] ?? { allow: false }

async function open(t: Test, http: object = {}, overrides: object = {}) {
  const backend = await BackendServer.start(t)
  backend.answer = knows
  const { auth, ...others } = overrides as { auth?: object }
  const settings = { login: `${backend.url}/login`, secret: BACKEND_SECRET, ...http }
  const broker = await startTestBroker(t, { ...others, auth: { http: settings, ...auth } })
  return { backend, broker }
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const basic = (text: string) => ({ headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` } })

t.test('whom the backend knows is let in, and is a user from then on', async (t) => {
  const { backend, broker } = await open(t)
  const ann = await Person.connect(t, broker, 'ann', { password: 'ann-pw' })
  t.match(await ann.get('rooms.list'), { rooms: [] })
  t.match(backend.asked, [
    { action: 'login', username: 'ann', password: 'ann-pw', clientId: 'ann', address: '127.0.0.1' },
  ])
  t.strictSame(backend.unsigned, [], 'each question is signed')
  t.equal(await knock(broker, 'ann', 'guess'), 4)
  const boss = await Person.connect(t, broker, 'boss', { password: 'boss-pw' })
  t.match(await boss.get('auth.invite'), { invite: String }, 'roles are of its answer')
})

t.test('over HTTP as well, by name and password or by a token that means something to it alone', async (t) => {
  const { backend, broker } = await open(t)
  t.equal((await fetchFrom(broker, '/v1/rooms', basic('ann:ann-pw'))).status, 200)
  t.equal((await fetchFrom(broker, '/v1/rooms', bearer('token-of-ann'))).status, 200)
  t.match(backend.asked.at(-1), { username: null, password: 'token-of-ann' })
  t.equal((await fetchFrom(broker, '/v1/rooms', bearer('wrong'))).status, 401)
  t.equal(await knock(broker, '', 'token-of-ann'), 0, 'and over MQTT')
})

t.test('the backend names the user: a mail address may log in, and be someone', async (t) => {
  const { backend, broker } = await open(t)
  backend.answer = ({ username }) => ({ allow: true, user: username === 'ann+chat@example.com' ? 'ann' : 'a/b' })
  const ann = await Person.connect(t, broker, 'ann', { username: 'ann+chat@example.com', password: 'x' })
  t.match(await ann.get('rooms.list'), { rooms: [] }, 'who speaks as ann')
  t.equal(await knock(broker, 'ben', 'x'), 4, 'not as what cannot be a name')
  backend.answer = () => ({ allow: true })
  t.equal(await knock(broker, 'not a name', 'x'), 4)
})

t.test('who has a password here is asked about here alone', async (t) => {
  const { backend, broker } = await open(t)
  await broker.running.accounts.add('ann', 'local-pw')
  t.equal(await knock(broker, 'ann', 'local-pw'), 0)
  t.equal(await knock(broker, 'ann', 'ann-pw'), 4, 'what the backend would take')
  t.equal(backend.asked.length, 0)
  t.equal(await knock(broker, '', 'token-of-ann'), 5, 'nor by another name')
})

t.test('a second factor here is asked for, backend or not', async (t) => {
  const { broker } = await open(t)
  await broker.running.accounts.add('ben', 'ben-pw')
  const ben = await Person.connect(t, broker, 'ben', { password: 'ben-pw' })
  const { secret } = await ben.get('auth.totp.begin', { password: 'ben-pw' })
  await ben.get('auth.totp.confirm', { code: codeOf(secret) })
  t.equal(await knock(broker, 'ben', 'ben-pw'), 5)
})

t.test('nobody logs in by the name that someone gave to a bot', async (t) => {
  const { backend, broker } = await open(t)
  const mallory = await Person.connect(t, broker, 'mallory')
  await mallory.get('bots.create', { bot: 'ann' })
  t.equal(await knock(broker, 'ann', 'ann-pw'), 5, 'mallory has keys of that account')
  t.equal(await knock(broker, 'ann', await broker.token('ann')), 5)
  t.equal(backend.asked.length, 1)
})

t.test('tokens of this broker, and its secrets, are not shown to the backend', async (t) => {
  const { backend, broker } = await open(t)
  const guest = await Person.connect(t, broker, 'guest')
  const { token, refreshToken } = await guest.get('auth.register', { user: 'ben', password: 'ben-pw' })
  t.equal(await knock(broker, 'ben', token), 0)
  await guest.get('auth.token', { refreshToken })
  t.equal(await knock(broker, '', refreshToken), 4)
  t.equal(await knock(broker, '', `${token.slice(0, -4)}AAAA`), 4)
  t.equal(backend.asked.length, 0)
  const foreign = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl'
  t.equal(await knock(broker, '', foreign), 4)
  t.match(backend.asked, [{ password: foreign }], 'a token that is none of ours may be one of theirs')
})

t.test('a live login is renewed with a token of the same user only', async (t) => {
  const { backend, broker } = await open(t)
  const ann = await Person.connect(t, broker, 'ann', { password: 'ann-pw' })
  t.match(await ann.get('auth.refresh', { token: 'token-of-ann' }), { expiresAt: null })
  backend.answer = () => ({ allow: true, user: 'ben' })
  t.equal(await ann.fails('auth.refresh', { token: 'token-of-ben' }), 'unauthorized token')
})

t.test('a login ends when the backend said it would', async (t) => {
  // Until she is in.
  const clock = stillClock(t)
  const { backend, broker } = await open(t)
  backend.answer = () => ({ allow: true, expiresAt: Date.now() + 700 })
  const ann = await Person.connect(t, broker, 'ann', { password: 'ann-pw' })
  clock.goOn()
  await ann.gone()
  backend.answer = () => ({ allow: true, expiresAt: Date.now() - 1 })
  t.equal(await knock(broker, 'ann', 'ann-pw'), 4, 'what is over is no login')
})

t.test('whatever is no clear answer lets nobody in', async (t) => {
  const { backend, broker } = await open(t)
  const refused: [string, Reply, number][] = [
    ['401', 401, 4],
    ['403', 403, 4],
    ['false', { allow: false }, 4],
    ['500', 500, 3],
    ['404', 404, 3],
    ['204', 204, 3],
    ['a redirect', 302, 3],
    ['no answer', {}, 3],
    ['a text', { allow: 'true' }, 3],
    ['roles that are none', { allow: true, roles: 'admin' }, 3],
    ['a long answer', { allow: true, more: 'x'.repeat(70_000) }, 3],
  ]
  for (const [i, [name, reply, code]] of refused.entries()) {
    backend.answer = () => reply
    t.equal(await knock(broker, `user-${i}`, 'password'), code, name)
  }
  for (const [reply, status] of [
    [403, 401],
    [500, 503],
  ] as const) {
    backend.answer = () => reply
    t.equal((await fetchFrom(broker, '/v1/rooms', basic('ann:ann-pw'))).status, status)
  }
})

t.test('a backend that says nothing lets nobody in', async (t) => {
  const { backend, broker } = await open(t, { timeout: 0.2 })
  backend.answer = () => 'silence'
  t.equal(await knock(broker, 'ann', 'ann-pw'), 3)
})

t.test('a backend that is gone, or holds the line, lets nobody in', async (t) => {
  const sockets: Socket[] = []
  const deaf = createServer((socket) => sockets.push(socket))
  await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
  const login = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}/`
  const broker = await startTestBroker(t, { auth: { http: { login, timeout: 0.2 } } })
  t.equal(await knock(broker, 'ann', 'ann-pw'), 3)
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => deaf.close(resolve))
  t.equal(await knock(broker, 'ann', 'ann-pw'), 3)
})

t.test('guesses are throttled before the backend hears of them', async (t) => {
  const { backend, broker } = await open(t, {}, { auth: { throttle: { attempts: 3 } } })
  for (let i = 0; i < 3; i++) t.equal(await knock(broker, 'ann', `guess ${i}`), 4)
  t.equal(await knock(broker, 'ann', 'ann-pw'), 3)
  t.equal(backend.asked.length, 3)
  for (let i = 0; i < 4; i++) await knock(broker, '', `wrong token ${i}`)
  t.equal(await knock(broker, '', 'token-of-ann'), 0, 'other tokens of that address are not in their way')
})

t.test('answers count for a while, for the same question', async (t) => {
  const { backend, broker } = await open(t)
  for (let i = 0; i < 3; i++) t.equal(await knock(broker, 'ann', 'ann-pw', { clientId: 'phone' }), 0)
  t.equal(backend.asked.length, 1)
  t.equal(await knock(broker, 'ann', 'ann-pw', { clientId: 'laptop' }), 0)
  t.equal(backend.asked.length, 2, 'another device is another question')
  KNOWN['new-pw'] = { allow: false }
  t.equal(await knock(broker, 'new', 'new-pw'), 4)
  KNOWN['new-pw'] = { allow: true }
  t.equal(await knock(broker, 'new', 'new-pw'), 0, 'a refused login is asked about again')
})

t.test('with cache 0 it is asked every time', async (t) => {
  const { backend, broker } = await open(t, { cache: 0 })
  for (let i = 0; i < 3; i++) t.equal(await knock(broker, 'ann', 'ann-pw', { clientId: 'phone' }), 0)
  t.equal(backend.asked.length, 3)
})

t.test('what may be published and subscribed to, the backend narrows', async (t) => {
  const backend = await BackendServer.start(t)
  const http = { publish: `${backend.url}/publish`, subscribe: `${backend.url}/subscribe`, secret: BACKEND_SECRET }
  const rules = [{ allow: 'all', who: 'user:ann', topics: ['plain/#'] }]
  const broker = await startTestBroker(t, { auth: { http }, acl: { rules } })
  backend.answer = ({ action, topic = '', filter = '' }) => ({
    allow: action === 'publish' ? !topic.includes('secret') : !filter.includes('secret'),
  })
  const ann = await Person.connect(t, broker, 'ann')
  t.strictSame(await ann.subscribe(['plain/open', 'plain/secret', 'other/open']), [1, 128, 128], 'it widens nothing')
  await ann.publish('plain/open', 'hello')
  await ann.hears('hello')
  t.match(await ann.refused('plain/secret', 'psst'), { ok: false, error: { code: 'forbidden' } })
  t.match(await ann.refused('other/open', 'x'), { ok: false, error: { code: 'forbidden' } })
  const before = backend.asked.length
  await ann.publish('plain/open', 'again')
  await ann.hears('again')
  t.equal(backend.asked.length, before, 'once a topic, not once a message')
  t.match(
    backend.asked.find(({ topic }) => topic === 'plain/open'),
    {
      action: 'publish',
      user: 'ann',
      roles: [],
      clientId: 'ann',
    },
  )
  t.notOk(
    backend.asked.some((question) => 'payload' in question),
    'and never what was said',
  )
  t.strictSame(backend.unsigned, [])
  t.equal((await fetchFrom(broker, '/v1/rooms', { as: 'ann' })).status, 200)
  t.match(backend.asked.at(-1), { topic: 'users/ann/requests/rooms.list' }, 'a request over HTTP counts as a publish')
  backend.answer = () => 500
  t.match(await ann.refused('plain/elsewhere', 'x'), { error: { code: 'forbidden' } }, 'no answer denies')
  t.strictSame(await ann.subscribe(['plain/elsewhere']), [128])
})

t.test('the module of auth.hooks and the backend both have to agree', async (t) => {
  const backend = await BackendServer.start(t)
  const folder = t.testdir({
    'hooks.mjs': `export const authorizePublish = ({ topic }) => !topic.endsWith('module')`,
  })
  const rules = [{ allow: 'all', who: 'any', topics: ['plain/#'] }]
  const auth = { hooks: `${folder}/hooks.mjs`, http: { publish: backend.url } }
  const broker = await startTestBroker(t, { auth, acl: { rules } })
  backend.answer = ({ topic }) => ({ allow: !topic.endsWith('backend') })
  const ann = await Person.connect(t, broker, 'ann')
  await ann.subscribe('plain/#')
  for (const topic of ['plain/module', 'plain/backend'])
    t.match(await ann.refused(topic, 'x'), { error: { code: 'forbidden' } }, topic)
  t.notOk(
    backend.asked.some(({ topic }) => topic === 'plain/module'),
    'what the module refuses is not asked',
  )
  await ann.publish('plain/both', 'agreed')
  await ann.hears('agreed')
})

t.test('more questions than may be asked at once wait their turn', async (t) => {
  const { backend, broker } = await open(t, { maxConcurrent: 1, cache: 0 })
  const codes = await Promise.all(['a', 'b', 'c', 'd'].map((user) => knock(broker, user, 'ann-pw')))
  t.strictSame(codes, [0, 0, 0, 0])
  t.equal(backend.asked.length, 4)
})

t.test('the settings are checked', async (t) => {
  const config = (http: object) => () => completeConfig({ auth: { http } })
  t.throws(config({ login: 'http://app.example.com/' }), { message: /auth\.http\.login: expected https/ })
  t.throws(config({ publish: 'nowhere' }), { message: /auth\.http\.publish/ })
  t.throws(config({ secret: 'short' }), { message: /auth\.http\.secret: expected/ })
  t.throws(config({ timeout: 0 }), { message: /auth\.http\.timeout/ })
})
