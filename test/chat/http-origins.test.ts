/** What pages of other origins may do over HTTP: `listen.origins`, and nothing by default. */
import { once } from 'node:events'
import http from 'node:http'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { basicLogin, fetchFrom, httpUrl } from '../helpers/http.js'

t.test('pages of other origins', async (t) => {
  const origin = 'https://chat.example.com'
  const preflight = { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } }

  t.test('any, where * is listed; never with credentials', async (t) => {
    const broker = await startTestBroker(t, { listen: { origins: ['*'] } })
    const asked = await fetchFrom(broker, '/v1/rooms', preflight)
    t.equal(asked.status, 204)
    t.match(Object.fromEntries(asked.headers), {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS, POST',
      'access-control-allow-headers': /authorization.*idempotency-key/,
    })
    const answer = await fetchFrom(broker, '/v1/rooms', { as: 'alice', headers: { origin } })
    t.equal(answer.headers.get('access-control-allow-origin'), '*')
    t.notOk(answer.headers.has('access-control-allow-credentials'))
    const refused = await fetchFrom(broker, '/v1/rooms', { headers: { origin } })
    t.equal(refused.headers.get('access-control-allow-origin'), '*', 'a page may read why it was refused')
  })

  t.test('those that are listed, and no others', async (t) => {
    const broker = await startTestBroker(t, { listen: { origins: [origin] } })
    t.equal((await fetchFrom(broker, '/v1/rooms', preflight)).headers.get('access-control-allow-origin'), origin)
    const other = { ...preflight, headers: { ...preflight.headers, origin: 'https://evil.example.com' } }
    const { headers, status } = await fetchFrom(broker, '/v1/rooms', other)
    t.equal(status, 403)
    t.notOk(headers.has('access-control-allow-origin'))
    const vary = async (path: string) =>
      (await fetchFrom(broker, path, { as: 'alice', headers: { origin } })).headers.get('vary')
    t.equal(await vary('/v1/rooms'), 'origin, authorization')
    t.equal(await vary('/'), 'origin, accept')
  })

  t.test('those of elsewhere do nothing by default, whatever they know', async (t) => {
    const broker = await startTestBroker(t)
    await broker.running.accounts.add('alice', 'alice-pw')
    const known = basicLogin('alice', 'alice-pw')
    const leave = { method: 'POST' }
    const pages: Record<string, string>[] = [
      { origin },
      { origin: 'null' },
      { origin: 'file://' },
      { origin: 'ionic://localhost' },
      { origin: httpUrl(broker).replace('127.0.0.1', 'localhost') },
      { origin: httpUrl(broker), 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' },
    ]
    for (const headers of pages) {
      const name = JSON.stringify(headers)
      for (const login of [known, { authorization: `Bearer ${await broker.token('alice')}` }, {}]) {
        const refused = await fetchFrom(broker, '/v1/rooms/lobby/leave', {
          ...leave,
          headers: { ...headers, ...login },
        })
        t.equal(refused.status, 403, name)
        t.match(refused.headers.get('content-type'), /problem\+json/)
        t.match(refused.body, { code: 'forbidden', detail: /listen\.origins/ })
      }
    }
    t.ok(broker.running.counters.get('refused.origin')! >= pages.length * 3)
    const may: Record<string, string>[] = [
      {},
      { origin: httpUrl(broker) },
      { origin: 'http://localhost:5173', 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
    ]
    for (const headers of may) {
      const { status } = await fetchFrom(broker, '/v1/rooms', { headers: { ...headers, ...known } })
      t.equal(status, 200, JSON.stringify(headers))
    }
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    const [followed] = await once(http.get(httpUrl(broker), { headers: link, agent: false }), 'response')
    t.equal(followed.resume().statusCode, 200, 'a link to here can be followed')
  })

  t.test('OPTIONS says what a path takes', async (t) => {
    const broker = await startTestBroker(t)
    const { status, headers } = await fetchFrom(broker, '/v1/rooms/lobby/members/bob', { method: 'OPTIONS' })
    t.same([status, headers.get('allow')], [204, 'DELETE, OPTIONS, PUT'])
  })
})
