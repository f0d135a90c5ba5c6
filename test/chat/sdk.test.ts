/** The methods of the SDK against a real broker, through both of its doors. */
import t from 'tap'
import { ChatError } from '../../client/base/chat-error.js'
import { httpCalls } from '../../client/requests/http-calls.js'
import { methods } from '../../client/requests/methods.js'
import { mqttCalls } from '../../client/requests/mqtt-calls.js'
import { requestIds } from '../../client/requests/request-ids.js'
import { ROUTES } from '../../client/requests/routes.js'
import { COMMANDS } from '../../schemas/commands.js'
import { startTestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

t.test('every command has its method, and its route', async (t) => {
  const asked: unknown[] = []
  const all = methods(async (...given) => asked.push(given) as never)
  for (const name of Object.keys(COMMANDS)) {
    const method = name.split('.').reduce<unknown>((group, key) => (group as Record<string, unknown>)[key], all)
    await (method as (...given: object[]) => unknown)({ room: 'tea' }, { timeout: 1 })
  }
  t.same(
    asked,
    Object.keys(COMMANDS).map((name) => [name, { room: 'tea' }, { timeout: 1 }]),
  )
  const routes = Object.entries(COMMANDS).map(([name, { http }]) => [name, http ? `${http.method} ${http.path}` : null])
  t.same(ROUTES, Object.fromEntries(routes), 'run npm run schemas')
  asked.length = 0
  t.equal(await all, all, 'it is no promise')
  t.same([JSON.stringify({ all }), typeof `${all}`, asked], ['{}', 'string', []], 'whoever logs it asks for nothing')
  t.equal(all.rooms.list, all.rooms.list)
})

t.test('the same methods over MQTT and over HTTP', async (t) => {
  const broker = await startTestBroker(t)
  const { client } = await Person.connect(t, broker, 'alice')
  const token = await broker.token('bob')
  const alice = methods(mqttCalls({ client, user: 'alice' }))
  const bob = methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  await alice.rooms.create({ room: 'tea', name: 'Tea' })
  await bob.rooms.join({ room: 'tea' })
  const { seq } = await bob.send({ room: 'tea', text: 'hello', mentions: ['@alice'] })
  t.match((await alice.history({ room: 'tea', limit: 1 })).messages, [{ seq, from: 'bob', text: 'hello' }])
  t.match(await alice.rooms.members({ room: 'tea', limit: 1, after: 'alice' }), {
    members: [{ user: 'bob' }],
    more: false,
  })
  t.match(await bob.rooms.members({ room: 'tea', limit: 1, after: 'alice' }), {
    members: [{ user: 'bob' }],
    more: false,
  })
  t.match((await alice.unread()).rooms, [{ room: 'tea', unread: 1, mentions: 1 }])
  const refusal = { name: 'ChatError', code: 'not_found', field: 'room' }
  await t.rejects(alice.history({ room: 'none' }), refusal)
  await t.rejects(bob.history({ room: 'none' }), refusal)
  await t.rejects(bob.auth.refresh({ token }), { code: 'not_implemented' })
  const stranger = methods(httpCalls({ url: httpUrl(broker) }))
  await t.rejects(stranger.unread(), { code: 'unauthorized' })
  const { token: own } = await stranger.auth.register({ user: 'carol', password: 'carol-pw' })
  t.match(await methods(httpCalls({ url: httpUrl(broker), token: () => own })).rooms.list(), { rooms: [] })
})

t.test('what is missing, empty or misspelt is refused alike over MQTT and over HTTP', async (t) => {
  const broker = await startTestBroker(t)
  const { client } = await Person.connect(t, broker, 'alice')
  const token = await broker.token('alice')
  const calls = [mqttCalls({ client, user: 'alice' }), httpCalls({ url: httpUrl(broker), token: () => token })]
  await methods(calls[0]!).rooms.create({ room: 'undefined' })
  const refusals = [
    ['history', {}, { code: 'bad_request', field: 'room', message: 'room is missing' }],
    ['history', { room: 'undefined', seqs: [] }, { code: 'bad_request', message: 'seqs must not be empty' }],
    ['files.links', { files: [] }, { code: 'bad_request', message: 'files must not be empty' }],
    ['histories', {}, { code: 'not_found', message: /no method histories/ }],
  ] as const
  for (const [name, params, refusal] of refusals)
    for (const call of calls) await t.rejects(call(name as 'history', params as never), refusal, name)
})

t.test('a request without an answer is told so', async (t) => {
  const broker = await startTestBroker(t)
  const { client } = await Person.connect(t, broker, 'alice')
  const alice = methods(mqttCalls({ client, user: 'alice' }))
  await alice.rooms.list()
  const asked = alice.rooms.list()
  client.stream.destroy()
  await t.rejects(asked, new ChatError('offline', 'the connection was lost'))
  const nobody = methods(httpCalls({ url: 'http://127.0.0.1:1' }))
  await t.rejects(nobody.rooms.list(), { code: 'offline', message: 'the broker did not answer' })
})

t.test('requests are told apart wherever the methods run', async (t) => {
  const whole = globalThis.crypto
  const pages = [whole, { getRandomValues: whole.getRandomValues.bind(whole) }, undefined]
  const ids = new Set<string>()
  for (const crypto of pages) {
    t.intercept(globalThis, 'crypto', { value: crypto, configurable: true })
    for (let session = 0; session < 100; session++) {
      const next = requestIds()
      for (let i = 0; i < 100; i++) ids.add(next())
    }
  }
  t.equal(ids.size, pages.length * 10_000)
})
