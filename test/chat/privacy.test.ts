/** What users let others do and know: who may write to them, see them, invite them, and know what they have read. */
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { erased } from '../helpers/erased.js'
import { EventReader } from '../helpers/event-reader.js'
import type { Person } from '../helpers/people.js'
import { people, privateRoom } from '../helpers/rooms.js'

type Attempt = () => Promise<{ error?: { code: string; message: string } }>

/** All ways of `from` to `to`, by name. */
function attempts(from: Person, to: string): Record<string, Attempt> {
  const direct = `rooms/dm:${[from.user, to].sort().join(':')}`
  return {
    'direct message': () => from.refused(`users/${to}/messages`, 'hi'),
    'direct message with a cid': () => from.send(`users/${to}/messages`, { text: 'hi' }),
    reaction: () => from.send(`users/${to}/messages`, { type: 'reaction', target: 1, data: { emoji: '👍' } }),
    'command send': () => from.ask('send', { room: `@${to}`, text: 'hi' }),
    signal: () => from.refused(`users/${to}/signals`, 'hi'),
    typing: () => from.refused(`${direct}/typing`, ''),
  }
}

async function allRefused(t: Test, from: Person, to: string): Promise<void> {
  for (const [name, attempt] of Object.entries(attempts(from, to))) {
    const { error } = await attempt()
    t.match(error, { code: 'forbidden', message: `you may not write to ${to}` }, name)
  }
}

async function befriend(one: Person, other: Person): Promise<void> {
  await one.get('contacts.request', { user: other.user })
  await other.get('contacts.accept', { user: one.user })
}

/** The states of `user` as `person` heard them. */
const states = (person: Person, user: string): string[] =>
  person.inbox.json(`users/${user}/presence`).map(({ state }) => state)

const until = (person: Person, user: string, state: string, count = 1) =>
  person.inbox.wait(
    count,
    ({ topic, payload }) => topic === `users/${user}/presence` && JSON.parse(String(payload)).state === state,
  )

t.test('everything is open until it is changed, and one’s other devices are told of changes', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'])
  const phone = await connect('alice', { clientId: 'phone' })
  await phone.subscribe('users/alice/events')
  const open = { messages: 'everyone', presence: 'everyone', readReceipts: 'everyone', invites: 'everyone' }
  t.same(await alice.get('privacy.get'), open)
  const some = { ...open, messages: 'contacts', invites: 'nobody' }
  t.same(await alice.get('privacy.update', { messages: 'contacts', invites: 'nobody' }), some)
  t.same(await alice.get('privacy.update'), some, 'nothing is no change')
  t.match(await phone.on('users/alice/events', 1), [{ type: 'privacy', ...some }])
  t.equal(await alice.fails('privacy.update', { messages: 'friends' }), 'bad_request messages')
  await broker.restart()
  t.same(await (await connect('alice')).get('privacy.get'), some, 'after a restart too')
  await callAdmin(broker.dataDir, 'user.remove', { name: 'alice' })
  await erased(broker, 'alice')
  t.same(await (await connect('alice', { clientId: 'anew' })).get('privacy.get'), open, 'who has the name next')
})

t.test('who takes messages of contacts alone', async (t) => {
  const { connect, alice, bob, carol, mallory } = await people(t, ['alice', 'bob', 'carol', 'mallory'])
  await alice.subscribe(['users/alice/messages', 'users/alice/signals', 'rooms/+/typing'])
  await befriend(alice, bob)
  await mallory.tell('alice', 'before')
  await alice.hears('before')
  await alice.get('privacy.update', { messages: 'contacts' })

  await t.test('is out of reach for strangers, in a conversation that was open too', async (t) => {
    await allRefused(t, mallory, 'alice')
    await allRefused(t, carol, 'alice')
    const will = { topic: 'users/alice/messages', payload: Buffer.from('last words'), qos: 1, retain: false } as const
    await (await connect('mallory', { clientId: 'dying', will })).vanish()
  })

  await t.test('is reached by contacts, as long as they are', async () => {
    await bob.tell('alice', 'from a contact')
    await bob.publish('users/alice/signals', { offer: 1 })
    await bob.publish('rooms/dm:alice:bob/typing', '')
    await alice.hears('from a contact')
    await alice.inbox.wait(1, ({ topic }) => topic === 'users/alice/signals')
    await alice.inbox.wait(1, ({ topic }) => topic === 'rooms/dm:alice:bob/typing')
    await alice.get('contacts.remove', { user: 'bob' })
    await allRefused(t, bob, 'alice')
  })

  await t.test('is answered by those they wrote to', async () => {
    await alice.tell('carol', 'a question')
    await carol.tell('alice', 'an answer')
    await alice.hears('an answer')
    await alice.tell('mallory', 'all right')
    await mallory.tell('alice', 'thanks')
    await alice.hears('thanks')
  })

  await t.test('heard nothing of what was refused', async (t) => {
    const said = alice.inbox.json('users/alice/messages').map(({ text }) => text)
    t.same(said, ['before', 'from a contact', 'a question', 'an answer', 'all right', 'thanks'])
    t.equal(alice.inbox.json('users/alice/signals').length, 1)
  })
})

t.test('that one has written is remembered over a restart, and not of who has the name next', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice', 'bob'])
  await alice.tell('bob', 'hello')
  await alice.get('privacy.update', { messages: 'contacts' })
  await broker.restart()
  const bob = await connect('bob')
  t.ok((await bob.send('users/alice/messages', { text: 'hi' })).ok)
  const gone = bob.gone()
  await callAdmin(broker.dataDir, 'user.remove', { name: 'bob' })
  await gone
  const other = await connect('bob', { clientId: 'anew' })
  t.match(await other.send('users/alice/messages', { text: 'hi' }), { error: { code: 'forbidden' } })
})

t.test('who takes messages of nobody is reached by nobody, and writes on', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await befriend(alice, bob)
  await alice.get('privacy.update', { messages: 'nobody' })
  await bob.subscribe('users/bob/messages')
  await alice.tell('bob', 'no answer, please')
  await bob.hears('no answer, please')
  await allRefused(t, bob, 'alice')
  await alice.get('privacy.update', { messages: 'everyone' })
  t.ok((await bob.send('users/alice/messages', { text: 'now' })).ok)
})

t.test('invitations come from those who may', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  for (const person of [bob, carol]) await person.get('rooms.create', { room: `of-${person.user}`, access: 'private' })
  await befriend(alice, bob)
  const invite = (person: Person) => person.ask('rooms.invite', { room: `of-${person.user}`, user: 'alice' })
  await alice.get('privacy.update', { invites: 'contacts' })
  const refused = { error: { code: 'forbidden', message: 'you may not invite alice' } }
  t.match(await invite(carol), refused)
  t.ok((await invite(bob)).ok)
  await bob.get('rooms.remove', { room: 'of-bob', user: 'alice' })
  await alice.get('privacy.update', { invites: 'nobody' })
  t.match(await invite(bob), refused)
})

t.test('presence', async (t) => {
  const { broker, connect, alice, bob, carol, eve } = await people(t, ['alice', 'bob', 'carol', 'eve'])
  await privateRoom('den', alice, bob, carol)
  await befriend(alice, bob)
  await bob.subscribe('users/alice/presence')
  for (const person of [carol, eve]) await person.subscribe('users/+/presence')
  const stream = await EventReader.open(t, broker, '/v1/events?filter=users/%2B/presence', { as: 'carol' })
  const streamed = () =>
    stream.events.filter(({ data }) => data.message?.user === 'alice').map(({ data }) => data.message.state)
  for (const person of [bob, carol]) await until(person, 'alice', 'online')
  await stream.until(() => streamed().length === 1)

  await t.test('is taken back at once from those it is no longer for', async (t) => {
    await alice.get('privacy.update', { presence: 'contacts' })
    const [gone] = await until(carol, 'alice', 'offline')
    t.match(JSON.parse(String(gone!.payload)), { state: 'offline', status: null, lastSeen: null, devices: 0 })
    await stream.until(() => streamed().at(-1) === 'offline')
    await alice.publish('users/alice/presence', { status: 'among friends' })
    await bob.inbox.wait(1, ({ payload }) => payload.includes('among friends'))
    t.notOk(states(bob, 'alice').includes('offline'), 'not from a contact')
    await alice.get('privacy.update', { presence: 'nobody' })
    await until(bob, 'alice', 'offline')
  })

  await t.test('is not held for them either, named or by a wildcard', async (t) => {
    for (const user of ['bob', 'carol']) {
      const other = await connect(user, { clientId: `${user}-2` })
      t.same(await other.subscribe(['users/alice/presence', 'users/+/presence']), [0x80, 1])
      await other.inbox.wait(1, ({ topic }) => topic === `users/${user}/presence`)
      t.same(states(other, 'alice'), [])
    }
    const again = await EventReader.open(t, broker, '/v1/events?filter=users/%2B/presence', { as: 'carol' })
    await again.until(() => again.events.some(({ data }) => data.message?.user === 'carol'))
    t.notOk(again.events.some(({ data }) => data.message?.user === 'alice'))
  })

  await t.test('is one’s own all the same', async () => {
    await alice.subscribe('users/alice/presence')
    await until(alice, 'alice', 'online')
  })

  await t.test('is shown at once to those it is for again', async (t) => {
    const before = states(carol, 'alice').length
    await alice.get('privacy.update', { presence: 'everyone' })
    await until(carol, 'alice', 'online', 2)
    t.same(states(carol, 'alice').slice(before), ['online'])
    await stream.until(() => streamed().at(-1) === 'online')
    t.same(states(eve, 'alice'), [], 'never to strangers')
  })
})

t.test('a block and the end of a contact take presence back at once', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  for (const person of [bob, carol]) {
    await person.subscribe('users/+/presence')
    await befriend(alice, person)
    await until(person, 'alice', 'online')
  }
  await alice.get('contacts.remove', { user: 'bob' })
  await until(bob, 'alice', 'offline')
  await carol.get('blocks.add', { user: 'alice' })
  await until(carol, 'alice', 'offline')
  await bob.get('blocks.add', { user: 'alice' })
  await bob.get('blocks.remove', { user: 'alice' })
  await alice.publish('users/alice/presence', { status: 'on my own' })
  for (const person of [bob, carol]) {
    await person.publish(`users/${person.user}/presence`, { status: 'marker' })
    await person.inbox.wait(1, ({ payload }) => payload.includes('marker'))
    t.same(states(person, 'alice'), ['online', 'offline'])
  }
})

t.test('receipts are told among those who tell each other', async (t) => {
  const { connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await privateRoom('den', alice, bob, carol)
  await befriend(alice, bob)
  for (const text of ['1', '2', '3']) await alice.say('den', text)
  const phone = await connect('alice', { clientId: 'phone' })
  const topic = 'rooms/den/receipts'
  for (const person of [alice, bob, carol, phone]) await person.subscribe(topic)
  const told = (person: Person) => person.inbox.json(topic).map(({ user, read }) => `${user} ${read}`)
  const hears = (person: Person, what: string) =>
    person.inbox.wait(1, (m) => {
      if (m.topic !== topic) return false
      const { user, read } = JSON.parse(String(m.payload))
      return `${user} ${read}` === what
    })
  const asked = async (person: Person) => {
    const { receipts } = await person.get('receipts', { room: 'den' })
    const synced = (await person.get('sync')).rooms.find(({ room }: { room: string }) => room === 'den').receipts
    t.same(synced, receipts, 'sync says the same')
    return receipts.map(({ user, read }: { user: string; read: number }) => `${user} ${read}`)
  }

  await alice.get('privacy.update', { readReceipts: 'contacts' })
  await alice.publish(topic, { read: 1 })
  await hears(bob, 'alice 1')
  await carol.publish(topic, { read: 2 })
  await hears(bob, 'carol 2')
  await bob.publish(topic, { read: 2 })
  for (const person of [alice, carol]) await hears(person, 'bob 2')
  t.same(told(carol), ['carol 2', 'bob 2'], 'no contact')
  t.same(told(alice), ['alice 1', 'bob 2'], 'who does not tell is not told')
  t.same(await asked(alice), ['alice 1', 'bob 2'])
  t.same(await asked(bob), ['alice 1', 'bob 2', 'carol 2'])
  t.same(await asked(carol), ['bob 2', 'carol 2'])
  t.match(await carol.get('receipts', { room: 'den', seq: 1 }), { read: 2, delivered: 2 }, 'nor in counts')

  await alice.get('privacy.update', { readReceipts: 'nobody' })
  await alice.publish(topic, { read: 3 })
  await hears(phone, 'alice 3')
  await bob.publish(topic, { read: 3 })
  await hears(carol, 'bob 3')
  t.same(await asked(bob), ['bob 3', 'carol 2'])
  t.notOk(told(bob).includes('alice 3'))
  t.notOk(told(alice).includes('bob 3'))
  t.match((await alice.get('unread', { room: 'den' })).rooms, [{ read: 3, unread: 0 }], 'it is read for oneself')
  await alice.get('privacy.update', { readReceipts: 'everyone' })
  t.same(await asked(bob), ['alice 1', 'bob 3', 'carol 2'], 'what was read in silence stays so')
})

t.test('whoever shuts out others still reaches their own other devices', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  const phone = await connect('alice', { clientId: 'phone' })
  await phone.subscribe('users/alice/signals')
  for (const messages of ['contacts', 'nobody']) {
    await alice.get('privacy.update', { messages })
    await alice.publish('users/alice/signals', { now: messages })
  }
  const heard = await phone.on('users/alice/signals', 2)
  t.match(heard, [{ data: { now: 'contacts' } }, { data: { now: 'nobody' } }])
})
