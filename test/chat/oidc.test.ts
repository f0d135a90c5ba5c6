/** People of an identity provider log in with a browser: a real provider, and a browser that goes through its pages. */
import { createHash, createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import pino from 'pino'
import t, { type Test } from 'tap'
import { userNameOf } from '../../broker/auth/identity.js'
import { LoginCodes } from '../../broker/auth/login-codes.js'
import { SealedState } from '../../broker/auth/sealed-state.js'
import { SecretBox } from '../../broker/auth/secret-box.js'
import { completeConfig } from '../../broker/config/config.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { freePort } from '../helpers/free-port.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'
import { Browser, CLIENT, type People, startProvider } from '../helpers/identity-provider.js'
import { knock } from '../helpers/knock.js'
import { openStore } from '../helpers/node-pair.js'
import { LOGIN_CHALLENGE, LOGIN_VERIFIER } from '../helpers/oidc-cases.js'
import { Person } from '../helpers/people.js'

const APP = 'https://chat.example.com/app'

interface Scene {
  oidc?: object
  auth?: object
  people?: People
  provider?: Parameters<typeof startProvider>[2]
}

async function open(t: Test, { oidc = {}, auth = {}, people = {}, provider: options = {} }: Scene = {}) {
  // The provider has to know the broker's address before there is a broker, and the other way round.
  const port = await freePort()
  const redirectUri = `http://127.0.0.1:${port}/v1/auth/oidc/callback`
  const provider = await startProvider(t, redirectUri, { people, ...options })
  const settings = { issuer: provider.issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret, redirectUri }
  const lines: Record<string, unknown>[] = []
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const login = { oidc: { ...settings, returnTo: [APP, 'com.example.chat:/login'], ...oidc }, ...auth }
  const broker = await startTestBroker(t, { auth: login, listen: { http: port } }, { log })
  const refusals = () => lines.filter(({ msg }) => msg === 'login refused')
  return { broker, provider, refusals, ...app(broker) }
}

/** What a web app does. */
function app(broker: TestBroker) {
  const start = (query: object = {}) =>
    `${httpUrl(broker)}/v1/auth/oidc/start?${new URLSearchParams({ challenge: LOGIN_CHALLENGE, ...query })}`
  const arrive = (login: string, browser = new Browser()) => browser.travel(start(), APP, login)
  const take = (code: string | null, verifier = LOGIN_VERIFIER) =>
    fetchFrom(broker, '/v1/auth/oidc', { method: 'POST', body: { code, verifier } })
  return {
    start,
    /** Where the browser ends up. */
    arrive,
    take,
    /** What becomes of the login in the end: the tokens, or the error in the address. */
    logIn: async (login: string, browser?: Browser) => {
      const { searchParams } = await arrive(login, browser)
      return searchParams.has('error') ? searchParams.get('error') : (await take(searchParams.get('code'))).body
    },
  }
}

t.test('someone logs in at the provider, and has a login here that lasts', async (t) => {
  const { broker, arrive, take } = await open(t)
  const browser = new Browser()
  const address = await arrive('ann', browser)
  t.strictSame([...address.searchParams.keys()], ['code'], 'the address holds a code, and no token')
  const { status, body } = await take(address.searchParams.get('code'))
  t.match({ status, body }, { status: 200, body: { user: 'ann', refreshToken: /^ttr\./ } })
  const ann = await Person.connect(t, broker, 'ann', { password: body.token })
  t.match(await ann.get('rooms.list'), { rooms: [] })
  const next = await ann.get('auth.token', { refreshToken: body.refreshToken })
  t.equal(await knock(broker, 'ann', next.token), 0)
  t.same(
    [...browser.cookies.keys()].filter((name) => name.includes('topictalk')),
    [],
    'nothing stays in the browser',
  )
  t.match(await take(address.searchParams.get('code')), { status: 401, body: { field: 'code' } }, 'a code is good once')

  const other = (await arrive('ann')).searchParams.get('code')
  await broker.restart()
  t.match(await take(other), { status: 200, body: { user: 'ann' } }, 'a restart forgets none')
  t.match(await take(other), { status: 401 })
})

t.test('a web app on the same origin gets the refresh token in a cookie', async (t) => {
  const { broker, arrive } = await open(t)
  const code = (await arrive('ann')).searchParams.get('code')
  const headers = { origin: new URL(APP).origin, 'sec-fetch-site': 'same-origin' }
  const body = { code, verifier: LOGIN_VERIFIER, cookie: true }
  const login = await fetchFrom(broker, '/v1/auth/oidc', { method: 'POST', headers, body })
  t.strictSame(Object.keys(login.body), ['user', 'token', 'expiresAt'])
  const [cookie] = login.headers.get('set-cookie')!.split(';')
  const request = { method: 'POST', headers: { ...headers, cookie: cookie! }, body: {} }
  t.match(await fetchFrom(broker, '/v1/auth/token', request), { status: 200, body: { user: 'ann' } })
})

t.test('a code is nothing without what the app that asked for it knows', async (t) => {
  const { arrive, take, refusals } = await open(t)
  const code = (await arrive('ann')).searchParams.get('code')
  t.equal((await take(code, LOGIN_VERIFIER.replace('verifier', 'stranger'))).status, 401)
  t.equal((await take(code)).status, 401, 'and who guessed has used it up')
  const line = { address: '127.0.0.1', door: 'http', reason: 'bad_credentials', why: /the code was refused/ }
  t.match(refusals(), [line, line])
  t.notOk(JSON.stringify(refusals()).includes(code!))
})

t.test('the login ends in the browser in which it began', async (t) => {
  const { broker, start, arrive, refusals } = await open(t)
  const [mallory, victim] = [new Browser(), new Browser()]
  const callback = await mallory.travel(start(), `${httpUrl(broker)}/v1/auth/oidc/callback`, 'mallory')
  const led = await victim.open(callback.href)
  t.match([led.status, await led.json()], [400, { code: 'bad_request' }], 'one that began nothing')
  await victim.open(start())
  const mixed = await victim.open(callback.href)
  t.match(mixed.headers.get('location'), /^https:\/\/chat\.example\.com\/app\?error=unauthorized$/, 'or something else')
  const forged = new Browser()
  forged.cookies.set(
    `topictalk-login-${new URL(httpUrl(broker)).port}`,
    'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA',
  )
  t.equal((await forged.open(callback.href)).status, 400)
  t.match((await arrive('ann', victim)).searchParams.get('code'), /./, 'and nothing is spoilt')
  const line = { address: '127.0.0.1', door: 'http', reason: 'bad_credentials' }
  const begun = { ...line, why: /no login was begun/ }
  t.match(refusals(), [begun, { ...line, why: /could not be confirmed/ }, begun])
  t.equal(refusals().length, 3)
})

t.test('the cookie is for the browser alone, for that path, and not for long', async (t) => {
  const { start } = await open(t)
  const response = await new Browser().open(start())
  const cookie = response.headers.get('set-cookie')!
  for (const part of ['HttpOnly', 'SameSite=Lax', 'Path=/v1/auth/oidc', 'Max-Age=600']) t.match(cookie, part)
  const asked = new URL(response.headers.get('location')!).searchParams
  t.match(Object.fromEntries(asked), { response_type: 'code', code_challenge_method: 'S256', state: /./, nonce: /./ })
  for (const name of ['state', 'nonce', 'code_challenge'])
    t.notOk(cookie.includes(asked.get(name)!), `it does not show the ${name} it holds`)
  t.match(Object.fromEntries(response.headers), { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
})

t.test('a login leads back to where it may, and nowhere else', async (t) => {
  const { start } = await open(t)
  const browser = new Browser()
  const native = await browser.travel(start({ returnTo: 'com.example.chat:/login' }), 'com.example.chat:', 'ann')
  t.match(native.href, /^com\.example\.chat:\/login\?code=/)
  const table: [object, number, string][] = [
    [{ returnTo: 'https://evil.example.com/' }, 403, 'returnTo'],
    [{ returnTo: `${APP}/../../evil` }, 403, 'returnTo'],
    [{ challenge: 'short' }, 400, 'challenge'],
    [{ returnto: APP }, 400, 'returnto'],
  ]
  for (const [query, status, field] of table) {
    const response = await browser.open(start(query))
    t.match([response.status, await response.json()], [status, { field }], JSON.stringify(query))
  }
})

t.test('who changes their mind comes back without a login', async (t) => {
  const { broker, logIn } = await open(t)
  t.equal(await logIn('cancel'), 'forbidden')
  t.equal(await broker.running.store.directory.user('cancel'), null)
})

t.test('an account belongs to whom the provider linked it to', async (t) => {
  const people: People = {
    'id-1': { preferred_username: 'ann' },
    'id-2': { preferred_username: 'ann' },
    'id-3': { preferred_username: 'ben' },
    'id-4': { preferred_username: 'Ann' },
    'id-5': { preferred_username: 'admin team' },
    'id-6': { preferred_username: 'system' },
  }
  const oidc = { userClaim: 'preferred_username', scopes: ['openid', 'profile'] }
  const { broker, logIn } = await open(t, { people, oidc })
  await broker.running.accounts.add('ben', 'ben-pw')
  t.match(await logIn('id-1'), { user: 'ann' })
  t.equal(await logIn('id-2'), 'forbidden', 'not to the next who has that name there')
  t.equal(await logIn('id-3'), 'forbidden', 'an account with a password is not taken over')
  t.equal(await logIn('id-4'), 'forbidden')
  t.match(await logIn('id-5'), { user: 'admin~20team' })
  t.equal(await logIn('id-6'), 'forbidden')
  t.match(await logIn('id-1'), { user: 'ann' }, 'and stays whose it is')
  t.equal(await knock(broker, 'ben', 'ben-pw'), 0)
  await broker.restart({ auth: { oidc: { ...broker.config.auth.oidc, linkExisting: true } } })
  t.match(await logIn('id-3'), { user: 'ben' }, 'unless the operator says so')
  t.equal(await logIn('id-2'), 'forbidden', 'which gives nobody what is another’s')
})

t.test('roles follow the provider, where it is asked for them', async (t) => {
  const people: People = { ann: { groups: ['admin', 'not a role', 7] } }
  const { broker, logIn } = await open(t, { people, oidc: { rolesClaim: 'groups', scopes: ['openid', 'profile'] } })
  const roles = async () => (await broker.running.store.directory.user('ann'))!.roles
  const { token } = (await logIn('ann')) as { token: string }
  const ann = await Person.connect(t, broker, 'ann', { password: token })
  t.match(await ann.get('auth.invite'), { invite: String })
  people['ann'] = {}
  await logIn('ann')
  t.strictSame(await roles(), [], 'who lost them there has lost them here')
})

t.test('a mail address names a user when the provider has verified it', async (t) => {
  const people: People = {
    one: { email: 'ann@example.com', email_verified: true },
    two: { email: 'ben@example.com', email_verified: false },
  }
  const { logIn } = await open(t, { people, oidc: { userClaim: 'email', scopes: ['openid', 'email'] } })
  t.match(await logIn('one'), { user: 'ann@example.com' })
  t.equal(await logIn('two'), 'forbidden')
})

t.test('hooks may refuse whom the provider vouches for, and leave no account behind', async (t) => {
  const folder = t.testdir({ 'hooks.mjs': `export const authenticate = ({ user }) => user !== 'eve'` })
  const { broker, logIn } = await open(t, { auth: { hooks: `${folder}/hooks.mjs` } })
  t.equal(await logIn('eve'), 'forbidden')
  t.equal(await broker.running.store.directory.user('eve'), null)
  t.match(await logIn('ann'), { user: 'ann' })
})

t.test('a user who is removed between coming back and taking the login gets none', async (t) => {
  const { broker, arrive, take } = await open(t)
  const code = (await arrive('ann')).searchParams.get('code')
  await broker.running.accounts.remove('ann')
  t.match(await take(code), { status: 401, body: { field: 'code' } })
})

t.test('whom the provider linked stays linked when both start anew, the provider with other keys', async (t) => {
  const key = () => ({
    ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
    alg: 'RS256',
    use: 'sig',
  })
  const port = await freePort()
  const { broker, provider, logIn, start } = await open(t, { provider: { port, jwks: { keys: [key()] as never } } })
  t.match(await logIn('ann'), { user: 'ann' })
  await provider.stop()
  const browser = new Browser()
  t.equal((await browser.open(start())).status, 302, 'the way there is known')
  await startProvider(t, broker.config.auth.oidc.redirectUri!, { port, jwks: { keys: [key()] as never } })
  await broker.restart()
  t.match(await logIn('ann'), { user: 'ann' }, 'ann is who she was')
})

t.test('a provider that is not there is looked for again later', async (t) => {
  const port = await freePort()
  const oidc = {
    issuer: `http://127.0.0.1:${port}`,
    clientId: CLIENT.id,
    redirectUri: 'http://127.0.0.1:1/v1/auth/oidc/callback',
  }
  const broker = await startTestBroker(t, { auth: { oidc: { ...oidc, returnTo: [APP] } } })
  const response = await new Browser().open(app(broker).start())
  t.match([response.status, await response.json()], [503, { code: 'unavailable' }])
  t.ok(response.headers.get('retry-after'))
})

t.test('without a provider there is nothing to begin', async (t) => {
  const broker = await startTestBroker(t)
  t.equal((await new Browser().open(app(broker).start())).status, 404)
  t.equal((await app(broker).take('x')).status, 401)
})

t.test('names become users, two never the same', async (t) => {
  const names = [
    'ann',
    'ann b',
    'ann~20b',
    'ann+b',
    'ann@example.com',
    'google|12',
    '+1',
    'u~+1',
    '~',
    'ä',
    '日本',
    '.x',
  ]
  const users = names.map(userNameOf)
  t.strictSame(users.slice(0, 7), ['ann', 'ann~20b', 'ann~7e20b', 'ann~2bb', 'ann@example.com', 'google|12', 'u~~2b1'])
  t.equal(new Set(users).size, names.length)
})

t.test('a code waits a minute', async (t) => {
  let now = 1_000_000
  const codes = new LoginCodes(await openStore(t, ['ann', 'ben']), () => now)
  const code = await codes.issue({ user: 'ann' }, LOGIN_CHALLENGE)
  const other = await codes.issue({ user: 'ben' }, createHash('sha256').update('another').digest('base64url'))
  now += 59_999
  t.match(
    await codes.take(code, LOGIN_VERIFIER),
    { user: 'ann', issuedAt: 999_999 },
    'a removal in that millisecond counts as later',
  )
  now += 1
  await t.rejects(codes.take(other, 'another'), { code: 'unauthorized' })

  const many: string[] = []
  for (let i = 0; i < 11; i++) many.push(await codes.issue({ user: 'ann' }, LOGIN_CHALLENGE))
  await t.rejects(codes.take(many[0]!, LOGIN_VERIFIER), { code: 'unauthorized' }, 'who has many has the last ten')
  for (const one of many.slice(1)) t.match(await codes.take(one, LOGIN_VERIFIER), { user: 'ann' })
})

t.test('what is sealed is opened for its time, by its key', async (t) => {
  let now = 1_000_000
  const secretBox = () => new SecretBox(createSecretKey(randomBytes(32)))
  const seal = new SealedState(secretBox(), 600, () => now)
  const text = seal.close({ state: 'x' })
  t.same(seal.open(text), { state: 'x' })
  t.equal(new SealedState(secretBox(), 600, () => now).open(text), null)
  for (const broken of ['', 'x', text.slice(0, -2), `${text}AAAA`]) t.equal(seal.open(broken), null)
  now += 599_999
  t.same(seal.open(text), { state: 'x' })
  now += 1
  t.equal(seal.open(text), null)
})

t.test('the settings are checked', async (t) => {
  const good = {
    issuer: 'https://id.example.com',
    clientId: 'chat',
    redirectUri: 'https://chat.example.com/v1/auth/oidc/callback',
    returnTo: [APP],
  }
  const config = (more: object) => () => completeConfig({ auth: { oidc: { ...good, ...more } } })
  t.doesNotThrow(config({}))
  const bad: [object, RegExp][] = [
    [{ issuer: 'http://id.example.com' }, /auth\.oidc\.issuer: expected https/],
    [{ clientId: null }, /auth\.oidc\.clientId/],
    [{ redirectUri: null }, /auth\.oidc\.redirectUri/],
    [{ redirectUri: 'https://chat.example.com/' }, /auth\.oidc\.redirectUri/],
    [{ returnTo: ['http://chat.example.com/'] }, /auth\.oidc\.returnTo/],
    [{ returnTo: ['javascript:alert(1)'] }, /auth\.oidc\.returnTo/],
    [{ scopes: ['email'] }, /auth\.oidc\.scopes/],
  ]
  for (const [more, message] of bad) t.throws(config(more), { message })
  t.doesNotThrow(config({ returnTo: [] }), 'the web app is where a login may always lead')
  t.throws(() => completeConfig({ auth: { oidc: { ...good, returnTo: [] } }, web: { enabled: false } }), {
    message: /auth\.oidc\.returnTo/,
  })
})
