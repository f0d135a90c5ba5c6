/**
 * What is not there for someone looks as if it were nowhere: whoever asks about a private room, a direct conversation or a user who blocks
 * them is answered as about one that does not exist, to the byte but for the name. All commands of the table are asked, those of
 * tomorrow included: each has a valid request among its cases (test/helpers/command-cases.ts).
 */
import t, { type Test } from 'tap'
import { COMMANDS, type Command } from '../../schemas/commands.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { casesOf } from '../helpers/command-cases.js'
import { fetchFrom, requestOf } from '../helpers/http.js'
import { subscribe5 } from '../helpers/mqtt5.js'
import { Person } from '../helpers/people.js'
import { open, take } from '../helpers/protocol.js'

const table = Object.entries(COMMANDS as Record<string, Command>)
const takes = (key: string) => table.filter(([, { params }]) => Object.hasOwn(params.properties, key))

/** Alike in length, so that only the name differs. */
const HIDDEN = 'den-1'
const MISSING = 'den-2'

/** That a name is taken cannot be hidden from those who may use it. */
const NAMES_ROOMS = new Set(['rooms.create'])

/** alice has a private room with bob, and writes with bob; the others are strangers to both, each in a way of their own. */
async function cast(t: Test) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const connect = (user: string) => Person.connect(t, broker, user)
  const [alice, bob, carol, dora, eve] = await Promise.all(['alice', 'bob', 'carol', 'dora', 'eve'].map(connect))
  await alice!.get('rooms.create', { room: HIDDEN, access: 'private', name: 'Secret', topic: 'secret' })
  for (const person of [bob!, carol!, dora!]) {
    await alice!.get('rooms.invite', { room: HIDDEN, user: person.user })
    await person.get('rooms.join', { room: HIDDEN })
  }
  await alice!.say(HIDDEN, 'a secret')
  await alice!.tell('bob', 'a secret')
  await alice!.get('rooms.mute', { room: HIDDEN, user: 'dora' })
  await alice!.get('rooms.ban', { room: HIDDEN, user: 'carol' })
  await alice!.get('rooms.remove', { room: HIDDEN, user: 'dora' })
  const strangers = { 'who was banned': carol!, 'who was removed': dora!, 'who was never there': eve! }
  return { broker, alice: alice!, strangers }
}

/** The valid request of a command, about another room. */
function about(name: string, room: string): Record<string, unknown> {
  const params = casesOf(name).happy.params
  const filled = JSON.stringify({ ...params, room }).replace(/\{[a-z ]+\}/g, 'x')
  return JSON.parse(filled)
}

async function throughHttp(broker: TestBroker, as: string, name: string, params: Record<string, unknown>) {
  const { path, request } = requestOf(name, params)
  const { status, text, headers } = await fetchFrom(broker, path, { ...request, as })
  // The tag is a hash of the body, name included.
  const shown = [...headers].filter(([key]) => key !== 'date' && key !== 'etag')
  return { status, text, headers: shown }
}

/** Everything of an answer, with one name for both rooms. */
function unnamed(answer: unknown, ...rooms: string[]): string {
  return rooms.reduce((text, room) => text.replaceAll(room, 'ROOM'), JSON.stringify(answer))
}

t.test('a private room looks like one that is not there, through every command', async (t) => {
  const { broker, strangers } = await cast(t)
  for (const [who, stranger] of Object.entries(strangers)) {
    for (const [name, { http }] of takes('room').filter(([name]) => !NAMES_ROOMS.has(name))) {
      const ask = async (room: string) => {
        const { re: _, ...reply } = await stranger.ask(name, about(name, room))
        const route = http ? await throughHttp(broker, stranger.user, name, about(name, room)) : null
        return unnamed({ reply, route }, room)
      }
      const missing = await ask(MISSING)
      t.notMatch(missing, 'bad_request', `${name}: a valid request`)
      t.equal(await ask(HIDDEN), missing, `${name}, asked by one ${who}`)
    }
  }
})

t.test('so does the direct conversation of others', async (t) => {
  const { broker, strangers } = await cast(t)
  const eve = strangers['who was never there']
  for (const [name, { http }] of takes('room')) {
    const ask = async (room: string) => {
      const { re: _, ...reply } = await eve.ask(name, about(name, room))
      const route = http ? await throughHttp(broker, 'eve', name, about(name, room)) : null
      return unnamed({ reply, route }, room, encodeURIComponent(room))
    }
    t.equal(await ask('dm:alice:bob'), await ask('dm:alice:zed'), name)
  }
})

t.test('places in rooms that sync is asked about tell nothing', async (t) => {
  const { strangers } = await cast(t)
  for (const [who, stranger] of Object.entries(strangers)) {
    const ask = async (room: string) => {
      // The token has the time.
      const { since: _, ...answer } = await stranger.get('sync', { rooms: { [room]: { seq: 1 } } })
      return unnamed(answer, room)
    }
    t.equal(await ask(HIDDEN), await ask(MISSING), who)
  }
})

t.test('a private room looks like one that is not there on its topics too', async (t) => {
  const { broker, strangers } = await cast(t)
  for (const [who, { user }] of Object.entries(strangers)) {
    for (const leaf of ['messages', 'text', 'events', 'receipts', 'typing', 'info', '#']) {
      const answers = [HIDDEN, MISSING].map(async (room) => {
        const topic = `rooms/${room}/${leaf}`
        const client = await open(broker, { user, id: room, version: 5 })
        client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] })
        const suback = await take(client, 'suback')
        if (leaf === '#') return unnamed([suback], room)
        client.send({ cmd: 'publish', topic, payload: '{"read":1}', qos: 1, messageId: 1, dup: false, retain: false })
        return unnamed([suback, await take(client, 'puback')], room)
      })
      const [hidden, missing] = await Promise.all(answers)
      t.equal(hidden, missing, `${leaf}, asked by one ${who}`)
    }
    const streams = [HIDDEN, MISSING].map(async (room) => {
      const path = `/v1/events?filter=rooms/${room}/messages`
      const { status, text } = await fetchFrom(broker, path, { as: user })
      return unnamed([status, text], room)
    })
    const [hidden, missing] = await Promise.all(streams)
    t.equal(hidden, missing, `a stream, asked by one ${who}`)
  }
})

t.test('commands about a user tell a stranger nothing of what is theirs', async (t) => {
  const { broker, alice, strangers } = await cast(t)
  const eve = strangers['who was never there']
  await alice.publish('users/alice/presence', { status: 'a secret' })
  await alice.get('contacts.request', { user: 'bob' })
  const secrets = /secret|den-1|dm:alice:bob|bob|alice-\d/i
  for (const [name, { http, open: isOpen }] of takes('user')) {
    if (isOpen) continue
    const params = { ...about(name, MISSING), user: 'alice' }
    if (!Object.hasOwn(COMMANDS[name as keyof typeof COMMANDS].params.properties, 'room'))
      delete (params as { room?: string }).room
    const { re: _, ...reply } = await eve.ask(name, params)
    t.notMatch(JSON.stringify(reply), secrets, name)
    if (http) t.notMatch((await throughHttp(broker, 'eve', name, params)).text, secrets, `${name} through HTTP`)
  }
})

t.test('the presence of a user one may not see looks like that of nobody', async (t) => {
  const { broker } = await cast(t)
  const client = await open(broker, { user: 'eve', id: 'looks', version: 5 })
  const ask = async (user: string) => {
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `users/${user}/presence`, qos: 1 }] })
    return unnamed(await take(client, 'suback'), user)
  }
  t.equal(await ask('alice'), await ask('nobdy'))
  t.same(await subscribe5(client, 'users/+/presence'), [1])
  const own = await take(client, 'publish')
  t.equal(own.topic, 'users/eve/presence', 'only one’s own')
  t.same(client.pending, [])
})
