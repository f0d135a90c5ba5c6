/** Profiles and presence of many at once, and who is told that a profile has changed. */
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

async function people(t: Test, broker: TestBroker, ...users: string[]): Promise<Person[]> {
  return Promise.all(users.map((user) => Person.connect(t, broker, user)))
}

async function befriend(one: Person, other: Person): Promise<void> {
  await one.get('contacts.request', { user: other.user })
  await other.get('contacts.accept', { user: one.user })
}

t.test('profiles are read together, only those that changed if asked', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob, carol] = await people(t, broker, 'alice', 'bob', 'carol')
  const { updatedAt } = await bob!.get('users.update', { name: 'Bob' })
  await carol!.get('users.update', { name: 'Carol' })
  const ask = (params: object) => alice!.get('users.profiles', params)
  const all = await ask({ users: ['carol', 'bob', 'alice', 'bob', 'nobody'] })
  t.match(all, { profiles: [{ user: 'alice', name: null }, { name: 'Bob' }, { name: 'Carol' }], more: false })
  t.equal(all.profiles.length, 3, 'each once, none of who does not exist')
  t.match(await ask({ users: ['alice', 'bob'], since: updatedAt - 1 }), { profiles: [{ user: 'bob' }] })
  t.same((await ask({ users: ['alice', 'bob'], since: updatedAt })).profiles, [])
  const { text } = await fetchFrom(broker, '/v1/profiles?users=bob&users=carol', { as: 'alice' })
  t.match(JSON.parse(text), { profiles: [{ user: 'bob' }, { user: 'carol' }] })
})

t.test('profiles that do not fit into a reply come on the next page', async (t) => {
  const broker = await startTestBroker(t, { limits: { replyBytes: 16_384, rates: 'off' } })
  const users = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6']
  const everyone = await people(t, broker, ...users)
  for (const person of everyone)
    await person.get('users.update', {
      fields: Object.fromEntries(['a', 'b', 'c'].map((key) => [key, 'x'.repeat(1000)])),
    })
  const seen: string[] = []
  for (let more = true; more; ) {
    const page: Json = await everyone[0]!.get('users.profiles', {
      users,
      ...(seen.length > 0 ? { after: seen.at(-1) } : {}),
    })
    seen.push(...page.profiles.map(({ user }: Json) => user))
    more = page.more
  }
  t.same(seen, users)
})

t.test('members come with their profiles if asked, a hundred a page', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await people(t, broker, 'alice', 'bob')
  await alice!.get('rooms.create', { room: 'den' })
  await bob!.get('rooms.join', { room: 'den' })
  await bob!.get('users.update', { name: 'Bob' })
  const { members } = await alice!.get('rooms.members', { room: 'den', profiles: true })
  t.match(members, [
    { user: 'alice', profile: { name: null } },
    { user: 'bob', profile: { name: 'Bob' } },
  ])
  t.notOk('profile' in (await alice!.get('rooms.members', { room: 'den' })).members[0])
})

t.test('contacts and members of common private rooms learn of another profile with the presence', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob, carol, dora] = await people(t, broker, 'alice', 'bob', 'carol', 'dora')
  await befriend(alice!, bob!)
  await alice!.get('rooms.create', { room: 'den', access: 'private' })
  await alice!.get('rooms.invite', { room: 'den', user: 'carol' })
  await carol!.get('rooms.join', { room: 'den' })
  for (const person of [bob!, carol!, dora!]) await person.subscribe('users/+/presence')
  const { updatedAt } = await alice!.get('users.update', { name: 'Alice A.' })
  for (const person of [bob!, carol!]) {
    const told = await person.inbox.wait(1, ({ payload }) => payload.includes(`"profileAt":${updatedAt}`))
    t.match(JSON.parse(told[0]!.payload.toString()), { user: 'alice', state: 'online' }, person.user)
  }
  const late = await Person.connect(t, broker, 'bob', { clientId: 'phone' })
  await late.subscribe('users/alice/presence')
  t.match(await late.on('users/alice/presence', 1), [{ profileAt: updatedAt }], 'also who comes later')
  t.notMatch(dora!.lines.join(), 'alice', 'strangers are told nothing')
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob')
  t.match((await again.get('users.presence', { users: ['alice'] })).presences, [{ profileAt: updatedAt }])
})

t.test('a profile that is changed while nobody is connected is told too', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await people(t, broker, 'alice', 'bob')
  await befriend(alice!, bob!)
  await alice!.leave()
  await bob!.subscribe('users/alice/presence')
  const { status, text } = await fetchFrom(broker, '/v1/profile', { method: 'PATCH', as: 'alice', body: { name: 'A' } })
  t.equal(status, 200)
  const { updatedAt } = JSON.parse(text)
  await bob!.inbox.wait(1, ({ payload }) => payload.includes(`"profileAt":${updatedAt}`))
})

t.test('the presence of several users is asked for at once, by what the asker may see', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob, carol] = await people(t, broker, 'alice', 'bob', 'carol')
  await befriend(alice!, bob!)
  await carol!.get('users.update', { name: 'Carol' })
  const { presences } = await alice!.get('users.presence', { users: ['nobody', 'carol', 'bob', 'alice', 'bob'] })
  const status = { status: null, statusEmoji: null, statusUntil: null }
  const hidden = { state: 'offline', ...status, lastSeen: null, devices: 0, profileAt: null }
  t.match(presences[0], { user: 'alice', state: 'online', devices: 1 })
  t.match(presences[1], { user: 'bob', state: 'online', devices: 1 })
  t.same(
    presences.slice(2),
    [
      { user: 'carol', ...hidden },
      { user: 'nobody', ...hidden },
    ],
    'a stranger looks like one who does not exist',
  )
  await bob!.get('blocks.add', { user: 'alice' })
  t.same((await alice!.get('users.presence', { users: ['bob'] })).presences, [{ user: 'bob', ...hidden }])
})
