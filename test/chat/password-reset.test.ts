/** Who forgot the password gets a token from an admin, sets another once, and nobody else is the wiser. */
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

async function open(t: Test, overrides: Overrides = {}) {
  const clock = movableClock(t)
  const broker = await startTestBroker(t, { limits: { rates: 'off' }, ...overrides })
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'], keepalive: 0 })
  const issued = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  /** As who has no login asks. */
  const use = async (token: string, password: string) => {
    const asked = { method: 'POST', body: { token, password } }
    const { status, body } = await fetchFrom(broker, '/v1/auth/reset-password', asked)
    return status === 200 ? 'ok' : `${body.code} ${body.field ?? ''}`.trim()
  }
  const login = async (password: string) => (await root.ask('auth.login', { user: 'alice', password })).ok
  return { clock, broker, root, issued, use, login }
}

t.test('a token sets a new password once, and ends what was there before', async (t) => {
  const { broker, root, issued, use, login } = await open(t)
  const alice = await Person.connect(t, broker, 'alice', { password: issued.token, keepalive: 0 })
  const { token, expiresAt } = await root.get('auth.reset', { user: 'alice' })
  t.match(token, /^ttp\./)
  t.ok(expiresAt > Date.now())
  t.equal(await use(token, 'short'), 'bad_request password', 'what is refused uses nothing up')
  t.equal(await login('alice-pw'), true, 'the old one is good meanwhile')
  const gone = alice.gone()
  const answers = await Promise.all([use(token, 'other-pw'), use(token, 'third-pw')])
  t.same(answers.sort(), ['ok', 'unauthorized token'], 'however often it comes at once')
  await gone
  t.equal(await login('alice-pw'), false)
  t.not(await login('other-pw'), await login('third-pw'))
  t.match(await root.ask('auth.token', { refreshToken: issued.refreshToken }), { error: { code: 'unauthorized' } })
  await t.rejects(Person.connect(t, broker, 'alice', { password: issued.token, clientId: 'again' }))
})

t.test('a token ends with its time, with the next one, and with the account', async (t) => {
  const { clock, broker, root, use } = await open(t)
  const make = async (more: object = {}) => (await root.get('auth.reset', { user: 'alice', ...more })).token as string
  const late = await make({ expiresIn: 60 })
  clock.forward(60)
  t.equal(await use(late, 'other-pw'), 'unauthorized token')
  const [first, second] = [await make(), await make()]
  t.equal(await use(first, 'other-pw'), 'unauthorized token')
  const third = await make()
  await root.get('auth.resetPassword', { token: third, password: 'other-pw' })
  const fourth = await make()
  await callAdmin(broker.dataDir, 'user.passwd', { name: 'alice', password: 'third-pw' })
  t.equal(await use(fourth, 'other-pw'), 'unauthorized token', 'a password that was changed meanwhile voids it')
  const fifth = await make()
  await callAdmin(broker.dataDir, 'user.remove', { name: 'alice' })
  for (const gone of [second, fifth]) t.equal(await use(gone, 'other-pw'), 'unauthorized token')
})

t.test('nobody learns from it who has an account, and guesses are throttled', async (t) => {
  const { broker, root, use } = await open(t, { auth: { throttle: { attempts: 6 } } })
  const { token } = await root.get('auth.reset', { user: 'alice' })
  const [, , id, secret] = token.split('.')
  const nobody = Buffer.from('nobody').toString('base64url')
  const guesses = ['x', `${token}x`, token.replace('ttp', 'tti'), `ttp.${nobody}.${id}.${secret}`, '....']
  for (const guess of guesses) t.equal(await use(guess, 'other-pw'), 'unauthorized token', guess.slice(0, 20))
  t.equal(await use('x', 'other-pw'), 'unauthorized token')
  t.equal(await use(token, 'other-pw'), 'rate_limited')
  const bob = await Person.connect(t, broker, 'bob')
  t.equal(await bob.fails('auth.reset', { user: 'nobody' }), 'forbidden')
  t.equal(await root.fails('auth.reset', { user: 'nobody' }), 'not_found user')
  await t.rejects(Person.connect(t, broker, 'alice', { password: token }), 'it is no login')
})

t.test('the operator makes one on the command line', async (t) => {
  const { broker, use, login } = await open(t)
  const { token } = (await callAdmin(broker.dataDir, 'user.reset', { name: 'alice' })) as { token: string }
  t.equal(await use(token, 'other-pw'), 'ok')
  t.equal(await login('other-pw'), true)
  await t.rejects(callAdmin(broker.dataDir, 'user.reset', { name: 'nobody' }), { code: 'not_found' })
})
