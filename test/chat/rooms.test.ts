/** Rooms: how they are made, changed, filled and deleted, and what those in them are told. */
import t from 'tap'
import { heardOfDen } from '../helpers/den.js'
import { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

const LASTING = { clean: false } as const

t.test('the life of a room, as those in it are told', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await alice.subscribe(['rooms/+/events', 'users/alice/events'])
  await bob.subscribe(['rooms/+/events', 'users/bob/events'])
  const created = await alice.get('rooms.create', { room: 'den', access: 'private', name: 'The Den', topic: 'secrets' })
  t.match(created, {
    id: 'den',
    access: 'private',
    direct: false,
    name: 'The Den',
    topic: 'secrets',
    avatar: null,
    createdBy: 'alice',
    members: 1,
    role: 'owner',
    head: 0,
  })
  t.same(await alice.get('rooms.invite', { room: 'den', user: 'bob' }), {})
  t.match(await bob.get('rooms.join', { room: 'den' }), { id: 'den', members: 2, role: 'member' })
  t.match(await bob.get('rooms.join', { room: 'den' }), { members: 2 }, 'joining twice is joining once')
  t.match(await alice.get('rooms.update', { room: 'den', name: null, avatar: 'https://x/y.png' }), {
    name: null,
    topic: 'secrets',
    avatar: 'https://x/y.png',
  })
  t.match(await alice.get('rooms.update', { room: 'den', user: 'bob', role: 'admin' }), { user: 'bob', role: 'admin' })
  t.same(
    (await bob.get('rooms.members', { room: 'den' })).members.map(({ user, role }: { user: string; role: string }) => [
      user,
      role,
    ]),
    [
      ['alice', 'owner'],
      ['bob', 'admin'],
    ],
  )
  t.match(await bob.get('rooms.list'), { rooms: [{ id: 'den', role: 'admin', members: 2 }], more: false })
  t.match(await bob.get('rooms.list', { scope: 'public' }), { rooms: [{ id: 'lobby', role: null }], more: false })
  await bob.get('rooms.leave', { room: 'den' })
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  await alice.get('rooms.delete', { room: 'den' })
  t.same(await alice.get('rooms.list'), { rooms: [], more: false })

  const events = await alice.on('rooms/den/events', 10)
  t.same(
    events.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  t.match(events, [
    { type: 'created', room: 'den', by: 'alice', id: /^[0-9a-f-]{36}$/, ts: Number },
    { type: 'invited', user: 'bob', by: 'alice' },
    { type: 'joined', user: 'bob' },
    { type: 'updated', by: 'alice' },
    { type: 'role', user: 'bob', by: 'alice', role: 'admin' },
    { type: 'left', user: 'bob' },
    { type: 'invited', user: 'bob' },
    { type: 'joined', user: 'bob' },
    { type: 'removed', user: 'bob', by: 'alice' },
    { type: 'deleted', by: 'alice' },
  ])
  t.match(await bob.on('users/bob/events', 5), [
    { seq: 1, type: 'invited', room: 'den', by: 'alice' },
    { seq: 2, type: 'role', room: 'den', by: 'alice', role: 'admin' },
    { seq: 3, type: 'left', room: 'den', by: 'bob' },
    { seq: 4, type: 'invited', room: 'den', by: 'alice' },
    { seq: 5, type: 'removed', room: 'den', by: 'alice' },
  ])
  const seen = (await bob.on('rooms/den/events', 5)).map(({ type }) => type)
  t.same(seen.slice(0, 4), ['joined', 'updated', 'role', 'left'], 'bob hears of the room while he is in it')
  t.match(
    await alice.on('users/alice/events', 1),
    [{ seq: 1, type: 'deleted', room: 'den', by: 'alice' }],
    'of what she did herself, only what her other devices find nowhere else',
  )
})

t.test('a request that is wrong is answered with what is wrong', async (t) => {
  const { alice } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den' })
  await alice.tell('bob', 'hi')
  const faults: [string, object, string][] = [
    ['rooms.create', {}, 'bad_request room'],
    ['rooms.create', { room: '' }, 'bad_request room'],
    ['rooms.create', { room: 'no/room' }, 'bad_request room'],
    ['rooms.create', { room: '+' }, 'bad_request room'],
    ['rooms.create', { room: '.hidden' }, 'bad_request room'],
    ['rooms.create', { room: 'x'.repeat(65) }, 'bad_request room'],
    ['rooms.create', { room: 'dm:alice:bob' }, 'bad_request room'],
    ['rooms.create', { room: '@bob' }, 'bad_request room'],
    ['rooms.create', { room: 7 }, 'bad_request room'],
    ['rooms.create', { room: 'den' }, 'conflict room'],
    ['rooms.create', { room: 'r', access: 'secret' }, 'bad_request access'],
    ['rooms.create', { room: 'r', name: 'x'.repeat(129) }, 'bad_request name'],
    ['rooms.create', { room: 'r', colour: 'red' }, 'bad_request colour'],
    ['rooms.update', { room: 'den', access: 'hidden' }, 'bad_request access'],
    ['rooms.update', { room: 'den', user: 'alice' }, 'bad_request role'],
    ['rooms.update', { room: 'den', role: 'owner' }, 'bad_request user'],
    ['rooms.update', { room: 'den', user: 'alice', role: 'king' }, 'bad_request role'],
    ['rooms.update', { room: 'den', user: 'alice', role: 'owner', name: 'x' }, 'bad_request name'],
    ['rooms.update', { room: 'den', user: 'bob', role: 'reader' }, 'not_found user'],
    ['rooms.update', { room: 'nowhere', name: 'x' }, 'not_found room'],
    ['rooms.setRole', { room: 'den', user: 'alice' }, 'bad_request role'],
    ['rooms.setRole', { room: 'den', user: 'bob', role: 'reader' }, 'not_found user'],
    ['rooms.setRole', { room: '@bob', user: 'bob', role: 'reader' }, 'bad_request room'],
    ['rooms.ban', { room: 'den', user: 'nobody' }, 'not_found user'],
    ['rooms.ban', { room: 'den', user: 'alice' }, 'bad_request user'],
    ['rooms.ban', { room: 'den', user: 'bob', for: 0 }, 'bad_request for'],
    ['rooms.ban', { room: '@bob', user: 'bob' }, 'bad_request room'],
    ['rooms.mute', { room: 'den', user: 'bob' }, 'not_found user'],
    ['rooms.unmute', { room: 'den', user: 'alice' }, 'not_found user'],
    ['rooms.bans', { room: 'lobby' }, 'forbidden'],
    ['rooms.mutes', { room: 'nowhere' }, 'not_found room'],
    ['rooms.transfer', { room: 'den' }, 'bad_request user'],
    ['rooms.transfer', { room: 'den', user: 'bob' }, 'not_found user'],
    ['rooms.transfer', { room: 'den', user: 'alice' }, 'bad_request user'],
    ['rooms.delete', { room: 'nowhere' }, 'not_found room'],
    ['rooms.join', { room: 'nowhere' }, 'not_found room'],
    ['rooms.leave', { room: 'nowhere' }, 'not_found room'],
    ['rooms.leave', { room: 'lobby' }, 'forbidden room'],
    ['rooms.invite', { room: 'den' }, 'bad_request user'],
    ['rooms.invite', { room: 'den', user: 'nobody' }, 'not_found user'],
    ['rooms.invite', { room: 'den', user: 'alice' }, 'conflict user'],
    ['rooms.remove', { room: 'den', user: 'bob' }, 'not_found user'],
    ['rooms.remove', { room: 'den', user: 'alice' }, 'bad_request user'],
    ['rooms.members', { room: 'lobby' }, 'forbidden room'],
    ['rooms.members', { room: 'den', limit: 0 }, 'bad_request limit'],
    ['rooms.list', { scope: 'all' }, 'bad_request scope'],
    ['rooms.leave', { room: '@bob' }, 'bad_request room'],
    ['rooms.invite', { room: 'dm:alice:bob', user: 'carol' }, 'bad_request room'],
    ['rooms.delete', { room: '@bob' }, 'bad_request room'],
    ['rooms.join', { room: '@carol' }, 'not_found room'],
    ['rooms.promote', { room: 'den' }, 'not_found'],
    ['auth.refresh', { token: 'x' }, 'unauthorized token'],
  ]
  for (const [method, params, expected] of faults)
    t.equal(await alice.fails(method, params), expected, `${method} ${JSON.stringify(params).slice(0, 60)}`)

  const ask = (payload: string) => alice.refused('users/alice/requests/rooms.list', payload)
  t.match(await ask('not json'), { re: null, method: 'rooms.list', ok: false, error: { code: 'bad_request' } })
  t.match(await ask('[]'), { ok: false, error: { code: 'bad_request' } })
  t.match(await ask('{"id":{}}'), { re: null, error: { code: 'bad_request', field: 'id' } })
  t.match(await ask(`{"id":"${'x'.repeat(129)}"}`), { re: null, error: { code: 'bad_request', field: 'id' } })
  t.match(await ask('{"id":7}'), { re: 7, ok: true })
  t.match(await ask('{}'), { re: null, ok: true })
})

interface Named {
  id: string
}

t.test('joining a room that is being deleted: one of the two, never half of both', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  await phone.subscribe('rooms/+/messages')
  for (let i = 0; i < 25; i++) {
    await alice.get('rooms.create', { room: 'den' })
    const gone = alice.ask('rooms.delete', { room: 'den' })
    if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
    const [deleted] = await Promise.all([
      gone,
      bob.ask('rooms.join', { room: 'den' }),
      bob.publish('rooms/den/text', 'hi'),
    ])
    t.ok(deleted.ok)
    t.same((await bob.get('rooms.list')).rooms, [])
  }
  await alice.get('rooms.create', { room: 'den' })
  t.same((await alice.get('history', { room: 'den' })).messages, [])
  t.equal((await alice.get('rooms.members', { room: 'den' })).members.length, 1)
})

t.test('a deleted room is gone for all; its name may be used anew, from 1', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den' })
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  await phone.subscribe(['rooms/den/messages', 'rooms/+/messages', 'users/bob/messages'])
  await alice.send('rooms/den/messages', { cid: 'c', text: 'old 1' })
  for (let i = 2; i <= 5; i++) await alice.say('den', `old ${i}`)
  await phone.hears('old 5')
  await phone.leave()
  await alice.say('den', 'old 6')
  await bob.subscribe('rooms/den/messages')
  await alice.get('rooms.delete', { room: 'den' })
  t.equal(await bob.fails('history', { room: 'den' }), 'not_found room')
  t.equal(await alice.fails('history', { room: 'den' }), 'not_found room')
  t.match(await bob.refused('rooms/den/messages', 'hi'), { error: { code: 'not_found' } })

  await alice.get('rooms.create', { room: 'den' })
  t.same((await alice.get('history', { room: 'den' })).messages, [])
  await bob.get('rooms.join', { room: 'den' })
  t.match(await alice.send('rooms/den/messages', { cid: 'c', text: 'new 1' }), { ok: true, result: { seq: 1 } })
  for (let i = 2; i <= 7; i++) await alice.say('den', `new ${i}`)
  await alice.tell('bob', 'marker')
  const back = await connect('bob', { clientId: 'phone', ...LASTING })
  await back.hears('marker')
  await back.inbox.wait(8)
  t.same(
    heardOfDen(back),
    [1, 2, 3, 4, 5, 6, 7].map((i) => `rooms/den/messages new ${i}`),
    'a wildcard follows to the new room, from the join on',
  )
  t.same(heardOfDen(bob), [], 'the exact filter went with the old one')
  await broker.restart()
  const again = await connect('alice')
  t.equal((await again.get('history', { room: 'den' })).messages.length, 7)
})

t.test('a full room takes nobody, however many come at once', async (t) => {
  const { connect, alice } = await people(t, ['alice'], { rooms: { maxMembers: 3 } })
  await alice.get('rooms.create', { room: 'den' })
  const crowd = await Promise.all(Array.from({ length: 8 }, (_, i) => connect(`u${i}`)))
  const codes = (await Promise.all(crowd.map((person) => person.subscribe('rooms/den/messages')))).flat()
  t.same(codes.sort(), [1, 1, ...Array(6).fill(0x80)])
  t.equal((await alice.get('rooms.members', { room: 'den' })).members.length, 3)
  const late = await connect('late')
  t.equal(await late.fails('rooms.join', { room: 'den' }), 'conflict')
})

t.test('without autoCreate an unknown room is refused; with it, first use makes it', async (t) => {
  const strict = await people(t, ['alice'])
  t.same(await strict.alice.subscribe('rooms/new/messages'), [0x80])
  t.match(await strict.alice.refused('rooms/new/messages', 'hi'), { error: { code: 'not_found' } })

  const { connect, alice, bob } = await people(t, ['alice', 'bob'], { rooms: { autoCreate: true } })
  t.same(await alice.subscribe('rooms/by-sub/messages'), [1])
  t.match(await alice.send('rooms/by-pub/messages', { text: 'hi' }), { ok: true, result: { seq: 1 } })
  t.match((await alice.get('rooms.list')).rooms, [
    { id: 'by-pub', access: 'public', role: 'owner' },
    { id: 'by-sub', access: 'public', role: 'owner' },
  ])
  t.match(await bob.refused('rooms/.bad/messages', 'hi'), { error: { code: 'bad_request' } })
  const eve = await connect('eve', {
    will: { topic: 'rooms/by-will/messages', payload: Buffer.from('x'), qos: 1, retain: false },
  })
  await eve.vanish()
  t.equal(await alice.fails('history', { room: 'by-will' }), 'not_found room')

  const crowd = await Promise.all(Array.from({ length: 6 }, (_, i) => connect(`u${i}`)))
  const replies = await Promise.all(crowd.map((person) => person.send('rooms/rush/messages', { text: person.user })))
  t.same(replies.map(({ result }) => result.seq).sort(), [1, 2, 3, 4, 5, 6])
  const { members } = await crowd[0]!.get('rooms.members', { room: 'rush' })
  t.equal(members.length, 6, 'all are members')
  t.equal(members.filter(({ role }: { role: string }) => role === 'owner').length, 1)
  t.same((await Promise.all(crowd.map((person) => person.subscribe('rooms/rush2/messages')))).flat(), Array(6).fill(1))
  const made = await Promise.all(crowd.map((person) => person.ask('rooms.create', { room: 'mine' })))
  t.equal(made.filter(({ ok }) => ok).length, 1, 'only one made it')
})

t.test('rooms.list of the configuration are made at the start, once', async (t) => {
  const list = [
    { id: 'news', access: 'public', name: 'News', topic: 'what happens' },
    { id: 'staff', access: 'private' },
  ]
  const { broker, alice } = await people(t, ['alice'], { rooms: { list } })
  t.match((await alice.get('rooms.list', { scope: 'public' })).rooms, [
    { id: 'news', name: 'News', topic: 'what happens', createdBy: 'system', members: 0 },
  ])
  t.equal(await alice.fails('rooms.join', { room: 'staff' }), 'not_found room')
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  await root.get('rooms.join', { room: 'staff' })
  await root.get('rooms.update', { room: 'news', name: 'Old News' })
  await broker.restart()
  const again = await Person.connect(t, broker, 'alice')
  t.match((await again.get('rooms.list', { scope: 'public' })).rooms, [{ id: 'news', name: 'Old News', head: null }])
})

t.test('long lists come in pages', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  for (let i = 0; i < 5; i++) await alice.get('rooms.create', { room: `r${i}` })
  const page = await alice.get('rooms.list', { limit: 3 })
  t.match([page.rooms.map(({ id }: Named) => id), page.more], [['r0', 'r1', 'r2'], true])
  const rest = await alice.get('rooms.list', { limit: 3, after: 'r2' })
  t.match([rest.rooms.map(({ id }: Named) => id), rest.more], [['r3', 'r4'], false])
  for (const user of ['dave', 'carol', 'bob']) await (await connect(user)).get('rooms.join', { room: 'r0' })
  const members = async (params: object) => {
    const { members, more } = await alice.get('rooms.members', { room: 'r0', ...params })
    return [members.map(({ user }: { user: string }) => user), more]
  }
  t.same(await members({ limit: 2 }), [['alice', 'bob'], true])
  t.same(await members({ limit: 2, after: 'bob' }), [['carol', 'dave'], false])
})

t.test('what a room is, retained for whoever subscribes and live when it changes', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den', name: 'The Den' })
  await alice.get('rooms.create', { room: 'attic' })
  await alice.subscribe('rooms/den/info')
  t.same(await alice.on('rooms/den/info', 1), [
    {
      ...{ room: 'den', name: 'The Den', topic: null, avatar: null, access: 'public', members: 1 },
      ...{ slowMode: 0, write: 'members', archived: false, maxMembers: null, policies: null, thinned: [] },
    },
  ])
  t.ok(alice.heard[0]!.retain)
  for (let i = 0; i < 20; i++) void alice.say('den', `line ${i}`)
  await bob.get('rooms.join', { room: 'den' })
  const [carol, dave] = [await connect('carol'), await connect('dave')]
  await Promise.all([carol, dave].map((person) => person.get('rooms.join', { room: 'den' })))
  await alice.get('rooms.update', { room: 'den', topic: 'tea' })
  const [, live] = await alice.on('rooms/den/info', 2)
  t.match(live, { topic: 'tea', members: 4 }, 'one for all that happened within a second')
  t.notOk(alice.heard.at(-1)!.retain)
  await alice.subscribe('rooms/+/info')
  await alice.inbox.wait(2, ({ topic, retain }) => topic.endsWith('/info') && retain)
  await alice.on('rooms/attic/info', 1)
  t.same(await bob.subscribe('rooms/attic/info'), [0x80])
  await bob.subscribe('rooms/den/info')
  t.match(await bob.on('rooms/den/info', 1), [{ members: 4 }])
  t.equal(alice.inbox.json('rooms/den/info').length, 3, 'a new message is no change of the room')
})

t.test('a message may be sent by a request', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await alice.subscribe('rooms/lobby/messages')
  await bob.subscribe('users/bob/messages')
  const sent = await bob.get('send', { room: 'lobby', text: 'hello', cid: 'c1' })
  t.match(sent, { room: 'lobby', seq: 1 })
  t.same(await bob.get('send', { room: 'lobby', text: 'hello', cid: 'c1' }), sent, 'a retry returns the first result')
  t.equal(await bob.fails('send', { room: 'lobby', text: 'other', cid: 'c1' }), 'conflict cid')
  t.equal(await bob.fails('send', { room: 'lobby', txt: 'x' }), 'bad_request txt')
  t.equal(await bob.fails('send', { room: 'nowhere', text: 'x' }), 'not_found room')
  t.match(await alice.get('send', { room: '@bob', text: 'psst' }), { room: 'dm:alice:bob', seq: 1 })
  t.match(await bob.on('users/bob/messages', 1), [{ text: 'psst', from: 'alice', to: 'bob' }])
  t.match(await alice.on('rooms/lobby/messages', 1), [{ text: 'hello', from: 'bob', cid: 'c1' }])
  t.equal(bob.replies.length, 5, 'each is answered once')
})
