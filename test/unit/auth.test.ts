import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SignJWT, UnsecuredJWT } from 'jose'
import t, { type Test } from 'tap'
import { versionOf } from '../../broker/auth/account-version.js'
import { Accounts } from '../../broker/auth/accounts.js'
import { createAuthenticator } from '../../broker/auth/authenticator.js'
import { loadHooks, noHooks } from '../../broker/auth/hooks.js'
import { Keys } from '../../broker/auth/keys.js'
import type { AuthenticatorDeps } from '../../broker/auth/login-steps.js'
import { Logins } from '../../broker/auth/logins.js'
import { Passwords } from '../../broker/auth/passwords.js'
import type { Credentials, Login } from '../../broker/auth/principal.js'
import { LoginThrottle } from '../../broker/auth/throttle.js'
import { loadTokenKeys, loadTokenSecret, mintToken, TokenVerifier } from '../../broker/auth/tokens.js'
import { completeConfig } from '../../broker/config/config.js'
import { type Change, StoreError } from '../../broker/store/changes.js'
import { commit } from '../../broker/store/commit.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { Store } from '../../broker/store/store.js'
import type { Config } from '../../schemas/config.js'
import type { ErrorCode } from '../../schemas/errors.js'
import { secondMemory } from '../helpers/two-memories.js'

const START = Date.UTC(2025, 0, 6, 12)
const SECRET = Buffer.from('a secret of at least thirty-two bytes')

function refused(code: ErrorCode, field?: string): { name: string; code: string; field?: string } {
  return { name: 'Refusal', code, ...(field !== undefined && { field }) }
}

t.test('passwords', async (t) => {
  const passwords = new Passwords({ concurrency: 1, waiting: 1 })
  const stored = await passwords.hash('alice-pw')

  t.test('are kept as argon2id, and fit only themselves', async (t) => {
    t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    t.ok(await passwords.verify(stored, Buffer.from('alice-pw')))
    t.notOk(await passwords.verify(stored, Buffer.from('Alice-pw')))
  })

  t.test('have 6 to 1024 bytes', async (t) => {
    for (const bad of ['', '12345', 'x'.repeat(1025), 'é'.repeat(513)])
      await t.rejects(passwords.hash(bad), refused('bad_request', 'password'))
    t.notOk(await passwords.verify(stored, Buffer.alloc(1025)))
  })

  t.test('that nobody has cost as much to check', async (t) => {
    const [first, second, third] = await Promise.allSettled([
      passwords.verify(null, Buffer.from('alice-pw')),
      passwords.verify(null, Buffer.from('alice-pw')),
      passwords.verify(null, Buffer.from('alice-pw')),
    ])
    t.match(first, { status: 'fulfilled', value: false }, 'it took the one slot')
    t.match(second, { status: 'fulfilled', value: false }, 'and waited its turn')
    t.match(third, { status: 'rejected', reason: refused('unavailable') }, 'and the waiting list is bounded')
  })

  t.test('that were right a moment ago need no hash, for their account and as long as it has them', async (t) => {
    const passwords = new Passwords({ concurrency: 1, waiting: 0 })
    const [right, other] = [Buffer.from('alice-pw'), await new Passwords({ concurrency: 1 }).hash('alice-pw')]
    const ann = { place: '', name: 'ann' }
    const verify = (stored: string, name: string) => passwords.verify(stored, right, undefined, { place: '', name })
    t.ok(await passwords.verify(stored, right, undefined, ann))
    const many = Array.from({ length: 10 }, () => verify(stored, 'ann'))
    t.same(await Promise.all(many), Array(10).fill(true), 'though one at a time is hashed, and none may wait')
    for (const [hash, name] of [
      [other, 'ann'],
      [stored, 'bob'],
    ] as const) {
      const [one, two] = await Promise.allSettled([verify(hash, name), verify(hash, name)])
      t.match([one.status, two.status], ['fulfilled', 'rejected'], `${name} is hashed`)
      await passwords.verify(stored, right, undefined, ann)
    }
    t.notOk(await passwords.verify(stored, Buffer.from('guess'), undefined, ann))
  })

  t.test('are not hashed once nobody wants to know', async (t) => {
    t.notOk(await passwords.verify(stored, Buffer.from('alice-pw'), () => false))
  })
})

const jwtDefaults = completeConfig({}).auth.jwt

async function tokensWith(t: Test, jwt: Partial<Config['auth']['jwt']>, now = () => START): Promise<TokenVerifier> {
  const config = { ...jwtDefaults, secret: SECRET.toString(), ...jwt }
  return new TokenVerifier(await loadTokenKeys(config, t.testdir({})), config, now)
}

t.test('tokens', async (t) => {
  t.test('name the user, the roles and the end of the login', async (t) => {
    const tokens = await tokensWith(t, {})
    const now = (): number => START
    t.strictSame(await tokens.verify(await mintToken(SECRET, 'ann', { roles: ['admin'], ttl: 60, now })), {
      ok: true,
      user: 'ann',
      roles: ['admin'],
      expiresAt: START + 60_000,
      issuedAt: START,
      login: null,
    })
    const bare = { ok: true, user: 'ann', roles: null, expiresAt: null, issuedAt: START, login: null }
    t.strictSame(await tokens.verify(await mintToken(SECRET, 'ann', { now })), bare)
  })

  t.test('say when they were issued in whole seconds, and to the millisecond beside it', async (t) => {
    const tokens = await tokensWith(t, {})
    const minted = await mintToken(SECRET, 'ann', { now: () => START + 645 })
    const { iat } = JSON.parse(Buffer.from(minted.split('.')[1]!, 'base64url').toString())
    t.equal(iat, START / 1000)
    t.match(await tokens.verify(minted), { issuedAt: START + 645 })
    const signed = (claims: object) => new SignJWT({ sub: 'ann', ...claims }).setProtectedHeader({ alg: 'HS256' })
    const of = async (claims: object) => tokens.verify(await signed(claims).sign(SECRET))
    t.match(await of({ iat: START / 1000, iat_ms: START + 5_000 }), { issuedAt: START }, 'they have to agree')
    t.match(await of({ iat: START / 1000 + 0.5 }), { issuedAt: START + 500 }, 'tokens of before have fractions')
  })

  t.test('may begin a little ahead, and end when they say', async (t) => {
    const tokens = await tokensWith(t, {})
    const now = START / 1000
    const of = async (claims: object) =>
      tokens.verify(await new SignJWT({ sub: 'ann', ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(SECRET))
    t.match(await of({ nbf: now + 5 }), { ok: true })
    t.match(await of({ nbf: now + 6 }), { ok: false, why: /nbf/ })
    t.match(await of({ exp: now }), { ok: false, why: /exp/ })
    t.match(await of({ exp: now - 3 }), { ok: false, why: /exp/ })
    const strict = await tokensWith(t, { leeway: 0 })
    const ahead = await new SignJWT({ sub: 'ann', nbf: now + 1 }).setProtectedHeader({ alg: 'HS256' }).sign(SECRET)
    t.match(await strict.verify(ahead), { ok: false })
  })

  t.test('expire', async (t) => {
    let now = START
    const tokens = await tokensWith(t, {}, () => now)
    const token = await mintToken(SECRET, 'ann', { ttl: 60, now: () => START })
    now = START + 59_000
    t.match(await tokens.verify(token), { ok: true })
    now = START + 60_000
    t.match(await tokens.verify(token), { ok: false, why: /exp/ })
  })

  t.test('that were good before are over when they are over', async (t) => {
    let now = START
    const tokens = await tokensWith(t, {}, () => now)
    const token = await mintToken(SECRET, 'ann', { ttl: 60, now: () => START })
    for (let i = 0; i < 3; i++) t.match(await tokens.verify(token), { ok: true, user: 'ann' })
    const wrong = `${token.slice(0, -4)}AAAA`
    t.match(await tokens.verify(wrong), { ok: false }, 'another signature is another token')
    now += 60_000
    t.match(await tokens.verify(token), { ok: false, why: /exp/ })
    now -= 1000
    t.match(await tokens.verify(token), { ok: true, user: 'ann' })
  })

  t.test('must be of the issuer and for the audience, where these are set', async (t) => {
    const tokens = await tokensWith(t, { issuer: 'us', audience: 'chat', userClaim: 'email' })
    const mint = (issuer: string, audience: string): Promise<string> =>
      mintToken(SECRET, 'ann', { issuer, audience, userClaim: 'email' })
    t.match(await tokens.verify(await mint('us', 'chat')), { ok: true, user: 'ann' })
    t.match(await tokens.verify(await mint('them', 'chat')), { ok: false })
    t.match(await tokens.verify(await mint('us', 'mail')), { ok: false })
    t.match(await tokens.verify(await mintToken(SECRET, 'ann', { userClaim: 'email' })), { ok: false })
  })

  t.test('need a text for a user; of roles only texts count', async (t) => {
    const tokens = await tokensWith(t, {})
    const sign = (claims: Record<string, unknown>): Promise<string> =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(SECRET)
    t.match(await tokens.verify(await sign({ sub: 7 as unknown as string })), { ok: false })
    t.match(await tokens.verify(await sign({})), { ok: false })
    t.match(await tokens.verify(await sign({ sub: 'a', roles: ['x', 1, null, ''] })), { ok: true, roles: ['x'] })
    t.match(await tokens.verify(await sign({ sub: 'a', roles: 'admin' })), { ok: true, roles: [] })
  })

  t.test('are refused when signed with another secret, or not at all', async (t) => {
    const tokens = await tokensWith(t, {})
    t.match(await tokens.verify(await mintToken(Buffer.from('another secret of thirty-two bytes'), 'ann')), {
      ok: false,
    })
    t.match(await tokens.verify(new UnsecuredJWT({ sub: 'ann' }).encode()), { ok: false })
    const [head, , signature] = (await mintToken(SECRET, 'ann')).split('.')
    const forged = Buffer.from('{"sub":"root"}').toString('base64url')
    t.match(await tokens.verify(`${head}.${forged}.${signature}`), { ok: false })
    const hs512 = new SignJWT({ sub: 'ann' }).setProtectedHeader({ alg: 'HS512' }).sign(SECRET)
    t.match(await tokens.verify(await hs512), { ok: false })
  })

  const pairs = {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: generateKeyPairSync('ed25519'),
  }
  const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

  t.test('may be signed with a private key, whose kind pins the algorithm', async (t) => {
    for (const [alg, { publicKey, privateKey }] of Object.entries(pairs)) {
      const tokens = await tokensWith(t, { secret: null, publicKey: pem(publicKey) })
      const good = new SignJWT({ sub: 'ann' }).setProtectedHeader({ alg }).sign(privateKey)
      t.match(await tokens.verify(await good), { ok: true, user: 'ann' }, alg)
      const confused = await mintToken(Buffer.from(pem(publicKey)), 'ann')
      t.match(await tokens.verify(confused), { ok: false }, `${alg}: the public key is no HS256 secret`)
    }
    const rsa = await tokensWith(t, { publicKey: pem(pairs.RS256.publicKey) })
    const ps256 = new SignJWT({ sub: 'ann' }).setProtectedHeader({ alg: 'PS256' }).sign(pairs.RS256.privateKey)
    t.match(await rsa.verify(await ps256), { ok: false })
    t.match(await rsa.verify(await mintToken(SECRET, 'ann')), { ok: true }, 'a configured secret stays good beside it')
  })

  t.test('a public key is PEM or the path of a PEM file; others are refused at the start', async (t) => {
    const { publicKey, privateKey } = pairs.ES256
    const secretPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    const dir = t.testdir({ 'good.pem': pem(publicKey), 'bad.pem': 'nonsense' })
    const keys = async (key: string): Promise<string[]> => [
      ...(await loadTokenKeys({ ...jwtDefaults, publicKey: key }, dir)).keys(),
    ]
    t.strictSame(await keys(join(dir, 'good.pem')), ['ES256'])
    for (const bad of [join(dir, 'bad.pem'), join(dir, 'none.pem'), secretPem, pem(weak)])
      await t.rejects(keys(bad), { name: 'ConfigError', message: /^auth\.jwt\.publicKey/ })
  })

  t.test('without keys the first start makes a secret only the broker can read', async (t) => {
    const dataDir = join(t.testdir({}), 'new', 'data')
    const secrets = await Promise.all([1, 2, 3].map(() => loadTokenSecret(jwtDefaults, dataDir)))
    for (const secret of secrets) t.same(secret, secrets[0], 'however many ask at once')
    t.same(await loadTokenSecret(jwtDefaults, dataDir), secrets[0], 'and later')
    t.equal(statSync(join(dataDir, 'secret')).mode & 0o777, 0o600)
    const tokens = new TokenVerifier(await loadTokenKeys(jwtDefaults, dataDir), jwtDefaults)
    t.match(await tokens.verify(await mintToken(secrets[0]!, 'ann')), { ok: true })
  })

  t.test('a secret file without a secret is refused', async (t) => {
    await t.rejects(loadTokenSecret(jwtDefaults, t.testdir({ secret: '\n' })), { name: 'ConfigError' })
  })
})

const hashing = new Passwords({ concurrency: 2 })

async function openAccounts(t: Test) {
  const store = await openLevelStore({ location: null, sync: true, limits: completeConfig({}).limits })
  t.teardown(() => store.close())
  return { store, accounts: new Accounts(store, hashing, () => START) }
}

t.test('accounts', async (t) => {
  t.test('are added, listed, changed and removed', async (t) => {
    const { store, accounts } = await openAccounts(t)
    const alice = { id: 'alice', roles: ['admin'], password: true, createdAt: START, suspended: null }
    t.strictSame(await accounts.add('alice', 'alice-pw', ['admin', 'admin']), alice)
    await accounts.add('sensor-1', null, ['device'])
    const listed = []
    for await (const account of accounts.list()) listed.push(account)
    t.strictSame(listed, [
      alice,
      { id: 'sensor-1', roles: ['device'], password: false, createdAt: START, suspended: null },
    ])

    await accounts.setPassword('alice', 'another-pw')
    const record = await store.directory.user('alice')
    t.ok(await hashing.verify(record!.passwordHash, Buffer.from('another-pw')))
    await accounts.remove('alice')
    t.equal(await store.directory.user('alice'), null)
    await t.rejects(accounts.remove('alice'), refused('not_found'))
    await t.rejects(accounts.setPassword('alice', 'alice-pw'), refused('not_found'))
  })

  t.test('need a good name, password and roles', async (t) => {
    const { accounts } = await openAccounts(t)
    for (const bad of ['', 'a b', 'a/b', 'anonymous', 'System', '+', 'x'.repeat(129)])
      await t.rejects(accounts.add(bad, 'alice-pw'), refused('bad_request', 'user'))
    await t.rejects(accounts.add('alice', 'short'), refused('bad_request', 'password'))
    await t.rejects(accounts.add('alice', 'alice-pw', ['a b']), refused('bad_request', 'roles'))
  })

  t.test('cannot have names that differ only by case, even when asked for at once', async (t) => {
    const { accounts } = await openAccounts(t)
    await accounts.add('Alice', 'alice-pw')
    for (const taken of ['Alice', 'alice', 'ALICE'])
      await t.rejects(accounts.add(taken, 'alice-pw'), refused('conflict', 'user'))
    await t.rejects(async () => accounts.ensure('aLICE'), refused('conflict'))
    const twins = await Promise.allSettled([accounts.add('bob', 'bob-pw'), accounts.add('BOB', 'bob-pw')])
    t.strictSame(
      twins.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
  })

  t.test('of token users are made once, when first seen', async (t) => {
    const { store, accounts } = await openAccounts(t)
    await Promise.all(Array.from({ length: 20 }, () => accounts.ensure('carol')))
    const carol = await store.directory.user('carol')
    const { accountId } = carol!
    t.match(accountId, /^[\w-]{16}$/)
    t.strictSame(carol, { id: 'carol', roles: [], passwordHash: null, createdAt: START, accountId })
    t.equal(store.counts.commits, 1)
    await t.rejects(async () => accounts.ensure('system'), refused('bad_request', 'user'))
  })
})

t.test('a commit that fails is a refusal that says so', async (t) => {
  const failing = (error: StoreError) => ({ commit: (change: Change) => change.settled(error, []) })
  const cause = new StoreError('disk', { full: true })
  await t.rejects(commit(failing(cause), {}), {
    ...refused('unavailable'),
    ...{ message: 'the disk is full; nothing was stored', retryAfter: 1, cause },
  })
  await t.rejects(commit(failing(new StoreError('disk')), {}), { code: 'unavailable', message: /try again/ })
})

const THROTTLE = { attempts: 3, addressAttempts: 50, window: 60 }

interface Door {
  login(given: { username?: string; password?: string; clientId?: string }): Promise<Login>
  renew(username: string, token: string): Promise<Login>
  accounts: Accounts
  tick(ms: number): void
}

async function openDoor(t: Test, deps: Partial<AuthenticatorDeps> = {}): Promise<Door> {
  const { store, accounts } = await openAccounts(t)
  await accounts.add('alice', 'alice-pw', ['admin'])
  return doorOf(t, store, accounts, deps)
}

/** As a node has it. */
async function doorOf(t: Test, store: Store, accounts: Accounts, deps: Partial<AuthenticatorDeps>): Promise<Door> {
  let now = START
  const authenticator = createAuthenticator({
    catchUp: () => store.catchUp(),
    anonymous: false,
    directory: store.directory,
    accounts,
    passwords: hashing,
    tokens: await tokensWith(t, {}, () => now),
    throttle: new LoginThrottle(store, 'login', THROTTLE, () => now),
    renewals: new LoginThrottle(store, 'renewal', THROTTLE, () => now),
    hooks: noHooks,
    keys: new Keys({ store, perUser: 10, ended: () => {} }),
    logins: new Logins({ store, sign: async () => '', lifetimes: { token: 1, refresh: 1 }, grace: 0, ended: () => {} }),
    secondFactors: { isOn: async () => false },
    backend: null,
    adopt: false,
    x509: completeConfig({}).auth.x509,
    now: () => now,
    ...deps,
  })
  const renew: Door['renew'] = (username, token) =>
    authenticator.renew({ username, token, clientId: 'c', address: '10.0.0.1', door: 'mqtt' })
  const login: Door['login'] = ({ username, password, clientId = 'c' }) => {
    const bytes = password === undefined ? undefined : Buffer.from(password)
    const given = { username, password: bytes, clientId, address: '10.0.0.1', door: 'mqtt' as const }
    return authenticator.login(given satisfies Credentials)
  }
  return { login, renew, accounts, tick: (ms) => (now += ms) }
}

const badCredentials = { ok: false, refusal: 'bad_credentials' }
const notAuthorized = { ok: false, refusal: 'not_authorized' }

t.test('logging in', async (t) => {
  t.test('with a password', async (t) => {
    const { login, accounts } = await openDoor(t)
    t.strictSame(await login({ username: 'alice', password: 'alice-pw' }), {
      ok: true,
      principal: {
        ...{ user: 'alice', roles: new Set(['admin']), ofAccount: {}, anonymous: false },
        ...{ account: versionOf(await accounts.ensure('alice')), expiresAt: null, issuedAt: START, login: null },
      },
    })
    await accounts.add('sensor', null)
    for (const given of [
      { username: 'alice', password: 'bob-pw' },
      { username: 'Alice', password: 'alice-pw' },
      { username: 'nobody', password: 'alice-pw' },
      { username: 'sensor', password: 'alice-pw' },
      { username: 'system', password: 'alice-pw' },
      { username: 'anonymous', password: 'alice-pw' },
      { username: 'a/b', password: 'alice-pw' },
      { username: 'alice' },
      { username: 'alice', password: '' },
      { password: 'alice-pw' },
    ])
      t.match(await login(given), badCredentials, JSON.stringify(given))
  })

  t.test('with a token, under its name or none', async (t) => {
    const { login, accounts, tick } = await openDoor(t)
    const token = await mintToken(SECRET, 'carol', { roles: ['notifier'], ttl: 60, now: () => START })
    const expected = {
      ...{ user: 'carol', roles: new Set(['notifier']), anonymous: false },
      ...{ expiresAt: START + 60_000, issuedAt: START, login: null },
    }
    const first = await login({ password: token })
    const principal = { ...expected, account: versionOf(await accounts.ensure('carol')) }
    t.strictSame(first, { ok: true, principal })
    t.strictSame(await login({ username: '', password: token }), { ok: true, principal })
    t.strictSame(await login({ username: 'carol', password: token }), { ok: true, principal })
    t.match(await login({ username: 'alice', password: token }), badCredentials)
    t.match(await accounts.ensure('carol'), { roles: [] }, 'the account does not keep what the token said')
    tick(60_000)
    t.match(await login({ password: token }), badCredentials)
  })

  t.test("a token without roles leaves the account's, one with an empty list takes them", async (t) => {
    const { login } = await openDoor(t)
    const roles = async (claim?: string[]): Promise<unknown> => {
      const result = await login({ password: await mintToken(SECRET, 'alice', claim ? { roles: claim } : {}) })
      return result.ok && [...result.principal.roles]
    }
    t.strictSame(await roles(), ['admin'])
    t.strictSame(await roles([]), [])
    t.strictSame(await roles(['x']), ['x'])
  })

  t.test('not with a token of a reserved name, or of one taken in another case', async (t) => {
    const { login } = await openDoor(t)
    for (const user of ['system', 'anonymous', 'Anonymous', 'a/b', ''])
      t.match(await login({ password: await mintToken(SECRET, user) }), badCredentials, user)
    t.match(await login({ password: await mintToken(SECRET, 'ALICE') }), notAuthorized)
  })

  t.test('a password with dots that is no token is a password', async (t) => {
    const { login, accounts } = await openDoor(t)
    await accounts.add('dot', 'pass.word.dots')
    t.match(await login({ username: 'dot', password: 'pass.word.dots' }), { ok: true })
  })

  t.test('anonymously only where allowed, and only without any credentials', async (t) => {
    const closed = await openDoor(t)
    t.match(await closed.login({}), notAuthorized)
    const open = await openDoor(t, { anonymous: true })
    const principal = { user: 'anonymous', roles: new Set(), anonymous: true, expiresAt: null }
    t.strictSame(await open.login({}), { ok: true, principal })
    t.match(await open.login({ username: 'alice' }), badCredentials)
    t.match(await open.login({ username: 'alice', password: 'wrong-pw' }), badCredentials)
  })

  t.test('is throttled after failures, even with the right password; tokens are not', async (t) => {
    const { login, tick } = await openDoor(t)
    const right = { username: 'alice', password: 'alice-pw' }
    const wrong = { username: 'alice', password: 'wrong-pw' }
    for (let i = 0; i < 2; i++) await login(wrong)
    t.match(await login(right), { ok: true })
    for (let i = 0; i < 3; i++) t.match(await login(wrong), badCredentials, 'the success cleared the count')
    t.match(await login(right), { ok: false, refusal: 'throttled' })
    t.match(await login({ username: 'alice', password: await mintToken(SECRET, 'alice') }), { ok: true })
    tick(60_000)
    t.match(await login(right), { ok: true })
  })

  t.test('is remembered by its network where there is a password to guess', async (t) => {
    const { store, accounts } = await openAccounts(t)
    const { login } = await doorOf(t, store, accounts, {
      throttle: new LoginThrottle(store, 'login', { ...THROTTLE, accountAttempts: 6 }, () => START),
    })
    const networksOf = async (user: string) =>
      (await store.expiring.get('knownNetworks', user, START))?.networks.map(([network]) => network)
    await accounts.add('alice', 'alice-pw')
    t.match(await login({ password: await mintToken(SECRET, 'carol') }), { ok: true })
    t.equal(await networksOf('carol'), undefined)
    await login({ username: 'alice', password: 'wrong-pw' })
    t.equal(await networksOf('alice'), undefined)
    t.match(await login({ password: await mintToken(SECRET, 'alice') }), { ok: true })
    t.same(await networksOf('alice'), ['10.0.0.1'])
  })

  t.test('is renewed by a token of the same user; failures are counted apart from those of logins', async (t) => {
    const { login, renew, tick } = await openDoor(t)
    const good = await mintToken(SECRET, 'alice', { roles: ['x'] })
    t.match(await renew('alice', good), { ok: true, principal: { user: 'alice', roles: new Set(['x']) } })
    t.match(await renew('bob', good), badCredentials)
    t.match(await renew('anonymous', await mintToken(SECRET, 'anonymous')), badCredentials)
    for (const bad of ['', 'alice-pw', `${good}x`]) t.match(await renew('alice', bad), badCredentials)
    t.match(await renew('alice', good), { ok: false, refusal: 'throttled' })
    t.match(await login({ username: 'alice', password: 'alice-pw' }), { ok: true }, 'logins are not throttled by it')
    t.match(await renew('carol', await mintToken(SECRET, 'carol')), { ok: true }, 'nor is anyone else')
    for (let i = 0; i < 3; i++) await login({ username: 'carol', password: 'guess' })
    t.match(await renew('carol', await mintToken(SECRET, 'carol')), { ok: true }, 'nor renewals by failed logins')
    tick(60_000)
    t.match(await renew('alice', good), { ok: true })
  })

  t.test('guesses sent at once do not get around the throttle', async (t) => {
    let hashed = 0
    class Counting extends Passwords {
      override verify(stored: string | null, password: Buffer, mayTry: () => Promise<boolean>): Promise<boolean> {
        const count = (may: boolean): boolean => {
          hashed += Number(may)
          return may
        }
        return super.verify(stored, password, async () => count(await mayTry()))
      }
    }
    const { login } = await openDoor(t, { passwords: new Counting({ concurrency: 2 }) })
    const guesses = Array.from({ length: 12 }, (_, i) => login({ username: 'alice', password: `guess-${i}` }))
    const refusals = (await Promise.all(guesses)).map((result) => !result.ok && result.refusal)
    t.equal(refusals.filter((refusal) => refusal === 'bad_credentials').length, 3)
    t.equal(refusals.filter((refusal) => refusal === 'throttled').length, 9)
    t.ok(hashed <= 6, 'two under way when the third fails, and two that took their place')
  })

  t.test('nor do those sent to two nodes at once', async (t) => {
    const { store, accounts } = await openAccounts(t)
    await accounts.add('alice', 'alice-pw')
    const late = await secondMemory(store)
    late.hold()
    const open = (store: Store) => doorOf(t, store, accounts, { passwords: new Passwords({ concurrency: 2 }) })
    const doors = [await open(store), await open(late.store)]
    const both = (tried: (i: number) => string) =>
      Promise.all(Array.from({ length: 24 }, (_, i) => doors[i % 2]!.login({ username: 'alice', password: tried(i) })))
    const guessing = both((i) => `guess-${i}`)
    setImmediate(late.release)
    const answers = (await guessing).map((result) => !result.ok && result.refusal)
    t.equal(answers.filter((refusal) => refusal === 'bad_credentials').length, 3)
    t.equal(answers.filter((refusal) => refusal === 'throttled').length, 21)
    for (const { tick } of doors) tick(60_000)
    const later = (await both((i) => `other-${i}`)).map((result) => !result.ok && result.refusal)
    t.equal(later.filter((refusal) => refusal === 'bad_credentials').length, 1, 'one for each window')
  })

  t.test('a password that is right is refused when others have used up the limit while it was hashed', async (t) => {
    class Overtaken extends Passwords {
      override async verify(stored: string | null, password: Buffer): Promise<boolean> {
        const fits = await super.verify(stored, password)
        if (fits) for (let i = 0; i < 3; i++) await login({ username: 'alice', password: 'wrong-pw' })
        return fits
      }
    }
    const { login } = await openDoor(t, { passwords: new Overtaken({ concurrency: 1 }) })
    t.match(await login({ username: 'alice', password: 'alice-pw' }), { ok: false, refusal: 'throttled' })
  })

  t.test('right passwords sent at once all get in', async (t) => {
    const { login } = await openDoor(t)
    const logins = await Promise.all(
      Array.from({ length: 12 }, (_, i) => login({ username: 'alice', password: 'alice-pw', clientId: `phone-${i}` })),
    )
    t.ok(logins.every(({ ok }) => ok))
  })

  t.test('is refused by the authenticate hook, which leaves no account behind', async (t) => {
    const asked: unknown[] = []
    const { login, accounts } = await openDoor(t, {
      hooks: {
        authenticate: async (request) => {
          asked.push(request)
          return request.clientId === 'good'
        },
      },
    })
    const password = await mintToken(SECRET, 'dave', { roles: ['x'] })
    t.match(await login({ password, clientId: 'bad' }), notAuthorized)
    t.strictSame(asked, [{ user: 'dave', roles: ['x'], clientId: 'bad', address: '10.0.0.1' }])
    for await (const { id } of accounts.list()) t.not(id, 'dave')
    t.match(await login({ password, clientId: 'good' }), { ok: true })
  })

  t.test('is unavailable when the store or the hashing is', async (t) => {
    const broken = {
      user: () => {
        throw new StoreError('gone')
      },
      bots: { get: () => undefined, ofOwner: () => [] },
      devices: { get: () => undefined, ownedBy: () => new Map() },
    }
    const { login } = await openDoor(t, { directory: broken })
    t.match(await login({ username: 'alice', password: 'alice-pw' }), {
      ok: false,
      refusal: 'unavailable',
      detail: /gone/,
    })
    const busy = await openDoor(t, { passwords: new Passwords({ concurrency: 1, waiting: 0 }) })
    const given = { username: 'alice', password: 'alice-pw' }
    const [first, second] = await Promise.all([busy.login(given), busy.login(given)])
    t.match([first, second], [{ ok: true }, { ok: false, refusal: 'unavailable' }])
  })
})

t.test('hooks', async (t) => {
  const ask = { user: 'ann', roles: [] as string[], clientId: 'c', address: '10.0.0.1' }
  const publish = { user: 'ann', roles: [] as string[], clientId: 'c', topic: 'a', payload: Buffer.from('x') }
  /** Node loads a path once: each module needs its own. */
  let modules = 0
  const load = (t: Test, source: string, timeout = 5, onFault?: (hook: string, error: Error) => void) => {
    const name = `hooks-${modules++}.mjs`
    return loadHooks(join(t.testdir({ [name]: source }), name), { timeout, ...(onFault && { onFault }) })
  }

  t.test('that the module lacks are undefined', async (t) => {
    t.strictSame(await loadHooks(null, { timeout: 1 }), noHooks)
    const hooks = await load(t, 'export const authenticate = () => true')
    t.equal(hooks.authenticate?.(ask), true, 'an answer at once needs no promise')
    t.equal(hooks.authorizePublish, undefined)
    t.equal(hooks.authorizeSubscribe, undefined)
  })

  t.test('deny with anything but true', async (t) => {
    const faults: string[] = []
    const count = (hook: string, error: Error): number => faults.push(`${hook}: ${error.message}`)
    for (const body of ['false', 'Promise.resolve(false)']) {
      const hooks = await load(t, `export const authenticate = () => ${body}`, 5, count)
      t.equal(await hooks.authenticate!(ask), false, body)
    }
    t.strictSame(faults, [])
    for (const body of [
      '1',
      '"yes"',
      'undefined',
      'Promise.resolve(1)',
      'Promise.reject(new Error("no"))',
      '(() => { throw 7 })()',
    ]) {
      const hooks = await load(t, `export const authenticate = () => ${body}`, 5, count)
      t.equal(await hooks.authenticate!(ask), false, body)
    }
    t.equal(faults.length, 6)
    t.match(faults[5], 'authenticate: 7')
  })

  t.test('deny when they miss the deadline', async (t) => {
    const faults: string[] = []
    const hooks = await load(t, 'export const authenticate = () => new Promise(() => {})', 0.001, (_, error) =>
      faults.push(error.message),
    )
    t.equal(await hooks.authenticate!(ask), false)
    t.strictSame(faults, ['no answer within 0.001 s'])
  })

  t.test('cannot change the payload', async (t) => {
    const hooks = await load(t, 'export const authorizePublish = ({ payload }) => { payload[0] = 0; return true }')
    t.equal(hooks.authorizePublish!(publish), true)
    t.equal(publish.payload.toString(), 'x')
  })

  t.test('that could never be asked are refused at the start', async (t) => {
    await t.rejects(load(t, 'export const authenticat = () => false'), {
      message: /unknown export authenticat; hooks are/,
    })
    await t.rejects(load(t, 'export const authenticate = true'), { message: /authenticate must be a function/ })
    await t.rejects(load(t, ''), { message: /exports none of authenticate/ })
    await t.rejects(load(t, 'throw new Error("boom")'), { name: 'ConfigError', message: /cannot be loaded: boom/ })
    await t.rejects(loadHooks('none.mjs', { timeout: 1 }), { name: 'ConfigError' })
  })

  t.test('the example in the docs does what it says', async (t) => {
    const path = resolve('docs/examples/auth-hooks.mjs')
    const { authorizePublish, authorizeSubscribe } = await loadHooks(path, { timeout: 5 })
    const command = { ...publish, topic: 'factory/m1/command' }
    t.equal(authorizePublish!(command), false)
    t.equal(authorizePublish!({ ...command, roles: ['operator'] }), true)
    t.equal(authorizePublish!({ ...command, roles: ['operator'], payload: Buffer.alloc(1025) }), false)
    t.equal(authorizePublish!({ ...publish, topic: 'factory/m1/state' }), true)
    t.equal(authorizeSubscribe!({ ...ask, filter: 'factory/+/state' }), false)
    t.equal(authorizeSubscribe!({ ...ask, filter: 'factory/m1/#' }), true)

    const { authenticate } = await import(path)
    const contractor = { ...ask, roles: ['contractor'] }
    t.equal(authenticate(ask), true)
    t.equal(authenticate(contractor, new Date('2025-01-06T12:00Z')), true)
    t.equal(authenticate(contractor, new Date('2025-01-06T19:00Z')), false)
    t.equal(authenticate(contractor, new Date('2025-01-05T12:00Z')), false)
  })
})
