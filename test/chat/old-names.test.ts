/** Names that parameters and fields had before, beside those they have now, through both doors. */
import t, { type Test } from 'tap'
import { fetchFrom, requestOf } from '../helpers/http.js'
import type { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

// biome-ignore lint/suspicious/noExplicitAny: a result is any JSON
type Json = any

/** Either door, as alice: a result, or a code with its field. */
async function doors(t: Test) {
  const { broker, alice } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den' })
  const said = ({ code, field }: Json): string => `${code} ${field}`
  const mqtt = async (name: Parameters<Person['ask']>[0], params: Record<string, unknown>): Promise<Json> => {
    const reply = await alice.ask(name, params)
    return reply.ok ? reply.result : said(reply.error)
  }
  const http = async (name: string, params: Record<string, unknown>): Promise<Json> => {
    const { path, request } = requestOf(name, params)
    const { status, body } = await fetchFrom(broker, path, { ...request, as: 'alice' })
    return status < 300 ? body : said(body)
  }
  return { mqtt, http, broker, alice }
}

t.test('parameters are taken under either name, and refused under the one that was sent', async (t) => {
  const { mqtt, http, broker } = await doors(t)
  for (const ask of [mqtt, http]) {
    for (const name of ['query', 'prefix']) {
      t.match(await ask('users.search', { [name]: 'BO' }), { users: [{ user: 'bob' }] })
      t.equal(await ask('users.search', { [name]: '' }), `bad_request ${name}`)
    }
    t.match(await ask('users.search', { query: 'bo', prefix: 'bo' }), { users: [{ user: 'bob' }] }, 'both, the same')
    t.equal(await ask('users.search', { query: 'bo', prefix: 'al' }), 'bad_request prefix', 'both, and they differ')
    t.equal(await ask('users.search', {}), 'bad_request query')

    for (const name of ['expiresIn', 'expires']) {
      const made = await ask('rooms.links.create', { room: 'den', [name]: 60 })
      t.equal(made.expiresAt - made.at, 60_000)
      t.equal(await ask('rooms.links.create', { room: 'den', [name]: 'soon' }), `bad_request ${name}`)
    }
    const { keyId } = await ask('keys.create', { name: 'laptop' })
    t.same(await ask('keys.revoke', { keyId }), {})
    t.equal(await ask('keys.revoke', { keyId }), 'not_found keyId')
  }
  const { keyId: key } = await mqtt('keys.create', { name: 'phone' })
  t.same(await mqtt('keys.revoke', { key }), {})
  t.equal(await mqtt('keys.revoke', { key }), 'not_found key')
  const url = `/v1/keys/${key}?key=another`
  t.match((await fetchFrom(broker, url, { method: 'DELETE', as: 'alice' })).body, { code: 'bad_request', field: 'key' })
})

t.test('results name a thing by what requests take it by, and by what they named it by before', async (t) => {
  const { mqtt, http } = await doors(t)
  for (const [at, ask] of Object.entries({ mqtt, http })) {
    const room = `room-${at}`
    t.match(await ask('rooms.create', { room }), { room, id: room })
    t.match(await ask('rooms.get', { room }), { room, id: room })
    t.match(await ask('sessions.list', {}), { sessions: [{ session: /./, id: /./ }] })
    const link = await ask('rooms.links.create', { room, expiresIn: 60 })
    t.equal(link.expires, link.expiresAt)
    const key = await ask('keys.create', { name: 'laptop' })
    t.equal(key.id, key.keyId)
    const device = `lamp-${at}`
    await ask('devices.register', { device })
    const bridge = await ask('devices.bridge', { device, filter: 'alarms/#', room })
    t.equal(bridge.id, bridge.bridge)
    t.same(await ask('devices.unbridge', { device, bridge: bridge.bridge }), {})
    const report = await ask('reports.create', { user: 'bob', reason: 'spam' })
    t.equal(report.id, report.report)
  }
})
