/** Tokens signed by someone else, whose keys are fetched: how they change, and what happens when they cannot be had. */
import { generateKeyPairSync } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { RemoteKeys } from '../../broker/auth/remote-keys.js'
import { completeConfig } from '../../broker/config/config.js'
import { startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { KeyServer } from '../helpers/key-server.js'
import { knock } from '../helpers/knock.js'
import { Person } from '../helpers/people.js'
import { onRedis } from '../helpers/test-store.js'

const SECRET = 'a secret of at least thirty-two bytes'

async function open(t: Test, jwt: object = {}) {
  const server = await KeyServer.start(t)
  await server.add('first')
  const broker = await startTestBroker(t, { auth: { jwt: { jwks: server.url, jwksCooldown: 0, ...jwt } } })
  return { server, broker }
}

t.test('a token of a key in the set logs in, over MQTT and HTTP, with its roles', async (t) => {
  const { server, broker } = await open(t)
  const password = await server.sign('first', { sub: 'ann', roles: ['admin'] })
  const ann = await Person.connect(t, broker, 'ann', { password })
  t.match(await ann.get('auth.invite'), { invite: String }, 'she is an admin')
  const asked = { headers: { authorization: `Bearer ${password}` } }
  t.equal((await fetchFrom(broker, '/v1/rooms', asked)).status, 200)
  t.equal(server.asked, 1, 'the keys are fetched once')
})

t.test('keys rotate: a new one counts when a token names it, an old one no more when it is gone', async (t) => {
  const { server, broker } = await open(t)
  const old = await server.sign('first', { sub: 'ann' })
  t.equal(await knock(broker, '', old), 0)
  await server.add('second')
  t.equal(await knock(broker, '', await server.sign('second', { sub: 'ann' })), 0)
  t.equal(server.asked, 2)
  server.keys = server.keys!.slice(1)
  await server.add('third')
  t.equal(await knock(broker, '', await server.sign('third', { sub: 'ann' })), 0)
  t.equal(await knock(broker, '', old), 4, 'its key was taken back')
})

t.test('a key of before stays good while the set cannot be had', async (t) => {
  const { server, broker } = await open(t, { jwksMaxAge: 0 })
  const token = await server.sign('first', { sub: 'ann' })
  t.equal(await knock(broker, '', token), 0)
  const { keys } = server
  for (const broken of [null, [], [{ kty: 'oct', k: 'c2VjcmV0', kid: 'first' }]]) {
    server.keys = broken
    const before = server.asked
    t.equal(await knock(broker, '', token), 0)
    t.ok(server.asked > before, 'it was asked for')
  }
  server.keys = keys
  t.equal(await knock(broker, '', await server.sign('first', { sub: 'bob' })), 0)
})

t.test('nobody is let in on keys that never came, and nobody is told that the token is wrong', async (t) => {
  const { server, broker } = await open(t)
  const { keys } = server
  server.keys = null
  const token = await server.sign('first', { sub: 'ann' })
  t.equal(await knock(broker, '', token), 3, 'not now')
  const answer = await fetchFrom(broker, '/v1/rooms', { headers: { authorization: `Bearer ${token}` } })
  t.match(answer, { status: 503, body: { code: 'unavailable' } })
  server.keys = keys
  t.equal(await knock(broker, '', token), 0, 'and then it is good')
})

t.test('unknown keys make the broker ask no more often than the cool-down allows', async (t) => {
  const { server, broker } = await open(t, { jwksCooldown: 60 })
  t.equal(await knock(broker, '', await server.sign('first', { sub: 'ann' })), 0)
  for (const kid of ['x', 'y', 'z']) {
    await server.make(kid)
    t.equal(await knock(broker, '', await server.sign(kid, { sub: 'ann' })), 4)
  }
  t.equal(server.asked, 1)
})

t.test('a set beside a secret: each verifies its own, and neither passes for the other', async (t) => {
  const { server, broker } = await open(t, { secret: SECRET })
  t.equal(await knock(broker, '', await broker.token('ann')), 0)
  t.equal(await knock(broker, '', await server.sign('first', { sub: 'ann' })), 0)
  const hmac = (secret: string, kid: string) =>
    new SignJWT({ sub: 'ann' }).setProtectedHeader({ alg: 'HS256', kid }).sign(Buffer.from(secret))
  t.equal(await knock(broker, '', await hmac(SECRET, 'first')), 0, 'a name of a key makes nothing of a secret')
  server.keys = [...server.keys!, { kty: 'oct', kid: 'shared', k: Buffer.from(SECRET.repeat(2)).toString('base64url') }]
  t.equal(await knock(broker, '', await hmac(SECRET.repeat(2), 'shared')), 4, 'a set has no secrets')
  t.equal(await knock(broker, '', await hmac(JSON.stringify(server.keys[0]), 'first')), 4)
})

t.test(
  'without a secret only the set counts: no secret file is made',
  { skip: onRedis && 'nodes on Redis need a secret' },
  async (t) => {
    const { broker } = await open(t)
    t.equal(await knock(broker, '', await broker.token('ann')), 4)
  },
)

t.test('a key is for what its set says', async (t) => {
  const server = await KeyServer.start(t)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const jwk = await exportJWK(rsa.publicKey)
  await server.add('mac', { use: 'enc' })
  await server.add('wrong', { alg: 'ES384' })
  server.keys!.push({ ...jwk, kid: 'any' }, { ...jwk, kid: 'pss', alg: 'PS256' })
  server.keys!.push({ ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak' }, { kty: 'RSA', kid: 'broken' })
  const keys = new RemoteKeys({ url: server.url, maxAge: 600, cooldown: 30 })
  const found = async (kid: string | undefined, alg: string) => (await keys.find(kid, alg)) !== null
  t.ok((await found('any', 'RS256')) && (await found('any', 'PS512')))
  t.ok((await found('pss', 'PS256')) && !(await found('pss', 'RS256')))
  for (const kid of ['mac', 'wrong', 'weak', 'broken'])
    t.notOk((await found(kid, 'ES256')) || (await found(kid, 'RS256')))
  t.notOk(await found('any', 'HS256'))
  t.notOk(await found(undefined, 'PS256'), 'two might be meant')
  t.ok(await found(undefined, 'RS256'), 'one is')
})

t.test('many who come at once wait for one answer', async (t) => {
  const server = await KeyServer.start(t)
  await server.add('first')
  const keys = new RemoteKeys({ url: server.url, maxAge: 600, cooldown: 30 })
  const all = await Promise.all(Array.from({ length: 20 }, () => keys.find('first', 'ES256')))
  t.ok(all.every((key) => key !== null))
  t.equal(server.asked, 1)
})

t.test('keys are fetched over TLS, or on this machine', async (t) => {
  const jwks = (url: string) => completeConfig({ auth: { jwt: { jwks: url } } }).auth.jwt.jwks
  for (const good of [
    'https://id.example.com/jwks',
    'http://127.0.0.1:8000/jwks',
    'http://localhost/',
    'http://[::1]:1/',
  ])
    t.equal(jwks(good), good)
  for (const bad of [
    'http://id.example.com/jwks',
    'http://127.0.0.1.example.com/',
    'ftp://x/',
    'jwks',
    'https://me@x/',
  ])
    t.throws(() => jwks(bad), { message: /auth\.jwt\.jwks/ }, bad)
})
