/** Messages that users save: theirs alone, on all their devices, shown as they are now to who may read them now. */
import t from 'tap'
import { erased } from '../helpers/erased.js'
import { startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'
import { people, privateRoom } from '../helpers/rooms.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

const textsOf = async (person: Person, params: object = {}): Promise<(string | undefined)[]> =>
  (await person.get('saved.list', params)).saved.map(({ message }: Json) => message && (message.text ?? message.gone))

t.test('a message is saved for its user alone, and on all their devices', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('tea', alice, bob)
  const phone = await connect('bob', { clientId: 'phone' })
  await phone.subscribe('users/bob/events')
  await alice.subscribe(['users/alice/#', 'rooms/tea/#'])
  await alice.get('send', { room: 'tea', text: 'hi' })
  const saved = await bob.get('saved.add', { room: 'tea', seq: 1, note: 'for later' })
  t.match(saved, { room: 'tea', seq: 1, note: 'for later', savedAt: Number })
  t.same(await bob.get('saved.add', { room: 'tea', seq: 1 }), saved, 'repeating it changes nothing')
  t.match(await phone.on('users/bob/events', 1), [{ type: 'saved', room: 'tea', target: 1, saved: true }])
  t.same(await bob.get('saved.add', { room: 'tea', seq: 1, note: 'now' }), { ...saved, note: 'now' })
  t.match((await phone.get('saved.list')).saved, [{ ...saved, note: 'now', message: { text: 'hi', from: 'alice' } }])
  t.match(await alice.get('saved.list'), { saved: [], more: false })
  await broker.restart()
  const again = await connect('bob', { clientId: 'again' })
  await again.subscribe('users/bob/events')
  t.same(await textsOf(again), ['hi'])
  t.match(await again.get('saved.add', { room: 'tea', seq: 1, note: null }), { note: null })
  await again.get('saved.remove', { room: 'tea', seq: 1 })
  await again.get('saved.remove', { room: 'tea', seq: 1 })
  t.same(await textsOf(again), [])
  const [, last] = await again.on('users/bob/events', 2)
  t.match(last, { type: 'saved', room: 'tea', target: 1, saved: false })
  t.notOk(
    alice.lines.some((line) => line.includes('saved')),
    'nobody else is told',
  )
})

t.test('it is shown as it is now, and not to who may not read it now', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('tea', alice, bob)
  for (const text of ['a', 'b', 'c']) await alice.get('send', { room: 'tea', text })
  for (const seq of [1, 2, 3]) await bob.get('saved.add', { room: 'tea', seq })
  await alice.get('send', { room: 'tea', type: 'edit', target: 1, text: 'better' })
  await alice.get('send', { room: 'tea', type: 'delete', target: 2 })
  t.same((await textsOf(bob)).sort(), ['better', 'c', 'deleted'])
  await bob.get('rooms.leave', { room: 'tea' })
  const { saved } = await bob.get('saved.list')
  t.same(saved.map(({ seq }: Json) => seq).sort(), [1, 2, 3], 'who left keeps the entries')
  t.ok(
    saved.every((entry: Json) => !('message' in entry)),
    'and sees nothing of the messages',
  )
  t.equal(await bob.fails('saved.add', { room: 'tea', seq: 1 }), 'not_found room')
  await bob.get('saved.remove', { room: 'tea', seq: 1 })
  await alice.get('rooms.invite', { room: 'tea', user: 'bob' })
  await bob.get('rooms.join', { room: 'tea' })
  t.same((await textsOf(bob)).sort(), ['c', 'deleted'])
  await alice.get('rooms.delete', { room: 'tea' })
  t.same(await textsOf(bob), [undefined, undefined])
  await privateRoom('tea', alice, bob)
  for (const text of ['x', 'y', 'z']) await alice.get('send', { room: 'tea', text })
  t.same(await textsOf(bob), ['retention', 'retention'], 'a room of the same name has other messages')
  t.match(await bob.get('saved.add', { room: 'tea', seq: 3 }), { seq: 3 })
  t.same((await textsOf(bob)).sort(), ['retention', 'z'])
})

t.test('only messages that exist, and so many of them', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { limits: { savedMessages: 2 } })
  await privateRoom('tea', alice, bob)
  for (const text of ['a', 'b', 'c']) await alice.get('send', { room: 'tea', text })
  await alice.get('send', { room: 'tea', type: 'reaction', target: 1, data: { emoji: '👍' } })
  await alice.get('send', { room: 'tea', type: 'delete', target: 3 })
  t.equal(await bob.fails('saved.add', { room: 'tea', seq: 9 }), 'not_found seq')
  t.equal(await bob.fails('saved.add', { room: 'tea', seq: 3 }), 'not_found seq')
  t.equal(await bob.fails('saved.add', { room: 'tea', seq: 4 }), 'bad_request seq')
  t.equal(await bob.fails('saved.add', { room: 'dm:alice:carol', seq: 1 }), 'not_found room')
  for (const seq of [1, 2]) await bob.get('saved.add', { room: 'tea', seq })
  await alice.get('send', { room: 'tea', text: 'd' })
  t.equal(await bob.fails('saved.add', { room: 'tea', seq: 6 }), 'conflict')
  await bob.get('saved.add', { room: 'tea', seq: 2, note: 'a note still can be changed' })
  await bob.get('saved.remove', { room: 'tea', seq: 1 })
  await bob.get('saved.add', { room: 'tea', seq: 6 })
})

t.test('the one saved last comes first, in pages, of one room or all', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('tea', alice, bob)
  for (const text of ['a', 'b', 'c', 'd']) await alice.get('send', { room: 'tea', text })
  await alice.get('send', { room: '@bob', text: 'direct' })
  for (const seq of [3, 1, 4]) await bob.get('saved.add', { room: 'tea', seq })
  await bob.get('saved.add', { room: '@alice', seq: 1 })
  await bob.get('saved.add', { room: 'tea', seq: 2 })
  const { saved } = await bob.get('saved.list')
  t.ok(saved.every(({ savedAt }: Json, i: number) => i === 0 || savedAt <= saved[i - 1].savedAt))
  const paged: Json[] = []
  for (let cursor: string | undefined; ; ) {
    const page: Json = await bob.get('saved.list', { limit: 2, ...(cursor === undefined ? {} : { cursor }) })
    paged.push(...page.saved)
    if (!page.more) break
    cursor = page.cursor
  }
  t.same(paged, saved)
  t.same(await textsOf(bob, { room: '@alice' }), ['direct'])
  t.equal((await textsOf(bob, { room: 'tea' })).length, 4)
})

t.test('go with the account', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('tea', alice, bob)
  await alice.get('send', { room: 'tea', text: 'hi' })
  await bob.get('saved.add', { room: 'tea', seq: 1, note: 'a word' })
  await bob.get('account.delete', { user: 'bob' })
  await erased(broker, 'bob')
  t.same(await textsOf(await connect('bob', { clientId: 'next' })), [])
})

t.test('two nodes do not save more than the limit', async (t) => {
  const { one, two } = await startNodes(t, { limits: { savedMessages: 1 } })
  const alice = await Person.connect(t, one.broker, 'alice')
  const there = await Person.connect(t, two.broker, 'alice', { clientId: 'there' })
  await alice.get('rooms.create', { room: 'tea' })
  for (const text of ['a', 'b']) await alice.get('send', { room: 'tea', text })
  const answers = await Promise.all([
    alice.ask('saved.add', { room: 'tea', seq: 1 }),
    there.ask('saved.add', { room: 'tea', seq: 2 }),
  ])
  t.equal(answers.filter(({ ok }) => ok).length, 1)
  t.equal((await alice.get('saved.list')).saved.length, 1)
})
