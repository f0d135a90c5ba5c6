/** A second factor, as people meet it: turning it on, logging in with it, and losing the phone. */
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { codeOf } from '../helpers/authenticator-app.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { knock } from '../helpers/knock.js'
import { Person } from '../helpers/people.js'

async function open(t: Test, overrides: Overrides = {}) {
  // Codes are good for a step of 30 s.
  const clock = stillClock(t)
  const broker = await startTestBroker(t, { limits: { rates: 'off' }, ...overrides })
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'], keepalive: 0 })
  const { token } = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const alice = await Person.connect(t, broker, 'alice', { password: token, keepalive: 0 })
  const login = (code?: string, password = 'alice-pw') =>
    root.ask('auth.login', { user: 'alice', password, ...(code === undefined ? {} : { code }) })
  return { clock, broker, root, alice, login }
}

/** Turns it on; the code that did is used. */
async function turnOn(alice: Person): Promise<{ secret: string; recoveryCodes: string[] }> {
  const { secret } = await alice.get('auth.totp.begin', { password: 'alice-pw' })
  return { secret, ...(await alice.get('auth.totp.confirm', { code: codeOf(secret) })) }
}

const NEEDS_CODE = { ok: false, error: { code: 'unauthorized', field: 'code' } }

t.test('a password alone does not do any more, once a code of the app has confirmed it', async (t) => {
  const { clock, alice, login, broker } = await open(t)
  const { secret, uri } = await alice.get('auth.totp.begin', { password: 'alice-pw' })
  t.match(uri, /^otpauth:\/\/totp\/TopicTalk:alice\?issuer=TopicTalk&secret=[A-Z2-7]{32}&/)
  t.match(await login(), { ok: true }, 'nothing is asked for before it is confirmed')
  t.equal(await alice.fails('auth.totp.confirm', { code: codeOf(secret, 5) }), 'unauthorized code')
  const { recoveryCodes } = await alice.get('auth.totp.confirm', { code: codeOf(secret) })
  t.equal(new Set(recoveryCodes).size, 10)
  t.match(await alice.get('auth.totp.status'), { enabled: true, since: Number, recoveryCodes: 10 })

  t.match(await login(), NEEDS_CODE, 'what is missing is told')
  t.match(await login(undefined, 'guess'), { error: { code: 'unauthorized', field: 'password' } }, 'not to who guesses')
  t.match(await login('000000', 'guess'), { error: { code: 'unauthorized', field: 'password' } })
  t.match(await login(codeOf(secret)), NEEDS_CODE, 'the code that confirmed it was used')
  clock.forward(30)
  const code = codeOf(secret)
  t.match(await login(` ${code.slice(0, 3)} ${code.slice(3)} `), { ok: true, result: { user: 'alice' } })
  t.match(await login(code), NEEDS_CODE, 'each code is good once')
  const [one, other] = await Promise.all([login(codeOf(secret, 1)), login(codeOf(secret, 1))])
  t.not(one.ok, other.ok, 'also when it is shown twice at once; a clock may be a step ahead')
  clock.forward(300)
  t.match(await login(codeOf(secret, -2)), NEEDS_CODE, 'or behind, and no more')
  t.match(await login(codeOf(secret, -1)), { ok: true })

  await t.test('not at CONNECT nor by Basic either: a token does', async (t) => {
    t.equal(await knock(broker, 'alice', 'alice-pw'), 5)
    t.equal(await knock(broker, 'alice', 'guess'), 4)
    const basic = (password: string) => ({
      headers: { authorization: `Basic ${Buffer.from(`alice:${password}`).toString('base64')}` },
    })
    t.equal((await fetchFrom(broker, '/v1/rooms', basic('alice-pw'))).status, 401)
    clock.forward(60)
    const { token } = (await login(codeOf(secret))).result
    t.equal(await knock(broker, 'alice', token), 0)
  })

  await t.test('a new password needs a code too', async (t) => {
    clock.forward(60)
    const change = { old: 'alice-pw', new: 'other-pw' }
    t.equal(await alice.fails('auth.password', change), 'unauthorized code')
    t.match(await alice.get('auth.password', { ...change, code: codeOf(secret) }), { user: 'alice' })
    t.match(await login(undefined, 'other-pw'), NEEDS_CODE, 'and leaves it on')
  })
})

t.test('who has lost the phone has recovery codes, each good once, or asks the operator', async (t) => {
  const { alice, login, broker } = await open(t)
  const { recoveryCodes } = await turnOn(alice)
  const [first = '', second = ''] = recoveryCodes
  t.match(await login(first.toUpperCase().replaceAll('-', ' ')), { ok: true })
  t.match(await login(first), NEEDS_CODE)
  t.match(await alice.get('auth.totp.status'), { recoveryCodes: 9 })
  t.equal(await alice.fails('auth.totp.remove', { password: 'guess', code: second }), 'unauthorized password')
  t.equal(await alice.fails('auth.totp.begin', { password: 'alice-pw' }), 'conflict', 'not replaced unseen')
  await alice.get('auth.totp.remove', { password: 'alice-pw', code: second })
  t.match(await login(), { ok: true })
  t.equal(await alice.fails('auth.totp.remove', { password: 'alice-pw', code: second }), 'not_found')

  await turnOn(alice)
  t.match(await login(second), NEEDS_CODE, 'those of before are void')
  await callAdmin(broker.dataDir, 'user.totpReset', { name: 'alice' })
  t.match(await login(), { ok: true })
  await t.rejects(callAdmin(broker.dataDir, 'user.totpReset', { name: 'alice' }), { code: 'not_found' })
})

t.test('wrong codes are throttled, wherever they come from and however right the next one is', async (t) => {
  const { broker, clock, alice, login } = await open(t)
  const { secret, recoveryCodes } = await turnOn(alice)
  for (let i = 0; i < 5; i++) t.match(await login('12345678'), NEEDS_CODE)
  clock.forward(60)
  t.match(await login(codeOf(secret)), { error: { code: 'rate_limited', field: 'code', retryAfter: 840 } })
  t.match(await login(recoveryCodes[0]), { error: { code: 'rate_limited' } })
  await broker.restart()
  const again = await Person.connect(t, broker, 'root', { roles: ['admin'], keepalive: 0 })
  const ask = (code: string) => again.ask('auth.login', { user: 'alice', password: 'alice-pw', code })
  t.match(await ask(codeOf(secret)), { error: { code: 'rate_limited' } }, 'a restart does not forget them')
  clock.forward(900)
  t.match(await ask(codeOf(secret)), { ok: true })
})

t.test('the disk has neither the secret nor the recovery codes', async (t) => {
  const { alice, broker, clock } = await open(t)
  const { secret, recoveryCodes } = await turnOn(alice)
  const all = (await broker.stored()).join('')
  t.match(all, '"sealed":"', 'the record is there')
  for (const word of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replaceAll('-', ''))])
    t.notOk(all.includes(word))

  await t.test('a restart knows which codes were used; another secret leaves the recovery codes', async (t) => {
    await broker.restart()
    const again = await Person.connect(t, broker, 'root', { roles: ['admin'] })
    const ask = (code: string) => again.ask('auth.login', { user: 'alice', password: 'alice-pw', code })
    t.match(await ask(codeOf(secret)), NEEDS_CODE)
    clock.forward(60)
    t.match(await ask(codeOf(secret)), { ok: true })
    await broker.restart({ auth: { jwt: { secret: 'a secret that is another one' } } })
    const root = await Person.connect(t, broker, 'root', { roles: ['admin'], clientId: 'later' })
    const then = (code: string) => root.ask('auth.login', { user: 'alice', password: 'alice-pw', code })
    clock.forward(60)
    t.match(await then(codeOf(secret)), NEEDS_CODE)
    t.match(await then(recoveryCodes[0]!), { ok: true })
  })
})

t.test('a removed account leaves no second factor to the next who takes the name', async (t) => {
  const { broker, root, alice } = await open(t)
  await turnOn(alice)
  await callAdmin(broker.dataDir, 'user.remove', { name: 'alice' })
  await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  t.match(await root.ask('auth.login', { user: 'alice', password: 'alice-pw' }), { ok: true })
})
