/** Logins that fail: what the log says of them at each door, and what their clients are told. */
import pino from 'pino'
import t, { type Test } from 'tap'
import { mintToken } from '../../broker/auth/tokens.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { knock } from '../helpers/knock.js'
import { Person } from '../helpers/people.js'

const SECRET = 'a secret of at least thirty-two bytes'

async function open(t: Test, auth: Overrides['auth'] = {}) {
  const lines: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const broker = await startTestBroker(t, { auth: { jwt: { secret: SECRET, issuer: 'us' }, ...auth } }, { log })
  await broker.running.accounts.add('alice', 'alice-pw')
  const token = (issuer: string, ttl = 3600) => mintToken(Buffer.from(SECRET), 'root', { issuer, ttl })
  const root = await Person.connect(t, broker, 'root', { password: await token('us') })
  const login = (password: string) =>
    fetchFrom(broker, '/v1/auth/login', { method: 'POST', body: { user: 'alice', password } })
  const bearer = (token: string) => fetchFrom(broker, '/v1/rooms', { headers: { authorization: `Bearer ${token}` } })
  const refusals = () => lines.filter(({ msg }) => msg === 'login refused')
  return { broker, root, login, bearer, token, refusals }
}

t.test('both doors say the same of a login that is refused', async (t) => {
  const { broker, root, login, bearer, token, refusals } = await open(t)
  const basic = `Basic ${Buffer.from('alice:guess').toString('base64')}`
  const wrong = { user: 'alice', reason: 'bad_credentials', why: /wrong password/ }
  const attempts: [string, () => Promise<unknown>, object][] = [
    ['CONNECT', () => knock(broker, 'alice', 'guess'), { ...wrong, door: 'mqtt' }],
    [
      'auth.login over MQTT',
      () => root.ask('auth.login', { user: 'alice', password: 'guess' }),
      { ...wrong, door: 'mqtt' },
    ],
    ['auth.login over HTTP', () => login('guess'), { ...wrong, door: 'http' }],
    ['Basic', () => fetchFrom(broker, '/v1/rooms', { headers: { authorization: basic } }), { ...wrong, door: 'http' }],
    ['Bearer of another issuer', async () => bearer(await token('them')), { door: 'http', why: /"iss"/ }],
    ['Bearer that is over', async () => bearer(await token('us', -60)), { door: 'http', why: /"exp"/ }],
    ['CONNECT of another issuer', async () => knock(broker, '', await token('them')), { door: 'mqtt', why: /"iss"/ }],
  ]
  for (const [name, attempt, line] of attempts) {
    const before = refusals().length
    await attempt()
    t.equal(refusals().length, before + 1, name)
    t.match(refusals().at(-1), { address: '127.0.0.1', level: 30, ...line }, name)
  }
  await fetchFrom(broker, '/v1/rooms')
  t.equal(refusals().length, attempts.length, 'who shows nothing was refused nothing')
})

t.test('a restart does not forget who failed', async (t) => {
  const { broker, login, bearer, token } = await open(t, {
    throttle: { attempts: 2, registrations: 1, window: '1h' },
  })
  const register = (user: string) =>
    fetchFrom(broker, '/v1/auth/register', { method: 'POST', body: { user, password: 'secret' } })
  for (let i = 0; i < 2; i++) await login('guess')
  await register('bob')
  await broker.restart()
  t.equal((await login('alice-pw')).status, 429)
  t.equal((await register('carl')).status, 429)
  t.equal((await bearer(await token('us'))).status, 200, 'who has a token gets in')
})

t.test('who is throttled is told how long it takes', async (t) => {
  stillClock(t)
  const throttle = { attempts: 2, registrations: 1, window: '5s' }
  const { broker, root, login } = await open(t, { throttle })
  for (let i = 0; i < 2; i++) await login('guess')
  const { status, headers, body } = await login('alice-pw')
  t.match({ status, code: body.code }, { status: 429, code: 'rate_limited' })
  t.match(headers.get('retry-after'), /^[1-5]$/)
  const authorization = `Basic ${Buffer.from('alice:alice-pw').toString('base64')}`
  const basic = await fetchFrom(broker, '/v1/rooms', { headers: { authorization } })
  t.match(basic.headers.get('retry-after'), /^[1-5]$/)
  await root.ask('auth.register', { user: 'bob', password: 'secret' })
  const { error } = await root.ask('auth.register', { user: 'carl', password: 'secret' })
  t.equal(error.code, 'rate_limited')
  t.ok(error.retryAfter >= 1 && error.retryAfter <= 5)
})
