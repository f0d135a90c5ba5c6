/** What proves who someone is, and did not do: codes, refresh tokens, reset tokens. The log says it as it does of logins, and shows no secret. */
import pino from 'pino'
import t, { type Test } from 'tap'
import { codeOf } from '../helpers/authenticator-app.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { knock } from '../helpers/knock.js'
import { Person } from '../helpers/people.js'

const CODE = '000000'

async function open(t: Test, auth: Overrides['auth'] = {}) {
  const lines: Record<string, unknown>[] = []
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const broker = await startTestBroker(t, { auth }, { log })
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  const login = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const alice = await Person.connect(t, broker, 'alice', { password: login.token })
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetchFrom(broker, `/v1/${path}`, { method: 'POST', body, headers })
  const refusals = () => lines.filter(({ msg }) => msg === 'login refused')
  return { broker, root, alice, login, post, refusals, lines }
}

type Opened = Awaited<ReturnType<typeof open>>

async function secondFactorOf({ alice }: Opened): Promise<string[]> {
  const { secret } = await alice.get('auth.totp.begin', { password: 'alice-pw' })
  return (await alice.get('auth.totp.confirm', { code: codeOf(secret) })).recoveryCodes
}

/** Each is asked for at both doors. */
const ATTEMPTS: [string, string, (opened: Opened) => Promise<object>, object][] = [
  ['auth.login', 'auth/login', async () => ({ user: 'alice', password: 'alice-pw', code: CODE }), { why: /code/ }],
  [
    'auth.token',
    'auth/token',
    async ({ login }) => ({ refreshToken: altered(login.refreshToken) }),
    { why: /refresh/ },
  ],
  [
    'auth.resetPassword',
    'auth/reset-password',
    async ({ root }) => {
      const { token } = await root.get('auth.reset', { user: 'alice' })
      return { token: altered(token), password: 'another-pw' }
    },
    { why: /token/ },
  ],
]

/** Another secret of the same login. */
function altered(token: string): string {
  return token.slice(0, -8) + (token.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA')
}

for (const [method, path, paramsOf, line] of ATTEMPTS) {
  t.test(`${method} that is refused is logged at both doors`, async (t) => {
    const opened = await open(t)
    const { broker, root, post, refusals, lines } = opened
    await secondFactorOf(opened)
    const params = await paramsOf(opened)
    const expected = { level: 30, user: 'alice', address: '127.0.0.1', reason: 'bad_credentials', ...line }
    t.equal((await post(path, params)).status, 401)
    t.match(refusals(), [{ ...expected, door: 'http' }])
    t.equal(await root.fails(method, params).then((code) => code.split(' ')[0]), 'unauthorized')
    t.match(refusals().slice(1), [{ ...expected, door: 'mqtt' }])
    t.equal(refusals().length, 2)
    t.equal(broker.running.counters.get('login.bad_credentials'), 2, 'and counted')
    const text = JSON.stringify(lines)
    const secrets = Object.values(params).filter((value) => value !== 'alice')
    for (const secret of secrets) t.notOk(text.includes(secret), 'no secret is in the log')
  })
}

t.test('who has a code is asked for it, and was refused nothing', async (t) => {
  const opened = await open(t)
  await secondFactorOf(opened)
  t.equal((await opened.post('auth/login', { user: 'alice', password: 'alice-pw' })).status, 401)
  t.strictSame(opened.refusals(), [])
})

t.test(
  'a recovery code that was used is a wrong code like others, and taking a second factor away asks alike',
  async (t) => {
    const opened = await open(t)
    const { alice, root, refusals } = opened
    const [code, other] = await secondFactorOf(opened)
    await root.get('auth.login', { user: 'alice', password: 'alice-pw', code })
    t.strictSame(refusals(), [])
    await root.fails('auth.login', { user: 'alice', password: 'alice-pw', code })
    await alice.fails('auth.totp.remove', { password: 'alice-pw', code })
    await alice.fails('auth.password', { old: 'alice-pw', new: 'another-pw', code })
    await alice.fails('account.delete', { user: 'alice', password: 'alice-pw', code })
    t.equal(refusals().length, 4)
    t.ok(refusals().every(({ user, reason }) => user === 'alice' && reason === 'bad_credentials'))
    await root.fails('auth.login', { user: 'alice', password: 'alice-pw', code })
    await root.fails('auth.login', { user: 'alice', password: 'alice-pw', code: other })
    t.match(refusals().at(-1), { reason: 'throttled', why: /too many wrong codes/ }, 'more are not tried')
  },
)

t.test('wrong codes count for the address as wrong passwords do', async (t) => {
  const opened = await open(t, { throttle: { addressAttempts: 3 } })
  const { broker, post, refusals } = opened
  await secondFactorOf(opened)
  for (let i = 0; i < 3; i++) await post('auth/login', { user: 'alice', password: 'alice-pw', code: CODE })
  t.equal((await post('auth/login', { user: 'alice', password: 'alice-pw', code: CODE })).status, 429)
  t.match(refusals().at(-1), { reason: 'throttled', why: /from 127\.0\.0\.1/ })
  t.equal(await knock(broker, 'bob', 'guess'), 3, 'whoever is guessed at from there')
})

t.test('a hook that refuses a login that is good is logged at both doors', async (t) => {
  const { broker, refusals } = await open(t)
  broker.running.aedes.authenticate = (_client, _user, _password, done) => done(null, false)
  const token = await broker.token('bob')
  t.equal(await knock(broker, 'bob', token), 5)
  const headers = { authorization: `Bearer ${token}` }
  t.equal((await fetchFrom(broker, '/v1/rooms', { headers })).status, 401)
  const line = { user: 'bob', address: '127.0.0.1', reason: 'not_authorized', why: /hook/ }
  t.match(refusals(), [
    { ...line, door: 'mqtt' },
    { ...line, door: 'http' },
  ])
})

t.test('an Authorization that is none is logged, without what it says', async (t) => {
  const { broker, refusals, lines } = await open(t)
  await fetchFrom(broker, '/v1/rooms', { headers: { authorization: 'Token very-secret' } })
  t.match(refusals(), [{ address: '127.0.0.1', door: 'http', reason: 'bad_credentials', why: /Bearer/ }])
  t.notOk(JSON.stringify(lines).includes('very-secret'))
})
