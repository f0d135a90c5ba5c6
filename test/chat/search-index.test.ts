/** The index of the search as something that can be late, lost, damaged or void: what is found stays true. */
import { cp, open, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import mqtt, { type MqttClient } from 'mqtt'
import sqlite from 'node-sqlite3-wasm'
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import { searchLocation, storeLocation } from '../../broker/wiring/storage.js'
import { request, startTestBroker } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { Person } from '../helpers/people.js'
import { Random } from '../helpers/random.js'
import { drafter } from '../helpers/said-drafts.js'
import { onRedis } from '../helpers/test-store.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

interface Found {
  room: string
  seq: number
  text: string
}

/** Every hit, page by page, once the index has everything. */
async function findAll(ask: (params: object) => Promise<Json>, query: string, params: object = {}): Promise<Found[]> {
  const found: Found[] = []
  for (let cursor: string | undefined; ; ) {
    const reply = await ask({ query, limit: 100, ...params, ...(cursor ? { cursor } : {}) })
    // What is not there yet comes.
    if (!reply.ok && reply.error.code === 'unavailable') continue
    if (!reply.ok) throw new Error(JSON.stringify(reply.error))
    const { results, more, pending } = reply.result
    if (pending > 0) continue
    found.push(...results.map(({ message }: { message: Found }) => message))
    cursor = reply.result.cursor
    if (!more) return found
  }
}

const textsOf = (found: readonly Found[]): string[] => found.map(({ text }) => text)
const asking = (person: Person) => (params: object) => person.ask('search', params)

t.test('a restart goes on where the index is, and takes in what was said without it', async (t) => {
  const broker = await startTestBroker(t)
  const say = async (text: string): Promise<string[]> => {
    const alice = await Person.connect(t, broker, 'alice', { clientId: text.replace(' ', '-') })
    await alice.say('lobby', text)
    const found = broker.config.search.enabled ? textsOf(await findAll(asking(alice), 'word')) : []
    await alice.leave()
    return found
  }
  t.strictSame(await say('word one'), ['word one'])
  const before = (await stat(searchLocation(broker.dataDir))).ino
  await broker.restart({ search: { enabled: false } })
  await say('word two')
  await broker.restart()
  t.strictSame(await say('word three'), ['word three', 'word two', 'word one'])
  t.equal((await stat(searchLocation(broker.dataDir))).ino, before, 'it is the same file')
})

t.test('of a room that was made anew without it, the index has only what was said since', async (t) => {
  const broker = await startTestBroker(t)
  const withAlice = async <T>(clientId: string, work: (alice: Person) => Promise<T>): Promise<T> => {
    const alice = await Person.connect(t, broker, 'alice', { clientId })
    const outcome = await work(alice)
    await alice.leave()
    return outcome
  }
  await withAlice('before', async (alice) => {
    await alice.get('rooms.create', { room: 'tea' })
    for (const text of ['green leaves', 'black leaves']) await alice.say('tea', text)
    t.strictSame(textsOf(await findAll(asking(alice), 'leaves')), ['black leaves', 'green leaves'])
  })
  await broker.restart({ search: { enabled: false } })
  await withAlice('without', async (alice) => {
    await alice.get('rooms.delete', { room: 'tea' })
    await alice.get('rooms.create', { room: 'tea' })
    // More than there were: by their number alone they could be what came later.
    for (const text of ['other word', 'another word', 'the last word']) await alice.say('tea', text)
  })
  await broker.restart({ search: { enabled: true } })
  await withAlice('after', async (alice) => {
    t.strictSame(textsOf(await findAll(asking(alice), 'word')), ['the last word', 'another word', 'other word'])
    t.strictSame(await findAll(asking(alice), 'leaves'), [])
  })
})

t.test('an index of another version is made anew', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')
  await alice.say('lobby', 'word one')
  await findAll(asking(alice), 'word')
  await broker.running.close()
  const before = new sqlite.Database(searchLocation(broker.dataDir))
  before.exec('PRAGMA locking_mode = exclusive')
  before.exec("UPDATE meta SET version = version - 1; UPDATE docs SET body = 'other'; DELETE FROM words_data")
  before.close()
  await broker.restart()
  const again = await Person.connect(t, broker, 'alice', { clientId: 'again' })
  t.strictSame(textsOf(await findAll(asking(again), 'word')), ['word one'])
})

t.test('messages are delivered while a large index is made', async (t) => {
  const broker = await startTestBroker(t, { search: { enabled: false } })
  const draft = drafter('lobby')
  const before = await Person.connect(t, broker, 'alice')
  await before.say('lobby', 'haystack 0')
  await commit(broker.running.store, { drafts: Array.from({ length: 20_000 }, (_, i) => draft(`haystack ${i + 1}`)) })
  await before.leave()
  await broker.restart({ search: { enabled: true } })
  const [alice, bob] = [await Person.connect(t, broker, 'alice'), await Person.connect(t, broker, 'bob')]
  await bob.subscribe('rooms/lobby/messages')
  let answered = false
  const search = alice.ask('search', { query: 'haystack' }).finally(() => (answered = true))
  let delivered = 0
  while (!answered) {
    await bob.say('lobby', `live ${delivered}`)
    await bob.hears(`live ${delivered}`)
    delivered++
  }
  t.comment(`${delivered} messages went round`)
  t.ok(delivered >= 20, 'messages went round while a search waited for the index')
  const { result } = await search
  t.ok(result.pending >= 0 && result.results.length <= 20)
  const [newest] = await findAll(asking(alice), '"haystack 20000"')
  t.match(newest, { text: 'haystack 20000', seq: 20_001 })
})

t.test('a user in ten thousand rooms finds what is in them, and in no other', async (t) => {
  const broker = await startTestBroker(t)
  const { store } = broker.running
  const rooms = Array.from({ length: 10_001 }, (_, i) => `room-${i}`)
  for (const room of rooms) void makeRoom(store, room, room === 'room-77' ? 'bob' : 'alice')
  await commit(store, { drafts: rooms.map((room, i) => drafter(room)(`tea number ${i}`, 1_700_000_000_000 + i)) })
  const alice = await Person.connect(t, broker, 'alice')
  t.strictSame(textsOf(await findAll(asking(alice), '"number 5000"')), ['tea number 5000'])
  t.strictSame(await findAll(asking(alice), '"number 77"'), [])
  const { results, more } = await alice.get('search', { query: 'tea' })
  t.strictSame(
    results.map(({ message }: { message: Found }) => message.text),
    Array.from({ length: 20 }, (_, i) => `tea number ${10_000 - i}`),
  )
  t.ok(more)
})

function makeRoom(store: Store, id: string, user: string): Promise<unknown> {
  const details = { name: null, topic: null, avatar: null, createdBy: user, createdAt: 1 }
  const room = { id, access: 'private' as const, direct: false, ...ROOM_DEFAULTS, ...details }
  const member = { room: id, user, role: 'owner' as const, since: 1, joined: { messages: 0, events: 0 } }
  return commit(store, { ops: [store.directory.roomOp(room), store.directory.memberOp(member)] })
}

t.test(
  'a restored backup voids the index',
  { skip: onRedis && 'it restores files of the embedded store' },
  async (t) => {
    const broker = await startTestBroker(t)
    const { dataDir } = broker
    const backup = join(dataDir, 'backup')
    const say = async (...texts: string[]): Promise<void> => {
      const alice = await Person.connect(t, broker, 'alice', { clientId: texts[0]!.replaceAll(' ', '-') })
      for (const text of texts) await alice.say('lobby', text)
      await findAll(asking(alice), 'said')
      await alice.leave()
    }
    await say('said before')
    await broker.running.close()
    await cp(storeLocation(dataDir), backup, { recursive: true })
    await broker.restart()
    await say('said after', 'said and lost')
    await broker.running.close()
    await rm(storeLocation(dataDir), { recursive: true })
    await cp(backup, storeLocation(dataDir), { recursive: true })
    await broker.restart()
    await say('said anew', 'said again', 'said once more')
    const alice = await Person.connect(t, broker, 'alice')
    const found = textsOf(await findAll(asking(alice), 'said'))
    t.strictSame(found, ['said once more', 'said again', 'said anew', 'said before'])
  },
)

/** A broker in a process of its own, and alice at it. */
async function process(t: Test): Promise<{ broker: BrokerProcess; connect: () => Promise<MqttClient> }> {
  const broker = await BrokerProcess.make(t, ['log.level=warn'])
  const connect = async (): Promise<MqttClient> => {
    const password = await broker.token('alice')
    const client = await mqtt.connectAsync(broker.url, { username: 'alice', password, reconnectPeriod: 0 })
    client.on('error', () => {})
    t.teardown(() => client.endAsync(true))
    return client
  }
  return { broker, connect }
}

const askingBy = (client: MqttClient) => (params: object) => request(client, 'alice', 'search', params)

t.test('a damaged or lost index is made anew, with a line in the log', async (t) => {
  const { broker, connect } = await process(t)
  await broker.start()
  const talker = await connect()
  const texts = Array.from({ length: 500 }, (_, i) => `needle ${i} in ${i * i}`)
  await Promise.all(texts.map((text) => talker.publishAsync('rooms/lobby/messages', text, { qos: 1 })))
  const everything = async (client: MqttClient): Promise<void> => {
    const found = await findAll(askingBy(client), 'needle')
    t.strictSame(textsOf(found).sort(), [...texts].sort())
  }
  await everything(talker)
  const index = searchLocation(broker.dataDir)
  const damages: Record<string, () => Promise<void>> = {
    'not an index': () => writeFile(index, 'this is no database'.repeat(1000)),
    'cut short': () => truncate(index, 10_000),
    'spoiled inside': () => spoil(index, 0.2, 1),
  }
  for (const [what, damage] of Object.entries(damages)) {
    await broker.stop()
    await damage()
    await broker.start()
    const client = await connect()
    // A word that is new is written where the damage is, if the old ones are read elsewhere.
    texts.push(`needle after ${what}`)
    await client.publishAsync('rooms/lobby/messages', texts.at(-1)!, { qos: 1 })
    await everything(client)
  }
  // Nonsense where nothing is read may stay unnoticed.
  const lines = broker.complaints.splice(0)
  t.ok(lines.length >= 2 && lines.every((line) => line.includes('is made anew')), lines.join())
  await broker.stop()
  await rm(index)
  await broker.start()
  await everything(await connect())
  t.strictSame(broker.complaints, [], 'a lost one is nothing to speak of')
})

/** Writes nonsense over a part of a file. */
async function spoil(path: string, from: number, to: number): Promise<void> {
  const file = await open(path, 'r+')
  const { size } = await file.stat()
  const start = Math.floor(size * from)
  await file.write(Buffer.alloc(Math.floor(size * to) - start, 0xa5), 0, undefined, start)
  await file.close()
}

t.test('kill -9 while it is indexing: nothing is missing, nothing comes twice', { timeout: 600_000 }, async (t) => {
  const random = Random.from('SEARCH_SEED')
  t.comment(`SEARCH_SEED=${random.seed} repeats this run`)
  const { broker, connect } = await process(t)
  const room = new Map<number, string | null>()
  const said: Promise<void>[] = []
  let client: MqttClient
  for (let round = 0; round < 4; round++) {
    await broker.start()
    client = await connect()
    const talker = client
    await talker.subscribeAsync('users/alice/replies', { qos: 1 })
    const replies = new Map<string, (seq: number) => void>()
    talker.on('message', (_topic, payload) => {
      const { re, result } = JSON.parse(payload.toString())
      if (result?.seq) replies.get(re)?.(result.seq)
    })
    const send = async (message: object): Promise<number> => {
      const cid = `c-${round}-${replies.size}`
      const seq = new Promise<number>((resolve) => replies.set(cid, resolve))
      await talker.publishAsync('rooms/lobby/messages', JSON.stringify({ cid, ...message }), { qos: 1 })
      return seq
    }
    const say = async (text: string): Promise<void> => void room.set(await send({ text }), text)
    for (let i = 0; i < 100; i++) said.push(say(`needle ${round} ${i}`))
    await Promise.all(said.splice(0))
    const living = [...room].filter(([, text]) => text !== null).map(([seq]) => seq)
    const [edited, deleted] = [random.pick(living), random.pick(living)]
    await send({ type: 'edit', target: edited, text: `needle edited ${round}` })
    room.set(edited, `needle edited ${round}`)
    await send({ type: 'delete', target: deleted })
    room.set(deleted, null)
    // The index is asked for, and the broker killed after so many more messages.
    void request(talker, 'alice', 'search', { query: 'needle' }).catch(() => {})
    for (let i = random.below(60); i > 0; i--) await say(`needle more ${round} ${i}`)
    await broker.kill()
  }
  await broker.start()
  client = await connect()
  const found = await findAll(askingBy(client), 'needle')
  const expected = [...room].filter(([, text]) => text !== null).sort(([a], [b]) => b - a)
  t.strictSame(
    found.map(({ seq, text }) => [seq, text]).sort(([a], [b]) => Number(b) - Number(a)),
    expected,
  )
  t.strictSame(broker.complaints, [], 'nobody complained')
})
