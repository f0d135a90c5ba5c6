/** Ways into a room: links that expire and are used up, and asking to be let in. */
import t from 'tap'
import type { Person } from '../helpers/people.js'
import { people, privateRoom, roomOf } from '../helpers/rooms.js'

const membersOf = async (person: Person, room: string): Promise<string[]> =>
  (await person.get('rooms.members', { room })).members.map(({ user }: { user: string }) => user)

t.test('a link lets strangers into a private room, as many as it has uses', async (t) => {
  const { broker, connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await privateRoom('den', alice)
  const made = await alice.get('rooms.links.create', { room: 'den', uses: 2, expiresIn: 3600 })
  t.match(made, { by: 'alice', uses: 2, link: /^[\w-]{22}$/ })
  t.equal(made.expiresAt - made.at, 3_600_000)
  const { link } = made
  t.match(await bob.get('rooms.join', { room: 'den', link }), { id: 'den', role: 'member', members: 2 })
  t.match(await bob.get('rooms.join', { room: 'den', link }), { members: 2 }, 'a member uses nothing up')
  t.match(await alice.get('rooms.links.list', { room: 'den' }), { links: [{ link, uses: 1 }] })
  await broker.restart()
  const crowd = await Promise.all(['carol', 'dave', 'erin'].map((user) => connect(user)))
  const replies = await Promise.all(crowd.map((person) => person.ask('rooms.join', { room: 'den', link })))
  t.equal(replies.filter(({ ok }) => ok).length, 1, 'the last use is one, whoever comes at the same moment')
  t.same(
    replies.filter(({ ok }) => !ok).map(({ error }) => error.code),
    ['not_found', 'not_found'],
  )
  const again = await connect('alice')
  t.same((await again.get('rooms.links.list', { room: 'den' })).links, [])
  t.equal((await membersOf(again, 'den')).length, 3)
  carol.client.removeAllListeners()
})

t.test('a link that is wrong, expired or revoked opens nothing, nor does it for who is banned', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await roomOf('den', alice, [[carol, 'moderator']])
  const join = (link: string, room = 'den') => bob.fails('rooms.join', { room, link })
  t.equal(await join('guess'), 'not_found room')
  t.equal(await join('guess', 'nowhere'), 'not_found room')
  t.equal(await join('guess', 'lobby'), 'forbidden link')
  t.equal(await join('x'.repeat(65)), 'bad_request link')
  const { link: short } = await alice.get('rooms.links.create', { room: 'den', expiresIn: 0.05 })
  while ((await alice.get('rooms.links.list', { room: 'den' })).links.length > 0);
  t.equal(await join(short), 'not_found room')
  const { link } = await alice.get('rooms.links.create', { room: 'den' })
  await alice.get('rooms.create', { room: 'attic', access: 'private' })
  t.equal(await join(link, 'attic'), 'not_found room', 'it is for its room')
  for (const method of ['rooms.links.create', 'rooms.links.list'])
    t.equal(await carol.fails(method, { room: 'den' }), 'forbidden')
  t.equal(await carol.fails('rooms.links.revoke', { room: 'den', link }), 'forbidden')
  t.equal(await bob.fails('rooms.links.create', { room: 'den' }), 'not_found room')
  t.equal(await alice.fails('rooms.links.create', { room: 'den', uses: 0 }), 'bad_request uses')
  await alice.get('rooms.ban', { room: 'den', user: 'bob' })
  t.equal(await join(link), 'forbidden', 'a ban is stronger')
  await alice.get('rooms.unban', { room: 'den', user: 'bob' })
  await alice.get('rooms.links.revoke', { room: 'den', link })
  t.equal(await join(link), 'not_found room')
  t.equal(await alice.fails('rooms.links.revoke', { room: 'den', link }), 'not_found link')
})

t.test('a room has so many links at a time', async (t) => {
  const { alice } = await people(t, ['alice'])
  await privateRoom('den', alice)
  for (let i = 0; i < 100; i++) await alice.get('rooms.links.create', { room: 'den' })
  t.equal(await alice.fails('rooms.links.create', { room: 'den' }), 'conflict')
  const { links } = await alice.get('rooms.links.list', { room: 'den' })
  await alice.get('rooms.links.revoke', { room: 'den', link: links[0].link })
  await alice.get('rooms.links.create', { room: 'den' })
})

t.test('who asks waits until someone lets them in', async (t) => {
  const { connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await alice.get('rooms.create', { room: 'club', access: 'request' })
  await alice.subscribe('rooms/club/events')
  await bob.subscribe('users/bob/events')
  await carol.subscribe('users/carol/events')
  const { rooms } = await bob.get('rooms.list', { scope: 'public' })
  t.match(rooms, [{ id: 'club', access: 'request', role: null }, { id: 'lobby' }], 'all may know of it')
  t.equal(await bob.fails('rooms.join', { room: 'club' }), 'forbidden')
  t.same(await bob.subscribe(['rooms/club/messages', 'rooms/club/text']), [0x80, 0x80])
  t.match(await bob.refused('rooms/club/messages', 'hi'), { error: { code: 'forbidden' } })
  t.same(await bob.get('rooms.request', { room: 'club', message: 'please' }), {})
  t.same(await bob.get('rooms.request', { room: 'club', message: 'please!' }), {}, 'twice is once')
  await carol.get('rooms.request', { room: 'club' })
  t.match(await alice.get('rooms.requests', { room: 'club' }), {
    requests: [
      { user: 'bob', message: 'please' },
      { user: 'carol', message: null },
    ],
  })
  t.same(await bob.subscribe('rooms/club/messages'), [0x80], 'asking is not joining')
  t.match(await alice.get('rooms.approve', { room: 'club', user: 'bob' }), { user: 'bob', role: 'member' })
  t.same(await bob.subscribe('rooms/club/messages'), [1])
  t.equal(await bob.fails('rooms.approve', { room: 'club', user: 'carol' }), 'forbidden')
  t.equal(await bob.fails('rooms.requests', { room: 'club' }), 'forbidden')
  await alice.get('rooms.deny', { room: 'club', user: 'carol' })
  t.equal(await alice.fails('rooms.approve', { room: 'club', user: 'carol' }), 'not_found user')
  t.same((await alice.get('rooms.requests', { room: 'club' })).requests, [])
  t.match(await bob.on('users/bob/events', 1), [{ type: 'added', room: 'club', by: 'alice' }])
  t.match(await carol.on('users/carol/events', 1), [{ type: 'denied', room: 'club', by: 'alice' }])
  const events = await alice.on('rooms/club/events', 4)
  t.match(events, [
    { type: 'requested', user: 'bob' },
    { type: 'requested', user: 'carol' },
    { type: 'joined', user: 'bob', by: 'alice' },
    { type: 'denied', user: 'carol', by: 'alice' },
  ])
  const dave = await connect('dave')
  await alice.get('rooms.invite', { room: 'club', user: 'dave' })
  await dave.get('rooms.join', { room: 'club' })
  t.equal(await dave.fails('rooms.request', { room: 'club' }), 'conflict')
  t.equal(await dave.fails('rooms.request', { room: 'lobby' }), 'conflict')
  t.equal(await dave.fails('rooms.request', { room: 'nowhere' }), 'not_found room')
  t.equal(await dave.fails('rooms.request', { room: '@bob' }), 'not_found room')
  await alice.get('rooms.ban', { room: 'club', user: 'carol' })
  t.equal(await carol.fails('rooms.request', { room: 'club' }), 'forbidden')
})
