/** The list of one's rooms as a client shows it: the newest first, with the last message, and without what is hidden. */
import t from 'tap'
import { openDen } from '../helpers/den.js'
import { people, privateRoom } from '../helpers/rooms.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

t.test('a list of rooms has the newest first, with what a client shows of each', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  for (const room of ['one', 'two', 'three']) await privateRoom(room, alice, bob)
  await alice.get('users.update', { name: 'Alice A.' })
  await alice.say('two', 'hello')
  await alice.tell('bob', 'psst')
  await alice.say('one', { text: '@bob look', mentions: ['@bob'] })
  await alice.say('two', { type: 'edit', target: 1, text: 'hello again' })
  await carol.tell('bob', 'x'.repeat(5000))
  const list = await bob.get('rooms.list', { order: 'recent' })
  t.match(list.rooms, [
    {
      room: 'dm:bob:carol',
      direct: true,
      peer: { user: 'carol', name: null },
      last: { cut: true, text: 'x'.repeat(200) },
    },
    { room: 'one', unread: 1, mentions: 1, last: { text: '@bob look' }, lastTs: Number, peer: null },
    { room: 'dm:alice:bob', peer: { user: 'alice', name: 'Alice A.' }, last: { text: 'psst' }, unread: 1 },
    { room: 'two', last: { text: 'hello again', edits: 1 }, unread: 1, mentions: 0 },
    { room: 'three', last: null, lastTs: null, unread: 0 },
  ])
  const found: string[] = []
  for (let after: string | undefined, more = true; more; ) {
    const page = await bob.get('rooms.list', { order: 'recent', limit: 2, ...(after === undefined ? {} : { after }) })
    found.push(...page.rooms.map(({ room }: Json) => room))
    ;({ after, more } = page)
  }
  t.same(
    found,
    list.rooms.map(({ room }: Json) => room),
    'in pages',
  )
  const names = (page: Json): string[] => page.rooms.map(({ room }: Json) => room)
  t.same(names(await bob.get('rooms.list', { scope: 'direct' })), ['dm:alice:bob', 'dm:bob:carol'])
  t.same(names(await bob.get('rooms.list', { scope: 'direct', order: 'recent' })), ['dm:bob:carol', 'dm:alice:bob'])
  t.same(names(await bob.get('rooms.list', { query: 'tw', order: 'recent' })), ['two'])
  t.equal(await bob.fails('rooms.list', { scope: 'public', order: 'recent' }), 'bad_request order')
  t.equal(await bob.fails('rooms.list', { order: 'recent', after: 'two' }), 'bad_request after')
})

t.test('a hidden conversation is shown again by its next message', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await alice.tell('bob', 'hello')
  await openDen(alice, bob)
  t.match(await bob.get('rooms.settings', { room: '@alice', hidden: true, pinned: true }), {
    hidden: true,
    pinned: true,
  })
  await bob.get('rooms.settings', { room: 'den', hidden: true })
  t.match(await bob.get('rooms.get', { room: '@alice' }), { mine: { hidden: true } })
  await alice.send('users/bob/messages', { type: 'reaction', target: 1, data: { emoji: '👍' } })
  t.match(await bob.get('rooms.get', { room: '@alice' }), { mine: { hidden: true } }, 'a reaction is no message')
  const { since } = await bob.get('sync')
  await alice.tell('bob', 'are you there?')
  await alice.say('den', 'anyone?')
  t.match(await bob.get('rooms.get', { room: '@alice' }), { mine: { hidden: false, pinned: true } })
  t.match(await bob.get('rooms.get', { room: 'den' }), { mine: { hidden: true } }, 'a room stays hidden')
  const [, direct] = (await bob.get('sync', { since })).rooms
  t.match(direct, { room: 'dm:alice:bob', mine: { hidden: false } })
  t.match(await bob.get('rooms.settings', { room: '@alice', hidden: true }), { hidden: true }, 'hidden once more')
})
