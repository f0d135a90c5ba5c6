/** One call after any absence: what was missed, what changed, what was read, and what is void. */
import t, { type Test } from 'tap'
import { drop } from '../contract/store-suite.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { openDen } from '../helpers/den.js'
import { Person } from '../helpers/people.js'
import { Random } from '../helpers/random.js'
import { countUnread, foldMessages, SyncedClient } from '../helpers/synced-client.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

async function people<N extends string>(t: Test, names: N[], overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const entries = await Promise.all(names.map(async (name) => [name, await Person.connect(t, broker, name)] as const))
  return { broker, ...(Object.fromEntries(entries) as Record<N, Person>) }
}

const texts = (messages: Json[]) => messages.map(({ text, gone }) => gone ?? text)

t.test('a client that knows nothing gets its rooms with their newest messages', async (t) => {
  const { broker, alice, bob, eve } = await people(t, ['alice', 'bob', 'eve'])
  await openDen(alice, bob)
  for (let i = 1; i <= 5; i++) await alice.say('den', `m${i}`)
  await alice.say('den', { type: 'edit', target: 4, text: 'm4b' })
  await alice.tell('bob', 'hi')
  await alice.publish('rooms/den/receipts', { read: 5 })
  const first = await bob.get('sync', { limit: 2 })
  t.match(first, { epoch: broker.running.store.epoch, left: [], more: false })
  t.match(first.rooms, [
    {
      room: 'den',
      at: { seq: 6, id: String, created: Number, events: 2 },
      reset: false,
      more: true,
      before: 4,
      changed: [],
      head: 6,
      read: 0,
      unread: 5,
      mentions: 0,
      receipts: [{ user: 'alice', read: 5 }],
      info: { id: 'den', role: 'member', members: 2 },
    },
    { room: 'dm:alice:bob', at: { seq: 1 }, unread: 1, more: false, info: { direct: true } },
  ])
  t.same(texts(first.rooms[0].messages), ['m4b', 'm5'])
  t.match(await eve.get('sync'), { rooms: [], epoch: first.epoch, left: [], reset: false, more: false, since: String })
})

t.test('later it gets what is new, and what became of what it has', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  for (let i = 1; i <= 5; i++) await alice.say('den', `m${i}`)
  const { epoch, rooms } = await bob.get('sync')
  const { at } = rooms[0]
  t.match(await bob.get('sync', { epoch, rooms: { den: at } }), {
    rooms: [{ messages: [], changed: [], reset: false }],
  })
  t.notOk('info' in (await bob.get('sync', { epoch, rooms: { den: at } })).rooms[0], 'nothing changed about the room')
  await alice.say('den', { type: 'edit', target: 2, text: 'm2b' })
  await alice.say('den', { type: 'delete', target: 3 })
  await bob.say('den', { type: 'reaction', target: 4, data: { emoji: '👍' } })
  await alice.say('den', 'm9')
  await alice.say('den', { type: 'edit', target: 9, text: 'm9b' })
  await alice.get('rooms.update', { room: 'den', topic: 'news' })
  for (const place of [at, { seq: 5 }]) {
    const [room] = (await bob.get('sync', { epoch, rooms: { den: place } })).rooms
    t.match(room, { reset: false, more: false, unread: 5, info: { topic: 'news' } })
    t.same(texts(room.messages), ['m9b'])
    t.match(room.changed, [
      { seq: 2, text: 'm2b', edits: 1 },
      { seq: 3, gone: 'deleted', by: 'alice' },
      { seq: 4, reactions: [{ emoji: '👍', count: 1, me: true }] },
    ])
  }
})

t.test('what a client holds is void where the room has another past', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  for (let i = 1; i <= 3; i++) await alice.say('den', `m${i}`)
  const { epoch, rooms } = await bob.get('sync')
  const { at } = rooms[0]
  for (const [name, params] of [
    ['another epoch', { epoch: 'other', rooms: { den: at } }],
    ['a seq beyond the head', { epoch, rooms: { den: { seq: 4 } } }],
    ['another message under that number', { epoch, rooms: { den: { ...at, id: 'other' } } }],
    ['another room of that name', { epoch, rooms: { den: { ...at, created: 1 } } }],
  ] as const) {
    const [room] = (await bob.get('sync', params)).rooms
    t.ok(room.reset, name)
    t.same(texts(room.messages), ['m1', 'm2', 'm3'], name)
  }
  await alice.get('rooms.delete', { room: 'den' })
  t.match(await bob.get('sync', { epoch, rooms: { den: at } }), { rooms: [], left: ['den'] })
  await openDen(alice, bob)
  for (let i = 1; i <= 4; i++) await alice.say('den', `n${i}`)
  const [room] = (await bob.get('sync', { epoch, rooms: { den: at } })).rooms
  t.ok(room.reset)
  t.same(texts(room.messages), ['n1', 'n2', 'n3', 'n4'])
})

t.test('who has missed too much to be told of changes begins anew', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  await alice.say('den', 'first')
  await Promise.all(Array.from({ length: 2100 }, (_, i) => alice.say('den', `m${i}`)))
  const [room] = (await bob.get('sync', { rooms: { den: { seq: 1 } }, limit: 3 })).rooms
  t.match(room, { reset: true, more: true, before: 2099, unread: 100, at: { seq: 2101 } })
  t.equal(room.messages.length, 3)
  const [near] = (await bob.get('sync', { rooms: { den: { seq: 101 } }, limit: 3 })).rooms
  t.match(near, { reset: false, more: true, before: 2099 })
})

/** Retention drops what it may of a room, once what is there is in chunks: removing a log sees to that. */
async function retain(broker: TestBroker, room: string, keep: number): Promise<number> {
  const { log } = broker.running.store
  await drop(broker.running.store, 'm:no-such-room')
  await log.retain(`m:${room}`, { before: 0, keep })
  return (await log.open(`m:${room}`)).tail
}

t.test('what retention took is a gap that is told', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await openDen(alice, bob)
  for (let i = 1; i <= 5; i++) await alice.say('den', `m${i}`)
  const { at } = (await bob.get('sync')).rooms[0]
  await Promise.all(Array.from({ length: 300 }, (_, i) => alice.say('den', `n${i}`)))
  const tail = await retain(broker, 'den', 50)
  t.ok(tail > 6)
  const [room] = (await bob.get('sync', { rooms: { den: at } })).rooms
  t.match(room, { reset: false, tail, gap: { from: 6, to: tail - 1 }, more: true })
  const [next] = (await bob.get('sync', { rooms: { den: room.at } })).rooms
  t.notOk('gap' in next, 'once')
})

t.test('many rooms come in pages of bounded size', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { limits: { replyBytes: 20_000 } })
  const names = Array.from({ length: 30 }, (_, i) => `room-${String(i).padStart(2, '0')}`)
  for (const room of names) {
    await alice.get('rooms.create', { room })
    await bob.get('rooms.join', { room })
    for (let i = 0; i < 3; i++) await alice.say(room, `${i}`.repeat(500))
  }
  const client = new SyncedClient()
  await client.sync(bob)
  t.same([...client.rooms.keys()], names)
  t.ok(client.pages > 1 && client.pages < 10, `${client.pages} pages`)
  t.ok([...client.rooms.values()].every(({ messages }) => messages.size === 3))
  await alice.say('room-17', 'x'.repeat(15_000))
  await client.sync(bob, { maxBytes: 4096 })
  t.equal(client.rooms.get('room-17')!.messages.size, 4, 'one that does not fit is asked for by history')
})

t.test('what is no place is refused', async (t) => {
  const { bob } = await people(t, ['bob'])
  for (const [params, fault] of [
    [{ rooms: [] }, 'bad_request rooms'],
    [{ rooms: { den: 5 } }, 'bad_request rooms.den'],
    [{ rooms: { den: { seq: -1 } } }, 'bad_request rooms.den.seq'],
    [{ rooms: { den: {} } }, 'bad_request seq'],
    [{ limit: 0 }, 'bad_request limit'],
    [{ maxBytes: 1 }, 'bad_request maxBytes'],
    [{ cursor: 1 }, 'bad_request cursor'],
  ] as const)
    t.equal(await bob.fails('sync', params), fault)
  t.match(await bob.get('sync', { rooms: { nowhere: { seq: 3 } } }), { rooms: [], left: ['nowhere'] })
})

t.test('whoever was away knows what they would if they had been there', { timeout: 600_000 }, async (t) => {
  const random = Random.from('SYNC_SEED')
  t.comment(`SYNC_SEED=${random.seed}`)
  const { broker, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  const names = ['den', 'hall']
  for (const room of names) {
    await alice.get('rooms.create', { room })
    for (const person of [bob, carol]) await person.get('rooms.join', { room })
  }
  await carol.subscribe('rooms/+/messages')
  const reads = new Map<string, number>()
  const clients = [new SyncedClient(), new SyncedClient('token')]
  const of = (room: string): Json[] => carol.inbox.json(`rooms/${room}/messages`)
  const act = async (): Promise<void> => {
    const room = random.pick(names)
    const topic = `rooms/${room}/messages`
    const who = random.pick([alice, carol, bob])
    const known = [...foldMessages(of(room))].filter(([, { gone }]) => !gone)
    const [target, about] = known.length > 0 ? random.pick(known) : [0, {}]
    const own = about.from === who.user
    const dice = random.below(10)
    if (dice < 4 || target === 0) {
      const mentions = random.chance(0.3) ? { mentions: [random.pick(['@bob', '@carol'])] } : {}
      const thread = target > 0 && about.thread === undefined && random.chance(0.2) ? { thread: target } : {}
      await who.send(topic, { text: `t${random.below(1000)}`, ...mentions, ...thread })
    } else if (dice < 5 && own) await who.send(topic, { type: 'edit', target, text: `e${random.below(1000)}` })
    else if (dice < 6 && own) await who.send(topic, { type: 'delete', target })
    else if (dice < 8) {
      const emoji = random.pick(['👍', '🎉'])
      await who.send(topic, { type: 'reaction', target, data: { emoji, remove: random.chance(0.4) } })
    } else if (dice < 9) await alice.send(topic, { type: random.pick(['pin', 'unpin']), target })
    else {
      // Refused while bob is out of the room.
      const { ok } = await who.ask('read', { room, seq: target })
      if (ok) reads.set(`${room} ${who.user}`, Math.max(target, reads.get(`${room} ${who.user}`) ?? 0))
    }
    const { head } = await broker.running.store.log.open(`m:${room}`)
    await carol.inbox.wait(head, (message) => message.topic === topic)
  }
  for (let round = 0; round < 25; round++) {
    for (let i = random.below(30); i > 0; i--) await act()
    if (random.chance(0.2)) {
      await bob.get('rooms.leave', { room: 'hall' })
      if (random.chance(0.5)) for (const client of clients) await client.sync(bob)
      await act()
      await bob.get('rooms.join', { room: 'hall' })
      reads.set('hall bob', (await broker.running.store.log.open('m:hall')).head)
    }
    if (random.chance(0.2)) await retain(broker, random.pick(names), random.between(10, 60))
    const bounds = { limit: random.between(1, 20), maxBytes: random.pick([4096, 100_000]) }
    const order = random.pick(['room', 'recent'] as const)
    for (const [i, client] of clients.entries()) {
      await client.sync(bob, { ...bounds, order })
      for (const room of names) {
        const { messages, counts } = client.rooms.get(room)!
        const { tail } = await broker.running.store.log.open(`m:${room}`)
        const there = new Map([...foldMessages(of(room))].filter(([seq]) => seq >= tail))
        const what = `${room}, round ${round}, client ${i}`
        // By a token a room is told of when there is news in it; that retention has dropped messages is none.
        const kept = new Map([...messages].filter(([seq]) => i === 0 || seq >= tail))
        t.same(Object.fromEntries(kept), Object.fromEntries(there), what)
        t.same(counts, countUnread(there, 'bob', reads.get(`${room} bob`) ?? 0), `${what}: unread`)
      }
    }
    if (!t.passing()) return
  }
  await broker.restart()
  const again = await Person.connect(t, broker, 'bob')
  for (const client of clients) {
    await client.sync(again)
    for (const room of names) {
      const { receipts } = client.rooms.get(room)!
      for (const user of ['alice', 'carol'])
        t.equal(receipts.get(user) ?? 0, reads.get(`${room} ${user}`) ?? 0, `${user} in ${room}`)
    }
  }
})
