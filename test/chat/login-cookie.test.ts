/** Logins of a browser whose refresh token is in a cookie: who may set and use it, and where it is read. */
import t, { type Test } from 'tap'
import { codeOf } from '../helpers/authenticator-app.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { type Answer, fetchFrom, httpUrl } from '../helpers/http.js'
import { knock } from '../helpers/knock.js'
import { Person } from '../helpers/people.js'

const ALICE = { user: 'alice', password: 'alice-pw' }
const FORBIDDEN = { status: 403, body: { code: 'forbidden', field: 'cookie' } }
const SIGNED_OUT = { status: 401, body: { code: 'unauthorized', field: 'refreshToken' } }

/** A browser with pages of the broker's own origin. */
class Browser {
  /** Value of the header `Cookie`. */
  cookie = ''
  readonly #broker: TestBroker
  readonly #headers: Record<string, string>

  constructor(broker: TestBroker, headers: Record<string, string> = ownPage(broker)) {
    this.#broker = broker
    this.#headers = headers
  }

  async post(command: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
    const sent = { ...this.#headers, ...(this.cookie && { cookie: this.cookie }), ...headers }
    const answer = await fetchFrom(this.#broker, `/v1/auth/${command}`, { method: 'POST', headers: sent, body })
    for (const line of answer.headers.getSetCookie()) this.cookie = /Max-Age=0/.test(line) ? '' : line.split(';')[0]!
    return answer
  }
}

function ownPage(broker: TestBroker): Record<string, string> {
  return { origin: httpUrl(broker), 'sec-fetch-site': 'same-origin' }
}

async function open(t: Test, overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const browser = new Browser(broker)
  await browser.post('register', ALICE)
  return { broker, browser }
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

t.test('a page of the same origin logs in, and goes on with the cookie', async (t) => {
  const { broker, browser } = await open(t)
  const login = await browser.post('login', { ...ALICE, cookie: true })
  t.strictSame(Object.keys(login.body), ['user', 'token', 'expiresAt'], 'the refresh token is not in the body')
  t.equal(login.headers.get('cache-control'), 'no-store')
  const { port } = new URL(httpUrl(broker))
  t.match(
    login.headers.get('set-cookie'),
    new RegExp(`^topictalk-refresh-${port}=ttr\\.[\\w.-]+; Max-Age=2592000; Path=/v1/auth; HttpOnly; SameSite=Strict$`),
  )
  t.equal(await knock(broker, 'alice', login.body.token), 0)

  const before = browser.cookie
  const next = await browser.post('token', {})
  t.strictSame(Object.keys(next.body), ['user', 'token', 'expiresAt'])
  t.match(next, { status: 200, body: { user: 'alice' } })
  t.not(browser.cookie, before, 'each use sets the next one')
  t.equal(await knock(broker, 'alice', next.body.token), 0)
  const asked = await browser.post('token', { cookie: false })
  t.notOk('refreshToken' in asked.body, 'what came in the cookie goes nowhere else, whatever is asked')

  const end = await browser.post('logout', {}, bearer(next.body.token))
  t.match(end.headers.get('set-cookie'), /^topictalk-refresh-\d+=; Max-Age=0; Path=\/v1\/auth; HttpOnly/)
  t.equal(browser.cookie, '')
  t.equal(await knock(broker, 'alice', next.body.token), 4)
  t.match(await browser.post('token', {}), SIGNED_OUT)
})

t.test('without cookie, all is as for any client', async (t) => {
  const { browser } = await open(t)
  const { body } = await browser.post('login', ALICE)
  t.match(body, { refreshToken: /^ttr\./ })
  t.equal(browser.cookie, '')
  const moved = await browser.post('token', { refreshToken: body.refreshToken, cookie: true })
  t.notOk('refreshToken' in moved.body, 'a login can be moved into the cookie')
  t.ok(browser.cookie)
  const other = await browser.post('login', ALICE)
  const { refreshToken } = other.body
  const held = browser.cookie
  t.match((await browser.post('token', { refreshToken })).body, { refreshToken: /^ttr\./ })
  t.equal(browser.cookie, held, 'with a token in the body the cookie is left alone')
})

t.test('whatever begins a login can set it', async (t) => {
  const { broker, browser } = await open(t)
  const registered = await browser.post('register', { user: 'bob', password: 'bob-pw', cookie: true })
  t.match([registered.status, Object.keys(registered.body)], [201, ['user', 'token', 'expiresAt']])
  t.match((await browser.post('token', {})).body, { user: 'bob' })

  const { token } = (await browser.post('login', ALICE)).body
  const { secret } = (await browser.post('totp', { password: ALICE.password }, bearer(token))).body
  const { recoveryCodes } = (await browser.post('totp/confirm', { code: codeOf(secret) }, bearer(token))).body
  const asked = await browser.post('login', { ...ALICE, cookie: true })
  t.match([asked.status, asked.body.field, asked.headers.getSetCookie()], [401, 'code', []])
  const login = await browser.post('login', { ...ALICE, cookie: true, code: recoveryCodes[0] })
  t.match((await browser.post('token', {})).body, { user: 'alice' }, 'the second step of a login')

  const change = { old: ALICE.password, new: 'other-pw', code: recoveryCodes[1], cookie: true }
  const changed = await browser.post('password', change, bearer(login.body.token))
  t.strictSame(Object.keys(changed.body), ['user', 'token', 'expiresAt'])
  t.match(await browser.post('token', {}), { status: 200, body: { user: 'alice' } })

  const alice = await Person.connect(t, broker, 'alice', { password: changed.body.token })
  t.equal(await alice.fails('auth.login', { ...ALICE, cookie: true }), 'bad_request cookie', 'over MQTT there is none')
  t.equal(await alice.fails('auth.token'), 'unauthorized refreshToken')
})

t.test('pages of other origins neither set nor use it', async (t) => {
  const { broker, browser } = await open(t, { listen: { origins: ['https://app.example.com', 'null'] } })
  await browser.post('login', { ...ALICE, cookie: true })
  const { cookie } = browser
  const own = httpUrl(broker)
  const { port } = new URL(own)
  const others: Record<string, Record<string, string>> = {
    'not a browser': {},
    'a listed origin': { origin: 'https://app.example.com' },
    'a listed origin, to modern browsers': { origin: 'https://app.example.com', 'sec-fetch-site': 'same-site' },
    'another port of this host': { origin: `http://127.0.0.1:${Number(port) + 1}` },
    'a page without an origin': { origin: 'null', 'sec-fetch-site': 'same-origin' },
    'the address bar': { 'sec-fetch-site': 'none' },
    'a request that hides where it comes from': { 'sec-fetch-site': 'same-origin' },
    'a plain connection over the network': { origin: 'http://192.0.2.7:8080', 'sec-fetch-site': 'same-origin' },
    'a name that leads to this machine': { origin: `http://evil.example:${port}`, host: `evil.example:${port}` },
  }
  for (const [name, headers] of Object.entries(others)) {
    const other = new Browser(broker, headers)
    const set = await other.post('login', { ...ALICE, cookie: true })
    t.equal(set.status, 403, `${name} does not set it`)
    t.same(set.headers.getSetCookie(), [])
    other.cookie = cookie
    const used = await other.post('token', {})
    t.equal(used.status, 403, `${name} does not use it`)
    t.same(used.headers.getSetCookie(), [])
  }
  const forged = new Browser(broker, { origin: own, 'sec-fetch-site': 'cross-site' })
  t.match(await forged.post('login', { ...ALICE, cookie: true }), { status: 403 })
  t.match(await new Browser(broker, {}).post('login', { ...ALICE, cookie: true }), FORBIDDEN)
  t.match(await browser.post('token', {}), { status: 200 }, 'and nothing is spoilt')

  const old = new Browser(broker, { origin: own })
  t.match(await old.post('login', { ...ALICE, cookie: true }), { status: 200 }, 'a browser without Sec-Fetch-Site')
  t.match(await old.post('token', {}), { status: 200 })
})

t.test('behind a proxy that ends TLS it is Secure', async (t) => {
  const { broker } = await open(t)
  const page = { origin: 'https://chat.example.com', 'sec-fetch-site': 'same-origin' }
  const browser = new Browser(broker, page)
  const { headers } = await browser.post('login', { ...ALICE, cookie: true })
  t.match(headers.get('set-cookie'), /^__Secure-topictalk-refresh-443=.*; SameSite=Strict; Secure$/)
  t.match(await browser.post('token', {}), { status: 200 })
  const other = new Browser(broker, { ...page, origin: 'https://chat.example.com:8443' })
  other.cookie = browser.cookie
  t.match(await other.post('token', {}), SIGNED_OUT, 'a server at another port has a cookie of another name')
})

t.test('it is read where a login is renewed, and nowhere else', async (t) => {
  const { broker, browser } = await open(t)
  await browser.post('login', { ...ALICE, cookie: true })
  const headers = { ...ownPage(broker), cookie: browser.cookie }
  t.equal((await fetchFrom(broker, '/v1/rooms', { headers })).status, 401)
  t.equal((await browser.post('logout', {})).status, 401)
  t.equal((await browser.post('password', { old: 'alice-pw', new: 'other-pw' })).status, 401)
  t.ok(browser.cookie, 'a refused request does not delete it')
})

t.test('one that is refused is deleted', async (t) => {
  const { browser } = await open(t)
  const { token } = (await browser.post('login', { ...ALICE, cookie: true })).body
  const { cookie } = browser
  await browser.post('logout', {}, bearer(token))
  browser.cookie = cookie
  const refused = await browser.post('token', {})
  t.match(refused, SIGNED_OUT)
  t.match(refused.headers.get('set-cookie'), /=; Max-Age=0; /)
})

t.test('of two of the same name none counts: another host of the domain may have set one', async (t) => {
  const { browser } = await open(t)
  await browser.post('login', { ...ALICE, cookie: true })
  const mine = browser.cookie
  const { refreshToken } = (await browser.post('register', { user: 'mallory', password: 'mallory-pw' })).body
  for (const both of [
    `${mine.split('=')[0]}=${refreshToken}; ${mine}`,
    `${mine}; x=1; ${mine.split('=')[0]}=${refreshToken}`,
  ])
    t.match(await browser.post('token', {}, { cookie: both }), SIGNED_OUT)
  t.match(await browser.post('token', {}, { cookie: `a=b; ${mine};c=d` }), { status: 200, body: { user: 'alice' } })
})

t.test('logging out deletes the cookie of that login alone', async (t) => {
  const { browser } = await open(t)
  const other = (await browser.post('login', ALICE)).body
  const bob = (await browser.post('register', { user: 'bob', password: 'bob-pw' })).body
  await browser.post('login', { ...ALICE, cookie: true })
  for (const { token } of [other, bob]) {
    t.equal((await browser.post('logout', {}, bearer(token))).status, 200)
    t.match(await browser.post('token', {}), { status: 200, body: { user: 'alice' } })
  }
  const { token } = (await browser.post('token', {})).body
  await browser.post('logout-everywhere', {}, bearer(token))
  t.equal(browser.cookie, '')
})
