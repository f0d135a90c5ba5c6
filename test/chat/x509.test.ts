/** Client certificates: devices that log in without a password, over MQTT, WebSocket and HTTP. */
import https from 'node:https'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import { completeConfig } from '../../broker/config/config.js'
import { Authority, type ClientCertificate } from '../helpers/authority.js'
import { serveHttp, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { CERTIFICATE } from '../helpers/certificate.js'
import { movableClock } from '../helpers/clock.js'
import { knock } from '../helpers/knock.js'
import { Person } from '../helpers/people.js'

serveHttp()

const authority = new Authority()

async function open(t: Test, x509: object = {}, { list, listen = {} }: { list?: string; listen?: object } = {}) {
  const broker = await startTestBroker(t, {
    auth: { x509: { name: 'cn', ...x509 } },
    listen: { mqtts: 0, https: 0, tls: authority.files(t, list), ...listen },
  })
  return { broker, ...doors(broker) }
}

function doors(broker: TestBroker) {
  const port = (name: string) => broker.running.listeners.find((listener) => listener.name === name)!.port
  const secure = { ca: CERTIFICATE, rejectUnauthorized: true }
  const shown = (certificate: ClientCertificate | null) =>
    certificate ? { ...secure, cert: certificate.cert, key: certificate.key } : secure
  const mqtts = `mqtts://localhost:${port('mqtts')}`
  const wss = `wss://localhost:${port('https')}/mqtt`
  return {
    mqtts,
    wss,
    shown,
    /** The return code of a CONNECT; -1: it came to none. */
    knocks: (certificate: ClientCertificate | null, username = '', password?: string, url = mqtts, more: object = {}) =>
      knock(broker, username, password, { url, ...shown(certificate), ...more }),
    /** The status of an HTTP request. */
    asks: (certificate: ClientCertificate | null, headers: Record<string, string> = {}) =>
      new Promise<number>((resolve, reject) => {
        const place = { host: 'localhost', port: port('https'), path: '/v1/rooms', agent: false }
        const request = https.get({ ...place, headers, ...shown(certificate) }, (response) => {
          response.resume()
          resolve(response.statusCode!)
        })
        request.on('error', reject)
      }),
  }
}

t.test('a device logs in with its certificate alone, as the user it names, and has the role of devices', async (t) => {
  const { broker, mqtts, wss, shown, knocks, asks } = await open(t, { role: 'device' })
  const sensor = authority.issue({ cn: 'sensor-1' })
  t.equal(await knocks(sensor), 0)
  t.equal(await knocks(sensor, 'sensor-1'), 0, 'it may say who it is')
  t.equal(await knocks(sensor, 'sensor-2'), 4, 'and no other')
  t.equal(await knocks(sensor, '', undefined, wss), 0, 'over WebSocket')
  t.equal(await asks(sensor), 200, 'over HTTP')
  t.equal(await asks(null), 401)
  const roles: string[][] = []
  const { aedes } = broker.running
  aedes.on('clientReady', (client) =>
    roles.push([...broker.running.aedes.clients[client.id]!.client!.actor.principal.roles]),
  )
  for (const url of [mqtts, wss])
    await Person.connect(t, broker, 'sensor-1', { ...shown(sensor), ...target(url), clientId: url, password: '' })
  t.strictSame(roles, [['device'], ['device']])
})

function target(url: string) {
  const { protocol, hostname: host, port, pathname: path } = new URL(url)
  return { protocol: protocol.slice(0, -1) as 'mqtts' | 'wss', host, port: Number(port), path }
}

t.test('what is shown beside a certificate has to be of the same user', async (t) => {
  const { broker, knocks, asks } = await open(t)
  const ann = authority.issue({ cn: 'ann' })
  await broker.running.accounts.add('ann', 'ann-pw')
  await broker.running.accounts.add('ben', 'ben-pw')
  t.equal(await knocks(ann, 'ann', 'ann-pw'), 0)
  t.equal(await knocks(ann, 'ann', 'wrong'), 4, 'a wrong password is wrong')
  t.equal(await knocks(ann, 'ben', 'ben-pw'), 5)
  t.equal(await knocks(ann, '', await broker.token('ann')), 0)
  t.equal(await knocks(ann, '', await broker.token('ben')), 5)
  const bearer = async (user: string) => ({ authorization: `Bearer ${await broker.token(user)}` })
  t.equal(await asks(ann, await bearer('ann')), 200)
  t.equal(await asks(ann, await bearer('ben')), 401)
  t.equal(await asks(null, await bearer('ben')), 200, 'who shows no certificate logs in as ever')
  t.equal(await knocks(null, 'ben', 'ben-pw'), 0)
  const nobody = authority.issue({ cn: 'No Name' })
  t.equal(await knocks(nobody), 4)
  t.equal(await knocks(nobody, 'ben', 'ben-pw'), 5, 'one that names nobody is nobody’s')
})

t.test('a certificate that does not count is none', async (t) => {
  const revoked = authority.issue({ cn: 'lost' })
  const { knocks, asks } = await open(t, {}, { list: authority.revoke(revoked) })
  const hour = 3_600_000
  const bad = {
    over: authority.issue({ cn: 'ann', notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour }),
    'not begun': authority.issue({ cn: 'ann', notBefore: Date.now() + hour }),
    revoked,
  }
  for (const [name, certificate] of Object.entries(bad)) {
    t.equal(await knocks(certificate), 5, name)
    t.equal(await asks(certificate), 401, name)
  }
  const forged = {
    'of a stranger': new Authority().issue({ cn: 'ann' }),
    'of one who took the name of the authority': new Authority('Authority of a test').issue({ cn: 'ann' }),
  }
  for (const [name, certificate] of Object.entries(forged)) {
    // OpenSSL leaves the error of a wrong signature for what is read next: Node ends the connection, unless the first packet came in the same chunk.
    t.match(await knocks(certificate), /^(5|-1)$/, name)
    t.match(await asks(certificate).catch(({ code }) => code), /^(401|ECONNRESET)$/, name)
  }
  t.equal(await knocks(authority.issue({ cn: 'ann' })), 0)
})

t.test('where one is required, nobody comes in without', async (t) => {
  const { broker, knocks, asks } = await open(t, { required: true })
  await broker.running.accounts.add('ben', 'ben-pw')
  t.equal(await knocks(null, 'ben', 'ben-pw'), -1)
  t.equal(await knocks(new Authority().issue({ cn: 'ben' }), 'ben', 'ben-pw'), -1)
  await t.rejects(asks(null))
  t.equal(await knocks(authority.issue({ cn: 'ben' }), 'ben', 'ben-pw'), 0)
})

t.test('required, and naming nobody: the password counts alone', async (t) => {
  const { broker, knocks } = await open(t, { name: 'off', required: true })
  await broker.running.accounts.add('ben', 'ben-pw')
  const gateway = authority.issue({ cn: 'gateway' })
  t.equal(await knocks(gateway, 'ben', 'ben-pw'), 0)
  t.equal(await knocks(gateway), 5)
})

t.test('a session ends with its certificate, whatever it was renewed with', async (t) => {
  const clock = movableClock(t)
  const { broker, mqtts, shown } = await open(t)
  const notAfter = Date.now() + 60_000
  const brief = authority.issue({ cn: 'ann', notAfter })
  const ann = await Person.connect(t, broker, 'ann', { ...shown(brief), ...target(mqtts), password: '' })
  const { expiresAt } = await ann.get('auth.refresh', { token: await broker.token('ann') })
  t.ok(expiresAt <= notAfter, 'a token does not make it last')
  const gone = ann.gone()
  clock.forward(60)
  await gone
})

t.test('of alternative names each may log in, and none that only looks like one', async (t) => {
  const { knocks } = await open(t, { name: 'email' })
  const team = authority.issue({ cn: 'root', emails: ['ann@example.com', 'ben@example.com'], dns: ['dora'] })
  t.equal(await knocks(team, 'ann@example.com'), 0)
  t.equal(await knocks(team, 'ben@example.com'), 0)
  for (const other of ['', 'root', 'dora', 'carol@example.com']) t.equal(await knocks(team, other), 4, other)
  t.equal(await knocks(authority.issue({ emails: ['ann@example.com'] })), 0, 'one alone needs no user name')
  const forged = authority.issue({ emails: ['x, email:ann@example.com, email:y'] })
  t.equal(await knocks(forged, 'ann@example.com'), 4)
})

t.test('device names may be DNS names; two common names are none', async (t) => {
  const { knocks } = await open(t, { name: 'dns' })
  t.equal(await knocks(authority.issue({ dns: ['sensor-1.example.com'] }), 'sensor-1.example.com'), 0)
  const second = await open(t)
  t.equal(await second.knocks(authority.issue({ cn: ['ann', 'ben'] }), 'ann'), 4)
  t.equal(await second.knocks(authority.issue({ cn: 'anonymous' })), 4)
  t.equal(await second.knocks(authority.issue({ cn: 'ann\nCN=ben' }), 'ben'), 4)
})

t.test('a page cannot use the certificate of the browser it is open in', async (t) => {
  const own = 'https://chat.example.com'
  const { knocks, asks, wss } = await open(t, {}, { listen: { origins: [own] } })
  const ann = authority.issue({ cn: 'ann' })
  const from = (origin: string) => ({ wsOptions: { headers: { origin } } })
  t.equal(await knocks(ann, '', undefined, wss, from(own)), 0, 'unless it is listed')
  t.equal(await asks(ann, { origin: own, 'sec-fetch-site': 'cross-site' }), 200)
  const anywhere = await open(t, {}, { listen: { origins: ['*'] } })
  t.equal(await anywhere.knocks(ann, '', undefined, anywhere.wss, from('https://evil.example.com')), 5)
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example.com' },
    { 'sec-fetch-site': 'cross-site' },
    { origin: 'null' },
  ]
  for (const headers of foreign) t.equal(await anywhere.asks(ann, headers), 401, JSON.stringify(headers))
  t.equal(await anywhere.asks(ann, { 'sec-fetch-site': 'none' }), 200, 'a person who types the address may')
})

t.test('a TLS session is not resumed: each connection shows its certificate anew', async (t) => {
  const { broker } = await open(t)
  const { port } = broker.running.listeners.find(({ name }) => name === 'mqtts')!
  const { cert, key } = authority.issue({ cn: 'ann' })
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const connect = (more: object) =>
      new Promise<tls.TLSSocket>((resolve) => {
        const socket = tls.connect({ host: 'localhost', port, ca: CERTIFICATE, cert, key, maxVersion, ...more }, () =>
          resolve(socket),
        )
      })
    const first = await connect({})
    const session = first.getSession()!
    first.destroy()
    const second = await connect({ session })
    t.notOk(second.isSessionReused(), maxVersion)
    second.destroy()
  }
})

t.test('the settings need an authority', async (t) => {
  const config = (raw: object) => () => completeConfig(raw)
  t.throws(config({ auth: { x509: { name: 'cn' } } }), { message: /auth\.x509\.name: needs listen\.tls\.ca/ })
  t.throws(config({ auth: { x509: { required: true } } }), { message: /auth\.x509\.required/ })
  t.throws(config({ listen: { tls: { crl: 'x.pem' } } }), { message: /listen\.tls\.crl/ })
})
