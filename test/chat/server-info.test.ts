/** What anyone may know of the broker, before a login. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

t.test('it is told without a login over HTTP, and to users over MQTT', async (t) => {
  const broker = await startTestBroker(t, {
    server: { name: 'Tea House' },
    auth: { registration: 'invite' },
    history: { editWindow: '5m' },
    policies: { links: 'deny' },
    search: { enabled: false },
  })
  const { status, text } = await fetchFrom(broker, '/v1/server')
  t.equal(status, 200)
  const info = JSON.parse(text)
  t.match(info, {
    name: 'Tea House',
    wsPath: '/mqtt',
    login: { registration: 'invite', totp: true, oidc: null, anonymous: false },
    limits: { payloadBytes: 65536, editWindow: 300 },
    features: { search: false, delivered: true, createRooms: 'user', autoCreate: false, registerDevices: 'admin' },
    policies: { links: 'deny', attachments: { max: 32 } },
  })
  const bob = await Person.connect(t, broker, 'bob')
  t.same(await bob.get('server.info'), info)
})

t.test('it follows what changes in a running broker, and tells no secret', async (t) => {
  const secret = 'a-secret-of-at-least-thirty-two-bytes'
  const provider = { issuer: 'https://id.example.com', clientId: 'tea', clientSecret: 'hush-hush' }
  const oidc = { ...provider, redirectUri: 'https://tea/v1/auth/oidc/callback', returnTo: ['https://tea/app'] }
  const broker = await startTestBroker(t, { auth: { jwt: { secret }, oidc } })
  const ask = async () => (await fetchFrom(broker, '/v1/server')).text
  const text = await ask()
  t.equal(JSON.parse(text).features.registerDevices, 'user')
  t.match(JSON.parse(text).login.oidc, { start: '/v1/auth/oidc/start' })
  for (const hidden of [secret, 'hush-hush', 'id.example.com', broker.config.node.dataDir])
    t.notOk(text.includes(hidden), hidden)
  broker.config.auth.registration = 'closed'
  const closed = JSON.parse(await ask())
  t.equal(closed.login.registration, 'closed')
  t.equal(closed.features.registerDevices, 'admin', 'as devices.register refuses it')
})
