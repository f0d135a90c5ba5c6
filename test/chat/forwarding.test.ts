/** Passing on what others said: their words, their name, and no more than one may know. */
import t from 'tap'
import { fetchFrom } from '../helpers/http.js'
import { people, privateRoom } from '../helpers/rooms.js'

t.test('a forwarded message has the words of now and says whose they are, through every door', async (t) => {
  const { broker, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await alice.get('rooms.create', { room: 'news' })
  await privateRoom('den', bob, carol)
  const attachments = [{ type: 'image', url: 'https://example.com/a.png' }]
  await alice.say('news', { text: 'first', attachments, data: { n: 1 }, mentions: ['@carol'] })
  await alice.say('news', { type: 'edit', target: 1, text: 'second', mentions: ['@carol'] })
  await bob.get('rooms.join', { room: 'news' })
  await carol.subscribe(['rooms/den/messages', 'users/carol/messages'])
  const forward = { room: 'news', seq: 1 }
  await bob.say('den', { forward })
  await bob.tell('carol', { forward })
  const sent = { method: 'POST', as: 'bob', body: { forward } }
  t.equal((await fetchFrom(broker, '/v1/rooms/den/messages', sent)).status, 201)
  const source = { from: 'alice', ts: Number, room: 'news', seq: 1 }
  const received = [...(await carol.on('rooms/den/messages', 2)), ...(await carol.on('users/carol/messages', 1))]
  for (const message of received) {
    t.match(message, { type: 'text', text: 'second', from: 'bob', forwarded: source })
    for (const field of ['forward', 'mentions', 'data', 'attachments']) t.notOk(field in message, field)
  }
  t.match(await carol.get('unread', { room: 'den' }), { rooms: [{ mentions: 0, unread: 2 }] })
  await carol.say('den', { forward: { room: 'den', seq: 1 } })
  t.match((await carol.on('rooms/den/messages', 3))[2], { from: 'carol', text: 'second', forwarded: source }, 'again')
})

t.test('where it was said is kept from those who may not know of the room', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await privateRoom('den', alice, bob)
  await alice.get('rooms.create', { room: 'pub' })
  await bob.get('rooms.join', { room: 'pub' })
  await carol.subscribe('rooms/pub/messages')
  await alice.say('den', { temp: 21 })
  await alice.tell('bob', 'between us')
  await bob.say('pub', { forward: { room: 'den', seq: 1 } })
  await bob.say('pub', { forward: { room: '@alice', seq: 1 } })
  const [data, text] = await carol.on('rooms/pub/messages', 2)
  t.match(data, { type: 'custom', data: { temp: 21 } })
  t.match(text, { type: 'text', text: 'between us' })
  for (const { forwarded } of [data, text]) t.same(Object.keys(forwarded).sort(), ['from', 'ts'])
  await bob.say('den', { forward: { room: 'den', seq: 1 } })
  const { messages } = await alice.get('history', { room: 'den' })
  t.match(messages[1], { forwarded: { room: 'den', seq: 1 } }, 'who reads it there may know')
})

t.test('only what one may read, and what is there, is forwarded; and nobody writes the origin', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  const root = await connect('root', { roles: ['admin'] })
  await privateRoom('den', alice)
  await bob.get('rooms.create', { room: 'mine' })
  await alice.say('den', 'secret')
  for (const text of ['gone', 'kept']) await bob.say('mine', text)
  await bob.say('mine', { type: 'delete', target: 1 })
  const refused = async (message: object) => {
    const { error } = await bob.send('rooms/mine/messages', message)
    return `${error.code} ${error.field}`
  }
  t.equal(await refused({ forward: { room: 'den', seq: 1 } }), 'not_found forward.room')
  t.equal(await refused({ forward: { room: 'dm:alice:carol', seq: 1 } }), 'not_found forward.room')
  t.equal(await refused({ forward: { room: 'mine', seq: 1 } }), 'not_found forward.seq')
  t.equal(await refused({ forward: { room: 'mine', seq: 3 } }), 'bad_request forward.seq')
  t.equal(await refused({ forward: { room: 'mine', seq: 99 } }), 'not_found forward.seq')
  t.equal(await refused({ forward: { room: 'mine' } }), 'bad_request seq')
  t.equal(await refused({ forward: { room: 'mine', seq: 2 }, text: 'and I say' }), 'bad_request text')
  t.equal(await refused({ text: 'hi', forwarded: { from: 'alice', ts: 1 } }), 'bad_request forwarded')
  t.equal(await bob.fails('send', { room: 'mine', text: 'hi', forwarded: { from: 'alice' } }), 'bad_request forwarded')
  await bob.say('mine', { forward: { room: 'mine', seq: 2 } })
  t.equal(await refused({ type: 'edit', target: 4, text: 'she said' }), 'forbidden target')
  const announced = await root.refused('broadcast/all', { forward: { room: 'mine', seq: 2 } })
  t.match(announced, { error: { code: 'bad_request', field: 'forward' } })
})

t.test('a retry is the same although the origin is gone; what disappears takes its copies along', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den' })
  await alice.say('den', 'one')
  await alice.say('den', { text: 'brief', ttl: 3600 })
  const forward = { cid: 'f1', forward: { room: 'den', seq: 1 } }
  const first = await alice.send('users/bob/messages', forward)
  await alice.say('den', { type: 'delete', target: 1 })
  t.same((await alice.send('users/bob/messages', forward)).result, first.result)
  t.match(await alice.send('users/bob/messages', { ...forward, cid: 'f2' }), { error: { code: 'not_found' } })
  await bob.tell('alice', 'hello')
  await alice.tell('bob', { forward: { room: 'den', seq: 2 } })
  t.match(await alice.get('history', { room: '@bob' }), {
    messages: [{ text: 'one' }, { text: 'hello' }, { text: 'brief' }],
  })
  const { log } = broker.running.store
  const end = async (name: string, seq: number) => (await log.read(name, seq - 1, 1, 1))[0]?.extra?.expiresAt
  const [origin, copy] = [await end('m:den', 2), await end('m:dm:alice:bob', 3)]
  t.ok(Math.abs(origin! - copy!) < 1000, 'it ends with the origin')
})

t.test('filters and policies look at what is forwarded', async (t) => {
  const filters = [{ match: 'words', patterns: ['darn'], action: 'mask', rooms: ['den'] }]
  const { alice } = await people(t, ['alice'], { moderation: { filters } })
  await alice.get('rooms.create', { room: 'den', policies: { customData: 'deny' } })
  await alice.get('rooms.create', { room: 'pub' })
  await alice.say('pub', 'darn it')
  await alice.say('pub', { temp: 21 })
  await alice.subscribe('rooms/den/messages')
  await alice.say('den', { forward: { room: 'pub', seq: 1 } })
  t.match(await alice.on('rooms/den/messages', 1), [{ text: '**** it', forwarded: { from: 'alice', room: 'pub' } }])
  const denied = await alice.refused('rooms/den/messages', { forward: { room: 'pub', seq: 2 } })
  t.match(denied, { error: { code: 'forbidden', field: 'data' } })
})
