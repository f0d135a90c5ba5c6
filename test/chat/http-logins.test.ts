/** Who asks over HTTP: tokens, passwords, open commands, the throttle, hooks of plugins. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { basicLogin, fetchFrom, isProblem, rawHttp } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

t.test('who asks', async (t) => {
  stillClock(t)
  const broker = await startTestBroker(t, { auth: { throttle: { attempts: 3, window: '50s' } } })
  await broker.running.accounts.add('bob', 'bob-pw:1')
  const ask = (headers: Record<string, string>) => fetchFrom(broker, '/v1/rooms', { headers })
  const token = await broker.token('alice')

  t.test('a token or a password, as MQTT takes them', async (t) => {
    const good: [string, Record<string, string>][] = [
      ['Bearer', { authorization: `Bearer ${token}` }],
      ['a scheme in other letters', { authorization: `bearer  ${token}` }],
      ['Basic, with a colon in the password', basicLogin('bob', 'bob-pw:1')],
      ['a token as the password', basicLogin('alice', token)],
      ['a token without a name', basicLogin('', token)],
    ]
    for (const [what, headers] of good) t.equal((await ask(headers)).status, 200, what)
  })

  t.test('anything else is 401, and says how', async (t) => {
    const bad: [string, Record<string, string>][] = [
      ['nothing', {}],
      ['an empty token', { authorization: 'Bearer ' }],
      ['a token that was changed', { authorization: `Bearer ${token.slice(0, -6)}AAAAAA` }],
      ['a password as a token', { authorization: 'Bearer bob-pw:1' }],
      ['a token of another user', basicLogin('bob', token)],
      ['another scheme', { authorization: 'Digest username="bob"' }],
      ['Basic without a colon', { authorization: `Basic ${Buffer.from('bob').toString('base64')}` }],
      ['no such user', basicLogin('nobody', 'x-password')],
    ]
    for (const [what, headers] of bad) {
      const answer = await ask(headers)
      t.match(answer, { status: 401, body: { code: 'unauthorized' } }, what)
      isProblem(t, answer, what)
      t.match(answer.headers.get('www-authenticate'), /Bearer realm=.*Basic realm=/, what)
    }
  })

  t.test('a token that failed is called that; a script of a page is not asked with a dialog', async (t) => {
    const { headers } = await ask({
      authorization: 'Bearer x.y.z',
      'sec-fetch-mode': 'cors',
      'sec-fetch-site': 'same-origin',
    })
    t.equal(headers.get('www-authenticate'), 'Bearer realm="TopicTalk", error="invalid_token"')
  })

  t.test('wrong passwords are throttled as at MQTT, and by the same count', async (t) => {
    for (let i = 0; i < 3; i++) t.equal((await ask(basicLogin('bob', 'wrong-pw'))).status, 401)
    const { status, headers, body } = await ask(basicLogin('bob', 'bob-pw:1'))
    t.match([status, headers.get('retry-after'), body], [429, '50', { code: 'rate_limited', retryAfter: 50 }])
    t.equal((await ask({ authorization: `Bearer ${token}` })).status, 200, 'tokens are not')
    await t.rejects(Person.connect(t, broker, 'bob', { password: 'bob-pw:1' }))
  })
})

t.test('the authenticate hook of a plugin is asked here too', async (t) => {
  const broker = await startTestBroker(t)
  const asked: unknown[] = []
  broker.running.aedes.authenticate = (client, username, password, done) => {
    asked.push([client, username, String(password)])
    done(null, username !== 'bob')
  }
  const token = await broker.token('alice')
  const headers = { authorization: `Bearer ${token}` }
  t.equal((await fetchFrom(broker, '/v1/rooms', { headers })).status, 200)
  t.match(await fetchFrom(broker, '/v1/rooms', { as: 'bob' }), { status: 401, body: { code: 'unauthorized' } })
  t.same(asked[0], [null, 'alice', token])
  broker.running.aedes.authenticate = (client, _username, _password, done) => done(null, client.id !== '')
  t.equal((await fetchFrom(broker, '/v1/rooms', { as: 'alice' })).status, 401, 'one that needs a client refuses')
})

t.test('behind a proxy, the throttle counts the client and not the proxy', async (t) => {
  const broker = await startTestBroker(t, {
    listen: { proxyProtocol: true },
    auth: { throttle: { attempts: 1, window: '50s' } },
  })
  await broker.running.accounts.add('bob', 'bob-pw')
  const status = async (address: string, password: string): Promise<string> => {
    const { authorization } = basicLogin('bob', password)
    const answer = await rawHttp(
      broker,
      `PROXY TCP4 ${address} 10.0.0.1 40000 80\r\nGET /v1/rooms HTTP/1.1\r\nHost: x\r\n` +
        `Authorization: ${authorization}\r\nConnection: close\r\n\r\n`,
    )
    return answer.slice(9, 12)
  }
  t.equal(await status('203.0.113.1', 'wrong-pw'), '401')
  t.equal(await status('203.0.113.1', 'bob-pw'), '429')
  t.equal(await status('203.0.113.2', 'bob-pw'), '200')
})

t.test('anonymous clients have no rooms here either', async (t) => {
  const broker = await startTestBroker(t, { auth: { anonymous: true } })
  const answer = await fetchFrom(broker, '/v1/rooms')
  t.match(answer, { status: 401, body: { code: 'unauthorized' } })
  t.ok(answer.headers.get('www-authenticate'))
})

t.test('open commands ask for no login, and look at none; the tokens they give log in', async (t) => {
  const broker = await startTestBroker(t, { auth: { throttle: { registrations: 2 } } })
  const post = (path: string, body: object, token?: string) =>
    fetchFrom(broker, `/v1/auth/${path}`, {
      method: 'POST',
      body,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    })
  const made = await post('register', { user: 'alice', password: 'alice-pw' })
  t.match(made, { status: 201, body: { user: 'alice' } })
  const stale = await post('token', { refreshToken: made.body.refreshToken }, 'a token that is over')
  t.equal(stale.status, 200, 'a token that is over does not stand in the way of the next')
  t.match(await post('login', { user: 'alice', password: 'wrong' }), { status: 401, body: { field: 'password' } })
  t.match(await post('invites', {}), { status: 401 })

  const { token } = (await post('login', { user: 'alice', password: 'alice-pw' })).body
  const rooms = () => fetchFrom(broker, '/v1/rooms', { headers: { authorization: `Bearer ${token}` } })
  t.equal((await rooms()).status, 200)
  t.equal((await post('logout', {}, token)).status, 200)
  t.equal((await rooms()).status, 401, 'and end at the logout')
  t.match(
    await post('logout', {}, await broker.token('alice')),
    { status: 400 },
    'a token of others is not ours to end',
  )

  await post('register', { user: 'bob', password: 'bob-pw' })
  const late = await post('register', { user: 'carol', password: 'carol-pw' })
  t.match(late, { status: 429, body: { code: 'rate_limited' } }, 'counted by address')
})

t.test('a stream whose login is voided while it is checked does not open', async (t) => {
  const broker = await startTestBroker(t)
  const token = await broker.token('alice')
  const { accounts, aedes } = broker.running
  await accounts.add('alice', 'alice-pw')
  aedes.authenticate = (_client, _username, _password, done) =>
    void accounts.voidTokens('alice').then(() => done(null, true))
  const { status, text } = await fetchFrom(broker, '/v1/events', { headers: { authorization: `Bearer ${token}` } })
  t.equal(status, 200)
  t.notMatch(text, /data:/, 'and it is at its end')
})
