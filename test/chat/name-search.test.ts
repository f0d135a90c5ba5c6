/** Finding people, rooms and members by their names. */
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

const NAMES = { u1: 'Alice Liddell', u2: 'Alicia Müller', u3: 'Bob Alister', u4: '田中太郎', alina: null } as const

async function named(t: Test, broker: TestBroker): Promise<Person[]> {
  const people = await Promise.all(Object.keys(NAMES).map((user) => Person.connect(t, broker, user)))
  for (const person of people) {
    const name = NAMES[person.user as keyof typeof NAMES]
    if (name) await person.get('users.update', { name })
  }
  return people
}

const usersOf = (list: Json[]): string[] => list.map(({ user }) => user)

t.test('users are found by words of their names, and by the beginning of their ids', async (t) => {
  const broker = await startTestBroker(t)
  const [me] = await named(t, broker)
  const search = async (query: string) => usersOf((await me!.get('users.search', { query })).users)
  t.same(await search('ali'), ['alina', 'u1', 'u2', 'u3'])
  t.same(await search('lid ali'), ['u1'])
  t.same(await search('MULLER'), ['u2'])
  t.same(await search('太郎'), ['u4'])
  t.same(await search('lice'), [])
  t.same(await search('%'), [])
  const seen: string[] = []
  for (let more = true; more; ) {
    const page: Json = await me!.get('users.search', {
      query: 'ali',
      limit: 1,
      ...(seen.length > 0 ? { after: seen.at(-1) } : {}),
    })
    seen.push(...usersOf(page.users))
    more = page.more
  }
  t.same(seen, ['alina', 'u1', 'u2', 'u3'], 'each once over the pages')
  await broker.restart()
  const again = await Person.connect(t, broker, 'u1')
  t.same(usersOf((await again.get('users.search', { query: 'liddell' })).users), ['u1'], 'after a restart')
})

t.test('nobody is found by a name of before, nor after the account is removed', async (t) => {
  const broker = await startTestBroker(t)
  const [me, other] = await named(t, broker)
  const search = async (query: string) => usersOf((await me!.get('users.search', { query })).users)
  await other!.get('users.update', { avatar: 'https://x/y.png' })
  t.same(await search('alicia'), ['u2'], 'a change of something else')
  await other!.get('users.update', { name: 'Carol Müller' })
  t.same(await search('alicia'), [])
  t.same(await search('carol'), ['u2'])
  await other!.get('users.update', { name: null })
  t.same(await search('carol'), [])
  await other!.get('users.update', { name: 'Dora' })
  await other!.get('account.delete', { user: 'u2' })
  t.same(await search('dora'), [])
})

t.test('rooms are found by words of their ids and names, only those the asker may see', async (t) => {
  const broker = await startTestBroker(t)
  const [me, other] = await named(t, broker)
  await other!.get('rooms.create', { room: 'tea-house', name: 'Green Leaves' })
  await other!.get('rooms.create', { room: 'attic', name: 'Tea upstairs', access: 'request' })
  await other!.get('rooms.create', { room: 'secret-tea', name: 'Tea for two', access: 'private' })
  await other!.get('rooms.create', { room: 'steak' })
  await other!.tell('u1', 'hi')
  const list = async (person: Person, params: object) =>
    (await person.get('rooms.list', params)).rooms.map(({ id }: Json) => id)
  t.same(await list(me!, { scope: 'public', query: 'tea' }), ['attic', 'tea-house'])
  t.same(await list(me!, { scope: 'public', query: 'lea green' }), ['tea-house'])
  t.same(await list(me!, { scope: 'public', query: 'secret' }), [])
  t.same(await list(other!, { query: 'tea' }), ['attic', 'secret-tea', 'tea-house'])
  t.same(await list(other!, { query: 'u1' }), ['dm:u1:u2'], 'a conversation by the other')
  t.same(await list(other!, { query: 'u2' }), [], 'not by oneself')
  const page = await me!.get('rooms.list', { scope: 'public', query: 'tea', limit: 1 })
  t.equal(page.more, true)
  t.same(await list(me!, { scope: 'public', query: 'tea', after: page.rooms[0].id }), ['tea-house'])
  const { text } = await fetchFrom(broker, '/v1/rooms?scope=public&query=green', { as: 'u1' })
  t.same(
    JSON.parse(text).rooms.map(({ id }: Json) => id),
    ['tea-house'],
  )
})

t.test('members are found by name, id and role', async (t) => {
  const broker = await startTestBroker(t)
  const [me, ...others] = await named(t, broker)
  await me!.get('rooms.create', { room: 'den' })
  for (const person of others.slice(1)) await person.get('rooms.join', { room: 'den' })
  await me!.get('rooms.setRole', { room: 'den', user: 'u3', role: 'moderator' })
  const find = async (params: object) => usersOf((await me!.get('rooms.members', { room: 'den', ...params })).members)
  t.same(await find({ query: 'ali' }), ['alina', 'u1', 'u3'], 'not who is in no room')
  t.same(await find({ query: 'ali', role: 'moderator' }), ['u3'])
  t.same(await find({ role: 'owner' }), ['u1'])
  t.same(await find({ query: 'ali', limit: 1, after: 'alina' }), ['u1'])
  t.equal((await me!.get('rooms.members', { room: 'den', query: 'ali' })).count, 4, 'the count is of all members')
  t.equal(await others[0]!.fails('rooms.members', { room: 'den', query: 'ali' }), 'forbidden room')
})
