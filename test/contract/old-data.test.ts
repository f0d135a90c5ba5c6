/**
 * Data directories made by the brokers of earlier commits (test/fixtures/make-data.mjs) are opened by this one: what they hold is there, and works.
 * The clock is set to ten minutes after they were made, so that the tests do not age.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { codeOf } from '../helpers/authenticator-app.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { EventReader } from '../helpers/event-reader.js'
import { fetchFrom } from '../helpers/http.js'
import { Person, type PersonOptions, textOf } from '../helpers/people.js'
import { Receiver } from '../helpers/receiver.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

interface OldData {
  commit: string
  madeAt: number
  config: Overrides
  facts: Json
  /** User, request, parameters, and what the broker of then answered. */
  answers: [string, string, object, Json][]
  files: Record<string, string>
}

const FIXTURES = new URL('../../../test/fixtures/', import.meta.url)
const LATER = 10 * 60_000

/** Both `Date.now()` and `new Date()` are at `ms` now. */
function clockAt(t: Test, ms: number): void {
  const Original = globalThis.Date
  const ahead = ms - Original.now()
  globalThis.Date = class extends Original {
    constructor(...given: [] | [number]) {
      super(...((given.length === 0 ? [Original.now() + ahead] : given) as [number]))
    }
    static override now = (): number => Original.now() + ahead
  } as DateConstructor
  t.teardown(() => {
    globalThis.Date = Original
  })
}

async function opened(t: Test, commit: string) {
  const file = await readFile(new URL(`data-${commit}.json.gz`, FIXTURES))
  const data: OldData = JSON.parse(gunzipSync(file).toString())
  clockAt(t, data.madeAt + LATER)
  const dataDir = await mkdtemp(join(tmpdir(), 'topictalk-old-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  for (const [name, bytes] of Object.entries(data.files)) {
    await mkdir(dirname(join(dataDir, name)), { recursive: true })
    await writeFile(join(dataDir, name), Buffer.from(bytes, 'base64'))
  }
  const broker = await startTestBroker(t, { ...data.config, node: { dataDir } })
  const connect = (user: string, options: PersonOptions = {}) =>
    Person.connect(t, broker, user, { clientId: `${user}-now`, ...options })
  return { broker, connect, ...data }
}

/** Of `now`, what `then` has too: newer versions add fields. */
function asThen(then: Json, now: Json): Json {
  if (Array.isArray(then) && Array.isArray(now)) return now.map((item, i) => asThen(then[i], item))
  // What a room without a setting of its own is said to have since there are settings for all rooms, which are `all` until they are changed.
  if (then === 'all' && now === 'default') return then
  if (then === null || now === null || typeof then !== 'object' || typeof now !== 'object') return now
  return Object.fromEntries(Object.keys(then).map((key) => [key, asThen(then[key], now[key])]))
}

const post = (broker: TestBroker, path: string, body: object) => fetchFrom(broker, path, { method: 'POST', body })
const texts = (person: Person, topic: string) =>
  person.heard.filter((message) => message.topic === topic).map(({ payload }) => textOf(payload))

for (const commit of ['baad143', '5dccf94'])
  t.test(`a data directory of ${commit}`, async (t) => {
    const { broker, connect, facts, answers, commit: madeBy } = await opened(t, commit)
    t.equal(madeBy, commit)
    const root = await connect('root', { roles: ['admin'] })
    const people = new Map([['root', root]])
    for (const user of ['ann', 'ben', 'cy', 'dan', 'eve', 'fay', 'guest']) people.set(user, await connect(user))
    const { ann, ben, cy, eve, fay } = Object.fromEntries(people) as Record<string, Person>

    await t.test('requests are answered as then', async (t) => {
      // Somebody joined a room and wrote to it after these questions.
      const varying = new Set(['unread', 'rooms.list'])
      for (const [user, method, params, then] of answers) {
        const now = await people.get(user)!.get(method, params)
        const what = `${user} ${method} ${JSON.stringify(params)}`
        if ((params as Json).room === 'late' || varying.has(method)) continue
        t.same(asThen(then, now), then, what)
      }
    })

    await t.test('a room that was deleted and made anew has the messages of its second life', async (t) => {
      const { messages } = await ben!.get('history', { room: 'late' })
      t.same(
        messages.map(({ seq, text }: Json) => [seq, text]),
        [
          [1, 'anew 1'],
          [2, 'anew 2'],
          [3, 'the last word'],
        ],
      )
      t.match(messages[2], { id: facts.last.id, seq: facts.last.seq, ts: facts.last.ts })
    })

    await t.test('a position of then gets what came since', async (t) => {
      const { epoch, rooms } = facts.sync
      const places = Object.fromEntries(rooms.map(({ room, at }: Json) => [room, at]))
      const synced = await ann!.get('sync', { epoch, rooms: places })
      t.match(synced, { epoch, left: [] })
      const tea = synced.rooms.find(({ room }: Json) => room === 'tea')
      t.match(tea, { reset: false, info: { topic: 'Leaves and water' } })
      t.same(
        tea.messages.map(({ text }: Json) => text),
        ['while away 1', 'while away 2', 'while away 3'],
      )
      const path = `/v1/events?filter=${encodeURIComponent('rooms/+/messages')}`
      const events = await EventReader.open(t, broker, path, { as: 'cy', headers: { 'last-event-id': facts.eventId } })
      await events.until(() => events.events.filter(({ type }) => type === 'message').length >= 3)
      t.same(
        events.events.map(({ type, data }) => [type, data.message?.text]),
        [
          ['message', 'while away 1'],
          ['message', 'while away 2'],
          ['message', 'while away 3'],
        ],
      )
      events.response.destroy()
    })

    await t.test('sessions get exactly what they missed', async (t) => {
      const phone = await connect('ben', { clientId: 'phone', clean: false })
      await phone.hears('while away, to ben')
      await phone.hears('while away 3')
      await phone.on('rooms/tea/events', 1)
      t.same(texts(phone, 'rooms/tea/messages'), ['while away 1', 'while away 2', 'while away 3'])
      t.same(texts(phone, 'users/ben/messages'), ['while away, to ben'])
      t.match(phone.inbox.json('rooms/tea/events'), [{ type: 'updated', by: 'ann' }])
      const watch = await connect('dan', { clientId: 'watch', clean: false })
      await watch.hears('while away 3')
      t.same(texts(watch, 'rooms/tea/messages'), [
        'for the phone, live',
        'while away 1',
        'while away 2',
        'while away 3',
      ])
      t.ok(watch.heard[0]!.dup, 'what was not acknowledged is sent again')
      const properties = { sessionExpiryInterval: 600 }
      const panel = await connect('cy', { clientId: 'panel', clean: false, protocolVersion: 5, properties })
      await panel.inbox.wait(3)
      t.same(panel.heard.map(({ payload, qos }) => [payload.toString(), qos]).sort(), [
        ['alarm 1', 1],
        ['alarm 2', 2],
        ['alarm 3', 1],
      ])
      const worker = await connect('dan', { clientId: 'worker', clean: false })
      await worker.inbox.wait(3)
      t.same(texts(worker, 'plant/jobs'), ['job 1', 'job 2', 'job 3'])
      await ann!.say('tea', 'and live')
      for (const person of [phone, watch]) await person.hears('and live')
    })

    await t.test('retained messages and wills', async (t) => {
      await broker.running.aedes.sweepWills()
      const reader = await connect('ann', { clientId: 'reader' })
      await reader.subscribe(['plant/+/state', 'plant/will', 'devices/lamp/battery', 'broadcast/news'])
      await reader.hears('dan is gone')
      t.same(reader.lines.sort(), [
        'broadcast/news Hello, all',
        'devices/lamp/battery 80',
        'plant/1/state running',
        'plant/will dan is gone',
      ])
    })

    await t.test('a retried message has its first number, the next one the next', async (t) => {
      const { cid, text, id, seq, ts } = facts.retried
      t.match(await ann!.send('rooms/tea/messages', { cid, text }), { ok: true, result: { id, seq, ts } })
      t.match(await ann!.send('rooms/tea/messages', { cid, text: 'other' }), { error: { code: 'conflict' } })
      const { messages } = await ann!.get('history', { room: 'tea', limit: 1 })
      t.match(await ann!.send('rooms/tea/messages', { text: 'new' }), { result: { seq: messages[0].seq + 1 } })
      t.match(await ben!.send('rooms/late/messages', { text: 'new' }), { result: { seq: facts.last.seq + 1 } })
    })

    await t.test('rights are what they were', async (t) => {
      t.equal(await fay!.fails('rooms.join', { room: 'tea' }), 'forbidden')
      t.match(await eve!.send('rooms/tea/messages', { text: 'muted' }), { error: { code: 'forbidden' } })
      t.match(await cy!.send('rooms/vault/messages', { text: 'reader' }), { error: { code: 'forbidden' } })
      t.match(await ann!.send('rooms/tea/messages', { text: 'coffee' }), { error: { code: 'forbidden' } })
      t.match(await fay!.send('users/dan/messages', { text: 'blocked' }), { ok: false })
      t.equal(await fay!.fails('rooms.join', { room: 'vault' }), 'not_found room')
      await eve!.get('rooms.join', { room: 'vault' })
      await fay!.get('rooms.join', { room: 'vault', link: facts.link.link })
      await ann!.get('rooms.approve', { room: 'club', user: 'fay' })
    })

    await t.test('devices, bots and webhooks go on', async (t) => {
      const lamp = await connect('lamp', { clientId: 'lamp' })
      const done = await ben!.get('devices.commands', { device: 'lamp' })
      t.match(done.commands, [{ id: facts.command.id, state: 'pending' }])
      await lamp.publish('devices/lamp/alarms/heat', '70 degrees')
      const bridged = async () => {
        const { messages } = await ann!.get('history', { room: 'tea', limit: 1 })
        return messages[0]
      }
      while ((await bridged()).from !== 'lamp') await new Promise((resolve) => setTimeout(resolve, 20))
      const bot = await connect('helper', { password: facts.bot.key.key })
      t.match(await bot.send('rooms/tea/messages', { text: 'brewed' }), { ok: true })
      const receiver = await Receiver.start(t)
      await root.get('webhooks.update', { webhook: 'hook', url: receiver.url })
      await root.get('webhooks.retry', { webhook: 'hook' })
      const named = (text: string) => receiver.wait(1, ({ json }) => JSON.stringify(json).includes(text))
      await named('brewed')
      const told = receiver.received.map(({ body }) => /told to the webhook|while away \d|brewed/.exec(body)?.[0])
      t.same(
        told.filter((text) => text !== undefined),
        ['told to the webhook', 'while away 1', 'while away 2', 'while away 3', 'brewed'],
      )
      const { results } = await ann!.get('search', { query: 'picture' })
      t.equal(results.length, 1)
    })

    await t.test('passwords, keys, logins, second factors, invitations and reset tokens', async (t) => {
      await connect('ben', { password: facts.passwords.ben, clientId: 'by-password' })
      await connect('ann', { password: facts.key.key, clientId: 'by-key' })
      const login = { user: 'ann', password: facts.passwords.ann }
      t.equal((await post(broker, '/v1/auth/login', login)).status, 200)
      t.equal((await post(broker, '/v1/auth/login', { ...login, password: 'another' })).status, 401)
      const renewed = await post(broker, '/v1/auth/token', { refreshToken: facts.refreshTokens.ann })
      t.equal(renewed.status, 200)
      await connect('ann', { password: renewed.body.accessToken, clientId: 'by-token' })
      const guarded = { user: 'eve', password: facts.passwords.eve }
      t.equal((await post(broker, '/v1/auth/login', guarded)).status, 401)
      const code = codeOf(facts.secondFactor.secret)
      t.equal((await post(broker, '/v1/auth/login', { ...guarded, code })).status, 200)
      const recovery = { ...guarded, code: facts.secondFactor.recoveryCodes[0] }
      t.equal((await post(broker, '/v1/auth/login', recovery)).status, 200)
      t.equal((await post(broker, '/v1/auth/login', recovery)).status, 401)
      const invited = { user: 'gil', password: 'password of gil', invite: facts.invitation.invite }
      t.equal((await post(broker, '/v1/auth/register', invited)).status, 201)
      const password = 'another password'
      const reset = await post(broker, '/v1/auth/reset-password', { token: facts.reset.token, password })
      t.ok(reset.status < 300)
      await connect('dan', { password, clientId: 'by-new-password' })
    })

    await t.test('closed and opened again, it is the same', async (t) => {
      const before = await ann!.get('history', { room: 'tea', limit: 100 })
      await broker.restart()
      const again = await connect('ann', { clientId: 'again' })
      t.same(await again.get('history', { room: 'tea', limit: 100 }), before)
    })
  })
