/** What becomes of messages after they were sent: edits, deletions, reactions, pins, and what refers to them. */
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { history, join, outcome } from '../helpers/messages.js'
import type { Person } from '../helpers/people.js'
import { awayWith, back } from '../helpers/phone.js'

const LOBBY = 'rooms/lobby/messages'

/** People in the private room `den`: the first owns it, the others have the roles given. */
async function den(
  t: Test,
  broker: TestBroker,
  owner: string,
  roles: Record<string, string>,
): Promise<Record<string, Person>> {
  const boss = await join(t, broker, owner)
  await boss.get('rooms.create', { room: 'den', access: 'private' })
  const people: Record<string, Person> = { [owner]: boss }
  for (const [user, role] of Object.entries(roles)) {
    const person = await join(t, broker, user)
    people[user] = person
    await boss.get('rooms.invite', { room: 'den', user })
    await person.get('rooms.join', { room: 'den' })
    await boss.get('rooms.update', { room: 'den', user, role })
  }
  return people
}

const DEN = 'rooms/den/messages'

t.test('a deleted message is gone for everyone, at once and for good', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await join(t, broker, 'alice')
  await awayWith(t, broker, [LOBBY, 'rooms/lobby/text'])
  await alice.subscribe([LOBBY, 'rooms/lobby/text'])
  await alice.say('lobby', 'first')
  await alice.say('lobby', 'secret')
  t.equal(await outcome(alice, LOBBY, { type: 'edit', target: 2, text: 'secret still' }), 3)
  const reply = await alice.send(LOBBY, { cid: 'd', type: 'delete', target: 2 })
  t.match(reply, { ok: true, result: { seq: 4 } })
  await alice.say('lobby', 'last')
  const live = await alice.on(LOBBY, 5)
  t.match(live[2], { seq: 3, type: 'edit', target: 2, text: 'secret still', from: 'alice' })
  t.match(live[3], { seq: 4, type: 'delete', target: 2, from: 'alice', id: reply.result.id })
  const { at } = { at: live[3].ts }
  const tombstones = [
    { seq: 2, gone: 'deleted', by: 'alice', at },
    { seq: 3, gone: 'deleted', by: 'alice', at },
  ]
  const raw = async (person: Person) => (await person.get('history', { room: 'lobby' })).messages
  t.same((await raw(alice)).slice(1, 3), tombstones)

  const phone = await back(t, broker)
  await phone.hears('last')
  await phone.inbox.wait(2, ({ topic }) => topic === 'rooms/lobby/text')
  t.same(
    (await phone.on(LOBBY, 3)).map(({ seq }) => seq),
    [1, 4, 5],
    'who was away hears of the deletion alone',
  )
  t.same(
    phone.lines.filter((line) => line.startsWith('rooms/lobby/text')),
    ['rooms/lobby/text first', 'rooms/lobby/text last'],
  )
  for (const type of ['edit', 'delete']) {
    const { error } = await alice.send(LOBBY, { type, target: 2, ...(type === 'edit' ? { text: 'x' } : {}) })
    t.match(error, { code: 'not_found', field: 'target', message: 'message 2 was deleted' })
  }
  t.match(
    await alice.send(LOBBY, { cid: 'd', type: 'delete', target: 2 }),
    reply,
    'a retry is answered as the first time',
  )
  t.match(await alice.send(LOBBY, { cid: 'd', type: 'delete', target: 1 }), { error: { code: 'conflict' } })
  await broker.restart()
  const again = await join(t, broker, 'alice')
  t.same((await raw(again)).slice(1, 3), tombstones)
  t.match(await again.send(LOBBY, { cid: 'd', type: 'delete', target: 2 }), { ok: true, result: { seq: 4 } })
  t.same((await raw(again)).length, 5)
})

t.test('who may edit and delete what', async (t) => {
  const broker = await startTestBroker(t)
  const cast = await den(t, broker, 'owner', {
    ...{ admin: 'admin', moderator: 'moderator', member: 'member', author: 'member', reader: 'reader' },
  })
  const root = await join(t, broker, 'root', { roles: ['admin'] })
  const stranger = await join(t, broker, 'stranger')
  await cast['owner']!.get('rooms.invite', { room: 'den', user: 'root' })
  await root.get('rooms.join', { room: 'den' })
  const who: Record<string, Person> = { ...cast, root, stranger }
  let seq = 0
  for (const [user, expected] of Object.entries({
    ...{ owner: 'ok', admin: 'ok', moderator: 'ok', author: 'ok', root: 'ok' },
    ...{ member: 'forbidden target', reader: 'forbidden undefined', stranger: 'not_found room' },
  })) {
    await cast['author']!.say('den', 'mine')
    const target = ++seq
    for (const change of [{ type: 'edit', text: 'changed' }, { type: 'delete' }]) {
      const got = await outcome(who[user]!, DEN, { ...change, target })
      if (expected === 'ok') seq++
      t.equal(got, expected === 'ok' ? seq : expected, `${user} ${change.type}`)
    }
  }
  t.equal(await outcome(cast['moderator']!, DEN, { text: 'a moderator writes' }), ++seq)
  t.equal(
    (await cast['moderator']!.ask('rooms.update', { room: 'den', name: 'x' })).ok,
    false,
    'but changes not the room',
  )

  const { author, member } = cast as { author: Person; member: Person }
  await author.tell('member', 'psst')
  t.equal(await outcome(member, 'users/author/messages', { type: 'delete', target: 1 }), 'forbidden target')
  t.equal(await outcome(member, 'users/author/messages', { type: 'edit', target: 1, text: 'x' }), 'forbidden target')
  t.equal(await outcome(author, 'users/member/messages', { type: 'edit', target: 1, text: 'PSST' }), 2)
  t.equal(await outcome(author, 'users/member/messages', { type: 'delete', target: 1 }), 3)
  t.same(await history(member, '@author'), ['1 deleted', '2 deleted', '3 undefined'])
  t.equal(
    await outcome(root, 'users/member/messages', { type: 'delete', target: 1 }),
    'not_found target',
    'nothing there',
  )
})

t.test('changes that make no sense are refused', async (t) => {
  const clock = movableClock(t)
  const broker = await startTestBroker(t, { listen: { connectTimeout: '1d' }, history: { editWindow: '1m' } })
  const alice = await join(t, broker, 'alice')
  await alice.say('lobby', 'one')
  await alice.say('lobby', { type: 'edit', target: 1, text: 'ONE' })
  await alice.say('lobby', { text: 'short', ttl: 10 })
  await alice.say('lobby', { data: { n: 1 }, type: 'custom' })
  clock.forward(11)
  for (const [message, expected] of [
    [{ type: 'edit', text: 'x' }, 'bad_request target'],
    [{ type: 'edit', target: 0, text: 'x' }, 'bad_request target'],
    [{ type: 'edit', target: '1', text: 'x' }, 'bad_request target'],
    [{ type: 'edit', target: 1 }, 'bad_request text'],
    [{ type: 'edit', target: 1, text: 'x', ttl: 5 }, 'bad_request ttl'],
    [{ type: 'edit', target: 1, text: 'x', thread: 1 }, 'bad_request thread'],
    [{ type: 'edit', target: 99, text: 'x' }, 'not_found target'],
    [{ type: 'edit', target: 2, text: 'x' }, 'bad_request target'],
    [{ type: 'edit', target: 3, text: 'x' }, 'not_found target'],
    [{ type: 'delete' }, 'bad_request target'],
    [{ type: 'delete', target: 1, text: 'x' }, 'bad_request text'],
    [{ type: 'delete', target: 2 }, 'bad_request target'],
    [{ type: 'delete', target: 3 }, 'not_found target'],
    [{ text: 'x', target: 1 }, 'bad_request target'],
    [{ type: 'edit', target: 4, data: { n: 2 } }, 5],
  ] as const) {
    t.equal(await outcome(alice, LOBBY, message), expected, JSON.stringify(message))
  }
  const refused = await alice.refused(LOBBY, { type: 'delete', target: 99 })
  t.match(refused, { re: null, topic: LOBBY, error: { code: 'not_found' } }, 'without a cid too')
  clock.forward(50)
  t.equal(
    await outcome(alice, LOBBY, { type: 'edit', target: 1, text: 'late' }),
    'forbidden target',
    'the window is over',
  )
  t.equal(await outcome(alice, LOBBY, { type: 'delete', target: 1 }), 6, 'deleting has none')
  const admin = await join(t, broker, 'root', { roles: ['admin'] })
  await admin.publish('broadcast/news', 'news')
  t.equal(await outcome(admin, 'broadcast/news', { type: 'delete', target: 1 }), 'bad_request type')
})

t.test('changes of one message that come at the same time are made one after another', async (t) => {
  const broker = await startTestBroker(t)
  const phone = await join(t, broker, 'alice', { clientId: 'phone' })
  const laptop = await join(t, broker, 'alice', { clientId: 'laptop' })
  for (const device of [phone, laptop]) await device.get('rooms.list')
  const rounds = 20
  for (let i = 0; i < rounds; i++) await phone.say('lobby', `secret ${i}`)
  const deletions: Promise<string | number>[] = []
  const edits: Promise<string | number>[] = []
  // The devices are one user's: their cids must differ.
  let cids = 0
  const change = (device: Person, message: object) => outcome(device, LOBBY, { cid: `c${++cids}`, ...message })
  for (let target = 1; target <= rounds; target++) {
    const edit = { type: 'edit', target, text: `secret edit ${target}` }
    edits.push(change(laptop, edit), change(phone, edit))
    deletions.push(change(phone, { type: 'delete', target }))
    edits.push(change(phone, edit), change(laptop, edit))
  }
  t.same(
    (await Promise.all(deletions)).filter((seq) => typeof seq === 'string'),
    [],
  )
  const made = (await Promise.all(edits)).filter((seq) => typeof seq === 'number')
  t.ok(
    made.length >= rounds && made.length <= rounds * 3,
    'an edit before the deletion is made, one after it is refused',
  )
  const { messages } = await phone.get('history', { room: 'lobby', limit: 1000 })
  t.notOk(JSON.stringify(messages).includes('secret'), 'nothing of what was said is left')
  t.same(messages.length, rounds * 2 + made.length)
})

/** Sends one after the other, and compares what became of each with what it should. */
async function expectOutcomes(t: Test, topic: string, sends: [Person, object, number | string][]): Promise<void> {
  for (const [person, message, expected] of sends)
    t.equal(await outcome(person, topic, message), expected, `${person.user} ${JSON.stringify(message)}`)
}

const react = (target: number, emoji: string, remove?: boolean) => ({
  type: 'reaction',
  target,
  data: { emoji, ...(remove === undefined ? {} : { remove }) },
})

t.test('a reaction is there once per user and emoji, and can be taken back', async (t) => {
  const broker = await startTestBroker(t, { limits: { reactionsPerMessage: 22 } })
  const alice = await join(t, broker, 'alice')
  const bob = await join(t, broker, 'bob')
  await bob.subscribe([LOBBY, 'rooms/lobby/text'])
  await alice.say('lobby', 'hi')
  await expectOutcomes(t, LOBBY, [
    [alice, react(1, '👍'), 2],
    [bob, react(1, '👍'), 3],
    [bob, react(1, '👍'), 3],
    [bob, react(1, '👍', false), 3],
    [bob, react(1, '👨‍👩‍👧'), 4],
    [bob, react(1, ':party/time:'), 5],
    [bob, react(1, '👍', true), 6],
    [bob, react(1, '👍', true), 6],
    [bob, react(1, '👎', true), 'not_found data'],
    [bob, react(1, '👍'), 7],
    [bob, react(9, '👍'), 'not_found target'],
    [bob, react(2, '👍'), 'bad_request target'],
    [bob, { type: 'reaction', target: 1 }, 'bad_request data'],
    [bob, { type: 'reaction', target: 1, text: '👍' }, 'bad_request text'],
    [bob, react(1, ''), 'bad_request data'],
    [bob, react(1, 'a b'), 'bad_request data'],
    [bob, react(1, 'x'.repeat(65)), 'bad_request data'],
    [bob, { type: 'reaction', target: 1, data: { emoji: '👍', more: 1 } }, 'bad_request data'],
    [bob, { ...react(1, '👍'), cid: 'again' }, 7],
  ])
  const seen = await bob.on(LOBBY, 7)
  t.match(seen[1], { type: 'reaction', target: 1, data: { emoji: '👍' }, from: 'alice' })
  t.same(
    bob.lines.filter((line) => line.startsWith('rooms/lobby/text')),
    ['rooms/lobby/text hi'],
  )
  t.same(
    (await history(alice, 'lobby')).map((line) => line.replace('undefined', 'there')),
    ['1 hi', '2 there', '3 deleted', '4 there', '5 there', '6 deleted', '7 there'],
    'what was taken back is gone, and so is the taking back of what is there again',
  )
  for (let i = 0; i < 17; i++) t.type(await outcome(bob, LOBBY, react(1, `:${i}:`)), 'number')
  t.equal(
    await outcome(bob, LOBBY, react(1, ':one too many:'.replaceAll(' ', '-'))),
    'conflict data',
    'twenty of one user',
  )
  t.type(await outcome(alice, LOBBY, react(1, '👎')), 'number')
  t.equal(await outcome(alice, LOBBY, react(1, '🙂')), 'conflict target', 'and not more than a message may have')
  t.type(await outcome(alice, LOBBY, { type: 'delete', target: 1 }), 'number')
  const { messages } = await alice.get('history', { room: 'lobby', limit: 1000 })
  t.notOk(JSON.stringify(messages).includes('emoji'), 'reactions go with their message')
  t.equal(await outcome(bob, LOBBY, react(1, '👍')), 'not_found target')
})

t.test('pins are set by those who moderate, and in a direct conversation by both', async (t) => {
  const broker = await startTestBroker(t)
  const { owner, moderator, member } = (await den(t, broker, 'owner', {
    ...{ moderator: 'moderator', member: 'member' },
  })) as { owner: Person; moderator: Person; member: Person }
  await member.say('den', 'hi')
  await expectOutcomes(t, DEN, [
    [member, { type: 'pin', target: 1 }, 'forbidden target'],
    [moderator, { type: 'pin', target: 1 }, 2],
    [owner, { type: 'pin', target: 1 }, 2],
    [member, { type: 'unpin', target: 1 }, 'forbidden target'],
    [owner, { type: 'unpin', target: 1 }, 3],
    [owner, { type: 'unpin', target: 1 }, 'not_found target'],
    [owner, { type: 'pin', target: 2 }, 'bad_request target'],
    [owner, { type: 'pin', target: 1, text: 'x' }, 'bad_request text'],
    [owner, { type: 'pin', target: 1 }, 4],
  ])
  await owner.tell('member', 'psst')
  t.equal(await outcome(member, 'users/owner/messages', { type: 'pin', target: 1 }), 2)
})

t.test('a room has a bounded number of pins', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await join(t, broker, 'alice')
  await alice.get('rooms.create', { room: 'den' })
  const texts = Array.from({ length: 101 }, (_, i) => alice.say('den', `${i}`))
  await Promise.all(texts)
  await alice.get('rooms.list')
  const pins = await Promise.all(texts.map((_, i) => outcome(alice, DEN, { type: 'pin', target: i + 1 })))
  t.equal(pins.filter((seq) => seq === 'conflict target').length, 1)
  t.type(await outcome(alice, DEN, { type: 'unpin', target: 1 }), 'number')
  t.type(await outcome(alice, DEN, { type: 'pin', target: 101 }), 'number')
})

t.test('what a message refers to has to be there', async (t) => {
  const broker = await startTestBroker(t)
  const { owner, member, moderator } = (await den(t, broker, 'owner', {
    ...{ member: 'member', moderator: 'moderator' },
  })) as { owner: Person; member: Person; moderator: Person }
  await owner.say('den', 'root')
  await expectOutcomes(t, DEN, [
    [member, { text: 'in the thread', thread: 1 }, 2],
    [member, { text: 'an answer', replyTo: 2, thread: 1 }, 3],
    [member, { text: 'x', thread: 2 }, 'bad_request thread'],
    [member, { text: 'x', thread: 99 }, 'not_found thread'],
    [member, { text: 'x', replyTo: 4 }, 'not_found replyTo'],
    [owner, { type: 'delete', target: 1 }, 4],
    [member, { text: 'too late, and yet', thread: 1, replyTo: 1 }, 5],
    [member, { text: 'x', replyTo: 4 }, 'bad_request replyTo'],
    [member, { text: 'x', mentions: ['@owner', '@someone'] }, 6],
    [member, { text: 'x', mentions: ['owner'] }, 'bad_request mentions'],
    [member, { text: 'x', mentions: ['@no such'] }, 'bad_request mentions'],
    [member, { text: 'x', mentions: ['@room'] }, 'forbidden mentions'],
    [moderator, { text: 'x', mentions: ['@room'] }, 7],
    [member, { type: 'edit', target: 6, text: 'x', mentions: ['@room'] }, 'forbidden mentions'],
  ])
})

t.test('who has a name anew changes nothing of what was written under it before', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await join(t, broker, 'alice')
  const { accounts } = broker.running
  await accounts.add('bob', 'bob-pw')
  await alice.tell('bob', 'to the bob of before')
  await callAdmin(broker.dataDir, 'user.remove', { name: 'bob' })
  await accounts.add('bob', 'bob-pw-2')
  const after = await join(t, broker, 'bob', { password: 'bob-pw-2' })
  await after.tell('alice', 'new')
  t.equal(await outcome(after, 'users/alice/messages', { type: 'edit', target: 1, text: 'x' }), 'not_found target')
  t.equal(await outcome(after, 'users/alice/messages', { type: 'delete', target: 1 }), 'not_found target')
  t.equal(await outcome(after, 'users/alice/messages', { text: 'x', replyTo: 1 }), 'not_found replyTo')
  t.equal(await outcome(after, 'users/alice/messages', react(2, '👍')), 3)
  t.equal(await outcome(alice, 'users/bob/messages', react(1, '👍')), 4)
})

t.test('places and encrypted messages are edited as what they are', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = [await join(t, broker, 'alice'), await join(t, broker, 'bob')]
  await bob.subscribe([LOBBY, 'rooms/lobby/text'])
  const code = ({ error }: { error?: { code: string; field: string } }) =>
    error ? `${error.code} ${error.field}` : 'ok'
  const edit = async (target: number, more: object) => code(await alice.send(LOBBY, { type: 'edit', target, ...more }))
  await alice.send(LOBBY, { type: 'location', data: { lat: 1, lon: 2 } })
  await alice.send(LOBBY, { type: 'encrypted', data: 'c2VjcmV0' })
  t.equal(await edit(1, { data: { lat: 91, lon: 2 } }), 'bad_request data')
  t.equal(await edit(1, { text: 'nowhere' }), 'bad_request data')
  t.equal(await edit(1, { data: { lat: 3, lon: 4, name: 'Ulm' }, text: 'there' }), 'ok')
  t.equal(await edit(2, { text: 'in the clear' }), 'bad_request text')
  t.equal(await edit(2, { data: 'bmV3', mentions: ['@bob'] }), 'bad_request mentions')
  t.equal(await edit(2, { data: 'bmV3' }), 'ok')
  t.ok((await alice.send(LOBBY, { text: 'end' })).ok)
  const { messages } = await bob.get('history', { room: 'lobby', view: 'folded' })
  t.match(messages, [
    { type: 'location', data: { lat: 3, lon: 4, name: 'Ulm' }, text: 'there', edits: 1 },
    { type: 'encrypted', data: 'bmV3', edits: 1 },
    { text: 'end' },
  ])
  await bob.inbox.wait(1, ({ topic, payload }) => topic === 'rooms/lobby/text' && String(payload) === 'end')
  const bare = bob.heard.filter(({ topic }) => topic === 'rooms/lobby/text').map(({ payload }) => String(payload))
  t.notOk(bare.includes('"c2VjcmV0"'), 'there is no bare text in what is encrypted')
  t.match(bob.inbox.json(LOBBY)[1], { seq: 2, type: 'encrypted', data: 'c2VjcmV0' }, 'it is passed on as it came')
})
