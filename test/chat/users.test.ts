/** Profiles, and whom one wants to hear nothing of. */
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { Person, type PersonOptions } from '../helpers/people.js'

async function people<N extends string>(t: Test, names: N[], overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const entries = await Promise.all(names.map(async (name) => [name, await connect(name)] as const))
  return { broker, connect, ...(Object.fromEntries(entries) as Record<N, Person>) }
}

t.test('a profile is changed by its user, part by part, and seen by all', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  const none = { user: 'alice', name: null, avatar: null, fields: {}, updatedAt: null }
  t.same(await bob.get('users.get', { user: 'alice' }), none)
  await alice.get('users.update', { name: 'Alice', fields: { town: 'Ulm', age: 30, old: true } })
  await alice.get('users.update', { avatar: 'https://example.com/a.png', fields: { age: 31, old: null } })
  const profile = await bob.get('users.get', { user: 'alice' })
  const { updatedAt, ...rest } = profile
  t.same(rest, { user: 'alice', name: 'Alice', avatar: 'https://example.com/a.png', fields: { town: 'Ulm', age: 31 } })
  t.ok(updatedAt)
  t.same(await alice.get('users.update', { name: null }).then(({ name }) => name), null)

  const long = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`f${i}`, 'x'.repeat(1000)]))
  const some = (from: number) => Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${from + i}`, 1]))
  const table: [object, string][] = [
    [{ name: 'x'.repeat(129) }, 'bad_request name'],
    [{ user: 'bob', name: 'x' }, 'bad_request user'],
    [{ fields: { 'a b': 1 } }, 'bad_request a b'],
    [{ fields: { a: {} } }, 'bad_request fields.a'],
    [{ fields: { a: 'x'.repeat(1025) } }, 'bad_request fields.a'],
    [{ fields: long }, 'too_large fields'],
  ]
  for (const [params, expected] of table) t.equal(await alice.fails('users.update', params), expected)
  await alice.get('users.update', { fields: some(0) })
  t.equal(await alice.fails('users.update', { fields: some(20) }), 'too_large fields', 'together')
  t.equal(await alice.fails('users.get', { user: 'nobody' }), 'not_found user')
})

t.test('users are found by how their ids begin', async (t) => {
  const { alice } = await people(t, ['alice', 'Alan', 'albert', 'bob'])
  await alice.get('users.update', { name: 'A.' })
  const find = async (params: object) => {
    const { users, more } = await alice.get('users.search', params)
    return [...users.map(({ user }: { user: string }) => user), ...(more ? ['…'] : [])]
  }
  t.same(await find({ query: 'AL' }), ['Alan', 'albert', 'alice'])
  t.same(await find({ query: 'al', limit: 2 }), ['Alan', 'albert', '…'])
  t.same(await find({ query: 'al', limit: 2, after: 'albert' }), ['alice'])
  t.same(await find({ query: 'x' }), [])
  t.match(await alice.get('users.search', { query: 'alice' }), { users: [{ name: 'A.' }] })
  t.equal(await alice.fails('users.search', { query: '' }), 'bad_request query')
})

t.test('a blocked user', async (t) => {
  const { broker, connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await alice.get('rooms.create', { room: 'den', access: 'private' })
  for (const person of [bob, carol]) {
    await alice.get('rooms.invite', { room: 'den', user: person.user })
    await person.get('rooms.join', { room: 'den' })
  }
  await bob.get('rooms.create', { room: 'trap', access: 'private' })
  await alice.subscribe([
    'users/alice/messages',
    'users/alice/signals',
    'rooms/dm:alice:bob/typing',
    'rooms/den/messages',
  ])
  await bob.tell('alice', 'before')
  await alice.hears('before')
  await bob.subscribe(['users/alice/presence', 'users/+/presence'])
  await alice.publish('users/alice/presence', { status: 'seen' })
  await bob.inbox.wait(1, ({ topic, payload }) => topic === 'users/alice/presence' && payload.includes('seen'))
  t.same(await alice.get('blocks.add', { user: 'bob' }), {})
  t.same(await alice.get('blocks.add', { user: 'bob' }), {}, 'twice is once')
  const end = '"state":"offline","status":null,"statusEmoji":null,"statusUntil":null,"lastSeen":null'
  await bob.inbox.wait(1, ({ topic, payload }) => topic === 'users/alice/presence' && payload.includes(end))
  const heardBefore = bob.heard.length

  await t.test('does not reach who blocks, and is not told why', async (t) => {
    const attempts: Record<string, () => Promise<{ error: { code: string; message: string } }>> = {
      'direct message': () => bob.refused('users/alice/messages', 'hi'),
      'direct message with a cid': () => bob.send('users/alice/messages', { text: 'hi' }),
      reaction: () => bob.send('users/alice/messages', { type: 'reaction', target: 1, data: { emoji: '👍' } }),
      'command send': () => bob.ask('send', { room: '@alice', text: 'hi' }),
      signal: () => bob.refused('users/alice/signals', 'hi'),
      typing: () => bob.refused('rooms/dm:alice:bob/typing', ''),
      invitation: () => bob.ask('rooms.invite', { room: 'trap', user: 'alice' }),
    }
    for (const [name, attempt] of Object.entries(attempts)) {
      const { error } = await attempt()
      t.equal(error.code, 'forbidden', name)
      t.notMatch(error.message, /block/i, name)
    }
  })

  await t.test('not by a will either', async () => {
    const will = { topic: 'users/alice/messages', payload: Buffer.from('last words'), qos: 1, retain: false } as const
    const dying = await connect('bob', { clientId: 'dying', will })
    await dying.vanish()
  })

  await t.test('sees no presence: not live, not held, not by a wildcard', async (t) => {
    await alice.publish('users/alice/presence', { status: 'unseen' })
    t.same(await bob.subscribe('users/alice/presence'), [0x80])
    const other = await connect('bob', { clientId: 'other' })
    t.same(await other.subscribe(['users/alice/presence', 'users/+/presence']), [0x80, 1])
    await carol.publish('users/carol/presence', { status: 'marker' })
    for (const person of [bob, other]) await person.inbox.wait(1, ({ payload }) => payload.includes('marker'))
    const shown = [...bob.heard.slice(heardBefore), ...other.heard].map(({ topic }) => topic)
    t.notOk(shown.includes('users/alice/presence'), shown.join())
    await carol.subscribe('users/alice/presence')
    await carol.inbox.wait(1, ({ payload }) => payload.includes('unseen'))
  })

  await t.test('is heard in rooms as before, and hears who blocks', async (t) => {
    await bob.subscribe('users/bob/messages')
    await alice.tell('bob', 'but listen')
    await bob.hears('but listen')
    await bob.say('den', 'in the room')
    await alice.hears('in the room')
    t.same(
      alice.heard
        .filter(({ topic }) => topic.startsWith('users/alice'))
        .map(({ payload }) => JSON.parse(String(payload)).text),
      ['before', 'but listen'],
    )
    t.same(await alice.get('rooms.members', { room: 'trap' }).catch(() => 'not in it'), 'not in it')
  })

  await t.test('stays blocked over a restart, until it is taken back', async (t) => {
    await broker.restart()
    const [me, them] = [await connect('alice'), await connect('bob')]
    const { blocks } = await me.get('blocks.list')
    t.match(blocks, [{ user: 'bob', since: Number }])
    t.match(await them.send('users/alice/messages', { text: 'hi' }), { error: { code: 'forbidden' } })
    t.same((await them.get('blocks.list')).blocks, [], 'and does not see it')
    await me.get('blocks.remove', { user: 'bob' })
    await me.get('blocks.remove', { user: 'bob' })
    await me.subscribe('users/alice/messages')
    await them.tell('alice', 'at last')
    await me.hears('at last')
    t.same(await them.subscribe('users/alice/presence'), [1])
  })
})

t.test('blocking needs someone else who exists, and is listed in pages', async (t) => {
  const { alice, broker } = await people(t, ['alice', 'b', 'c', 'd'])
  t.equal(await alice.fails('blocks.add', { user: 'alice' }), 'bad_request user')
  t.equal(await alice.fails('blocks.add', { user: 'nobody' }), 'not_found user')
  for (const user of ['d', 'b', 'c']) await alice.get('blocks.add', { user })
  const page = async (params: object) => {
    const { blocks, more } = await alice.get('blocks.list', params)
    return [...blocks.map(({ user }: { user: string }) => user), more]
  }
  t.same(await page({ limit: 2 }), ['b', 'c', true])
  t.same(await page({ limit: 2, after: 'c' }), ['d', false])
  await broker.running.accounts.remove('c')
  t.same(await page({}), ['b', 'd', false], 'who is removed is not remembered')
})

t.test('contacts see each other’s presence, once both want it and as long as they do', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  await bob.subscribe('users/bob/events')
  t.same(await bob.subscribe('users/alice/presence'), [0x80], 'strangers do not')
  t.same(await alice.get('contacts.request', { user: 'bob' }), { state: 'asked' })
  t.same(await alice.get('contacts.request', { user: 'bob' }), { state: 'asked' })
  t.match(await bob.on('users/bob/events', 1), [{ type: 'contact', by: 'alice' }])
  t.same(await bob.subscribe('users/alice/presence'), [0x80], 'to be asked shows nothing')
  t.same(await alice.subscribe('users/bob/presence'), [0x80], 'nor does asking')
  t.match((await bob.get('contacts.list')).contacts, [{ user: 'alice', state: 'asking' }])
  t.match((await alice.get('contacts.list')).contacts, [{ user: 'bob', state: 'asked' }])
  t.equal(await alice.fails('contacts.accept', { user: 'bob' }), 'not_found user')
  t.same(await bob.get('contacts.accept', { user: 'alice' }), { state: 'contact' })
  t.same(await bob.subscribe('users/alice/presence'), [1])
  await alice.subscribe('users/+/presence')
  await alice.inbox.wait(1, ({ topic }) => topic === 'users/bob/presence')

  await broker.restart()
  const [a, b] = [await connect('alice'), await connect('bob')]
  await b.subscribe('users/+/presence')
  await b.inbox.wait(1, ({ topic }) => topic === 'users/alice/presence')
  await a.publish('users/alice/presence', { status: 'still' })
  await b.inbox.wait(1, ({ payload }) => payload.includes('still'))
  await a.get('contacts.remove', { user: 'bob' })
  await a.publish('users/alice/presence', { status: 'hidden' })
  t.same((await b.get('contacts.list')).contacts, [])
  t.same(await b.subscribe('users/alice/presence'), [0x80])
  t.notOk(b.heard.some(({ payload }) => payload.includes('hidden')))

  await b.get('contacts.request', { user: 'alice' })
  t.same(await a.get('contacts.request', { user: 'bob' }), { state: 'contact' }, 'asking back is accepting')
  await b.inbox.wait(1, ({ payload }) => payload.includes('hidden'))
  await a.get('blocks.add', { user: 'bob' })
  t.same((await a.get('contacts.list')).contacts, [], 'a block ends it')
  t.equal(await b.fails('contacts.request', { user: 'alice' }), 'forbidden')
})
