/** The queues of plain topics, and retained messages. */

import type { Test } from 'tap'
import { type Enqueued, GuardConflict } from '../../broker/store/changes.js'
import type { Guards } from '../../broker/store/guards.js'
import type { Op } from '../../broker/store/op.js'
import { copyOp, dequeueOp, enqueueOp, retainOp } from '../../broker/store/queue-ops.js'
import type { PlainMessage } from '../../broker/store/queues.js'
import type { Store } from '../../broker/store/store.js'
import { all, commit, draft, type NewPlace } from './store-suite.js'

export function queuesSuite(t: Test, newPlace: NewPlace): void {
  t.test('queues', (t) => queues(t, newPlace))
  t.test('who is queued for is decided at the commit', (t) => matchedAtCommit(t, newPlace))
  t.test('a full queue', (t) => fullQueue(t, newPlace))
  t.test('a full queue whose receiver may hold more', (t) => allowed(t, newPlace))
  t.test('copies of retained messages', (t) => copies(t, newPlace))
  t.test('retained messages', (t) => retained(t, newPlace))
  t.test('retained entries', (t) => retainedEntries(t, newPlace))
  t.test('how much is retained', (t) => retainedCounts(t, newPlace))
  t.test('limits of what is retained', (t) => retainedLimits(t, newPlace))
}

export function message(topic: string, text: string, more: Partial<PlainMessage> = {}): PlainMessage {
  return { topic, payload: Buffer.from(text), qos: 1, retain: false, clientId: 'ann/phone', ...more }
}

/** Commits ops, and resolves with what became of those that enqueue. */
function outcomeOf(store: Store, ops: readonly Op[]): Promise<readonly Enqueued[]> {
  return new Promise((resolve, reject) => {
    store.commit({
      drafts: [],
      ops,
      settled: (error, _results, enqueued = []) => (error ? reject(error) : resolve(enqueued)),
    })
  })
}

/** @param ids In place of the sessions that match */
export async function enqueued(store: Store, plain: PlainMessage, ids?: readonly string[]): Promise<Enqueued> {
  const targets = ids?.map((sessionId) => ({ sessionId, qos: 1 as const }))
  const [outcome] = await outcomeOf(store, [enqueueOp(plain, targets)])
  return outcome!
}

/** The sessions that a message is queued for, and at which QoS. It is removed from their queues. */
export async function matching(store: Store, topic: string, clientId: string | null = null): Promise<object> {
  const { number, sessions } = await enqueued(store, message(topic, '?', { clientId }))
  const found: Record<string, number> = {}
  for (const id of [...sessions].sort()) found[id] = (await store.queue.read(id, number - 1, 1, 1))[0]!.qos
  await commit(
    store,
    [],
    sessions.map((id) => dequeueOp(id, number)),
  )
  return found
}

async function waiting(store: Store, id: string, after = 0, limit = 100, maxBytes = 1e6): Promise<string[]> {
  return (await store.queue.read(id, after, limit, maxBytes)).map(({ message }) => message.payload.toString())
}

async function queues(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  await commit(
    store,
    [],
    [
      ...store.sessions.subscribeOps('ann/phone', [
        { topic: 'factory/+', qos: 1, nl: true },
        { topic: 'factory/#', qos: 2 },
        { topic: 'factory/x', qos: 0 },
      ]),
      ...store.sessions.subscribeOps('bob/phone', [
        { topic: '#', qos: 1, nl: true },
        { topic: 'factory/x', qos: 0 },
      ]),
      ...store.sessions.subscribeOps('eve/phone', [{ topic: 'rooms/#', qos: 1 }]),
    ],
  )
  t.same(await matching(store, 'factory/x'), { 'ann/phone': 2, 'bob/phone': 1 }, 'the highest QoS of each')
  t.same(
    await matching(store, 'factory/x', 'bob/phone'),
    { 'ann/phone': 2 },
    'its own, unless all its filters have No Local',
  )
  t.same(await matching(store, 'factory/x', 'ann/phone'), { 'ann/phone': 2, 'bob/phone': 1 })
  for (const topic of ['devices/ann/x', 'rooms/a/messages']) {
    t.same(
      await matching(store, topic),
      {},
      `${topic}: a wildcard does not reach reserved levels, and rooms have cursors`,
    )
    t.notOk(store.queue.mayEnqueue(topic))
  }
  t.ok(store.queue.mayEnqueue('factory/x'))

  const one = (await enqueued(store, message('factory/x', 'one', { qos: 2, retain: true }), ['ann/phone', 'bob/phone']))
    .number
  const two = (await enqueued(store, message('factory/x', 'two'), ['ann/phone'])).number
  t.ok(two > one, 'numbers ascend')
  t.same((await store.queue.read('ann/phone', 0, 1, 1e6))[0], {
    number: one,
    message: message('factory/x', 'one', { qos: 2, retain: true }),
    qos: 1,
  })
  t.same(await waiting(store, 'ann/phone', one), ['two'])
  t.same(await waiting(store, 'ann/phone', 0, 1), ['one'])
  t.same(await waiting(store, 'ann/phone', 0, 10, 1), ['one'], 'one is always given')
  t.same(store.queue.size('ann/phone'), { messages: 2, bytes: 24 })

  await commit(store, [], [dequeueOp('ann/phone', one), dequeueOp('ann/phone', one)])
  t.same(await waiting(store, 'ann/phone'), ['two'])
  t.same(await waiting(store, 'bob/phone'), ['one'], 'still there for whoever waits')
  await commit(store, [], [dequeueOp('ann/phone', two), dequeueOp('nobody', two)])
  await store.close()

  store = await place.open()
  t.same(await waiting(store, 'ann/phone'), [])
  t.same(await waiting(store, 'bob/phone'), ['one'])
  t.same(store.queue.size('bob/phone'), { messages: 1, bytes: 12 })
  await commit(store, [], [dequeueOp('bob/phone', one)])
  const three = (await enqueued(store, message('factory/x', 'three'), ['ann/phone'])).number
  t.ok(three > two, 'numbers ascend over restarts, even of messages that are gone')
  t.same(await waiting(store, 'ann/phone', two), ['three'])
  await store.close()
}

/** Changes before it in the same group count, whatever the publisher's node had heard of when the message was published. */
async function matchedAtCommit(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const { sessions, queue } = store
  const subscribe = (id: string): Op[] => sessions.subscribeOps(id, [{ topic: 'a/+', qos: 1 }])
  const early = enqueueOp(message('a/b', 'early'))
  const outcomes = await Promise.all([
    outcomeOf(store, [early]),
    outcomeOf(store, subscribe('ann/a')),
    outcomeOf(store, [early]),
    outcomeOf(store, [early, ...subscribe('bob/b'), early]),
    outcomeOf(store, [...sessions.unsubscribeOps('ann/a', ['a/+']), early]),
    outcomeOf(store, [...sessions.discardOps('bob/b'), early]),
  ])
  t.same(
    outcomes.map((some) => some.map((one) => one.sessions)),
    [[[]], [], [['ann/a']], [['ann/a'], ['ann/a', 'bob/b']], [['bob/b']], [[]]],
  )
  const numbers = outcomes.flatMap((some) => some.map(({ number }) => number))
  t.same(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
    'numbers are given in the order of the commits',
  )
  t.same(await waiting(store, 'ann/a'), ['early', 'early', 'early'])
  t.same(await waiting(store, 'bob/b'), [], 'nothing is left for a session that ended')
  t.same([...queue.nonEmptyQueues()], ['ann/a'])
  await store.close()
}

async function fullQueue(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open({ queueMessages: 3, queueBytes: 100 })
  const queuedFor = async (text: string, ...ids: string[]): Promise<readonly string[]> =>
    (await enqueued(store, message('t', text), ids)).sessions
  t.same(
    await Promise.all([1, 2, 3, 4].map((i) => queuedFor(`${i}`, 'ann/a'))),
    [['ann/a'], ['ann/a'], ['ann/a'], []],
    'counted where they are written',
  )
  t.equal(store.queue.dropped, 1)
  t.same(await queuedFor('5', 'ann/a', 'bob/b'), ['bob/b'], 'the others get it')
  t.same(await waiting(store, 'ann/a'), ['1', '2', '3'], 'the newest is dropped')
  t.same(await queuedFor('x'.repeat(99), 'bob/b'), [], 'bytes count too')
  t.equal(store.queue.dropped, 3)
  await store.close()

  store = await place.open({ queueMessages: 3, queueBytes: 100 })
  t.same(await queuedFor('6', 'ann/a'), [], 'still full after a restart')
  const [first] = await store.queue.read('ann/a', 0, 1, 1e6)
  await commit(store, [], [dequeueOp('ann/a', first!.number)])
  t.same(await queuedFor('7', 'ann/a'), ['ann/a'], 'an acknowledgement makes room')
  await store.close()
}

/** What is committed together counts from one message to the next. */
async function allowed(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open({ queueMessages: 3, queueBytes: 100 })
  store.queue.setAllowance('ann/a', { admits: (messages) => messages <= 7, left: () => {} })
  const queued = await Promise.all(
    Array.from({ length: 10 }, (_, i) => enqueued(store, message('t', `${i}`), ['ann/a', 'bob/b'])),
  )
  const takers = queued.map(({ sessions }) => sessions.join())
  t.same(takers, [...Array(3).fill('ann/a,bob/b'), ...Array(4).fill('ann/a'), ...Array(3).fill('')])
  t.equal(store.queue.dropped, 10)
  t.same(store.queue.size('ann/a').messages, 7)
  await store.close()
}

/** A copy that nobody wants by its turn leaves nothing behind. */
async function copies(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open({ queueMessages: 1 })
  const retained = { ...message('a/b', 'x'), retain: true, clientId: null }
  await commit(store, [], [retainOp(retained)])
  const { op: cutOp, cut } = store.queue.cut()
  await commit(store, [], [cutOp])
  const copy = (): Op => copyOp(retained, { sessionId: 'ann/a', qos: 1 }, [cut])
  const first = await outcomeOf(store, [copy()])
  t.same(first[0]!.sessions, ['ann/a'])
  t.same((await outcomeOf(store, [copy()]))[0]!.sessions, ['ann/a'], 'a full queue takes it')
  t.same(store.queue.size('ann/a'), { messages: 2, bytes: 8 })
  t.equal(store.queue.dropped, 0)
  const late = await outcomeOf(store, [retainOp(retained), copy()])
  t.same(late, [{ number: late[0]!.number, sessions: [] }], 'it was replaced')
  t.ok(late[0]!.number > first[0]!.number, 'it has a position all the same')
  await commit(store, [], store.sessions.discardOps('ann/a'))
  t.same([...store.queue.nonEmptyQueues()], [])
  cut.end()
  await store.close()
}

async function retained(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const topics = ['a', 'a/', 'a/b', 'a/b/c', 'a.b', 'a0', '/a', 'devices/ann/t', '$SYS/uptime']
  await commit(
    store,
    [],
    topics.map((topic) => retainOp(message(topic, topic, { retain: true }))),
  )
  const matching = async (...filters: string[]): Promise<string[]> =>
    (await all(store.queue.retained(filters))).map(({ payload }) => payload.toString()).sort()
  const check = async (when: string): Promise<void> => {
    t.same(await matching('a/#'), ['a', 'a/', 'a/b', 'a/b/c'], when)
    t.same(await matching('a/+'), ['a/', 'a/b'], '+ matches an empty level')
    t.same(await matching('+/a'), ['/a'])
    t.same(await matching('/+'), ['/a'])
    t.same(await matching('+'), ['a', 'a.b', 'a0'])
    t.same(await matching('#'), ['/a', 'a', 'a.b', 'a/', 'a/b', 'a/b/c', 'a0'], 'neither reserved nor $ topics')
    t.same(await matching('devices/#'), ['devices/ann/t'])
    t.same(await matching('a/b', 'a/+', '+/b', 'none'), ['a/', 'a/b'], 'each once')
  }
  await check('at once')
  t.same(await matching('$SYS/#'), ['$SYS/uptime'])
  t.same((await all(store.queue.retained(['a'])))[0], message('a', 'a', { retain: true }))
  await store.close()
  store = await place.open()
  await check('after a restart')
  t.same(await matching('$SYS/#'), [], 'facts of the broker are not kept')
  const before = store.counts.writes
  await commit(store, [], [retainOp(message('$SYS/x', '1', { retain: true }))])
  t.equal(store.counts.writes, before, 'nor written')
  await commit(
    store,
    [],
    [retainOp(message('a/b', 'newer', { retain: true })), retainOp(message('a/', '', { retain: true }))],
  )
  t.same(await matching('a/+'), ['newer'], 'replaced, and cleared by an empty payload')
  await store.close()
}

async function retainedEntries(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const retainEntry = { type: 'retainEntry', topic: 'broadcast/news', draft: 1 } as const
  const news = (text: string, cid = text) => draft('b:news', text, { cid })
  await commit(store, [draft('m:a', 'other'), news('one')], [retainEntry])
  const stored = async (): Promise<string[]> =>
    (await all(store.queue.retained(['broadcast/news']))).map(({ payload }) => payload.toString())
  t.same(await stored(), ['{"text":"one","seq":1}'], 'with its number')
  await Promise.all([
    commit(store, [draft('m:a', 'other'), news('two')], [retainEntry]),
    commit(store, [draft('m:a', 'other'), news('three')], [retainEntry]),
  ])
  const [last] = await store.log.read('b:news', 2, 1, 1e6)
  t.same(await stored(), [last!.payload.toString()], 'the last of the log')
  await commit(store, [draft('m:a', 'other'), news('one')], [retainEntry])
  t.same(await stored(), [last!.payload.toString()], 'a retry changes nothing')
  await store.close()
}

async function retainedCounts(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const retain = (topic: string, text: string, more: Partial<PlainMessage> = {}): Promise<unknown> =>
    commit(store, [], [retainOp(message(topic, text, { retain: true, ...more }))])
  const counted = (name: string): number[] => Object.values(store.queue.retainedBy(name))
  await retain('a', '1234')
  await retain('b', '12')
  await retain('c', '12', { clientId: 'bob/phone' })
  await retain('d', '12', { clientId: null })
  const check = (when: string): void => {
    t.same(counted('ann'), [2, 8], when)
    t.same(counted('bob'), [1, 3])
  }
  check('by who published it, topics included')
  await store.close()
  store = await place.open()
  check('after a restart')
  await retain('a', '1')
  await retain('b', '123456', { clientId: 'bob/phone' })
  t.same(counted('ann'), [1, 2], 'of a topic the last counts')
  t.same(counted('bob'), [2, 10])
  for (const topic of ['a', 'b', 'c']) await retain(topic, '')
  t.same([...counted('ann'), ...counted('bob')], [0, 0, 0, 0], 'cleared')
  await store.close()
}

async function retainedLimits(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const limited = (topic: string, text: string, owner: string, most = { messages: 2, bytes: 10 }): Promise<string> => {
    const plain = message(topic, text, { retain: true, clientId: `${owner}/phone` })
    const retained = { owners: ['ann', 'bob'], topic, bytes: topic.length + text.length, most }
    const guards: Guards = { at: store.position, keys: [], retained }
    return new Promise((resolve) => {
      const settled = (error: unknown): void =>
        resolve(
          error instanceof GuardConflict
            ? String(store.queue.retainedRoom(retained, { messages: 0, bytes: 0 }).beyond)
            : String(error ?? 'kept'),
        )
      store.commit({ drafts: [], ops: [retainOp(plain)], guards, settled })
    })
  }
  t.same(
    await Promise.all([limited('a', '1', 'ann'), limited('b', '1', 'bob'), limited('c', '1', 'ann')]),
    ['kept', 'kept', 'messages'],
    'of all these publishers together, as of the commit',
  )
  t.equal(await limited('a', '12345678', 'bob'), 'bytes', 'what it replaces is one of theirs, and smaller')
  t.equal(await limited('a', '1234567', 'bob'), 'kept')
  t.equal(await limited('a', '123456', 'ann'), 'kept', 'one that is smaller always is')
  const nothing = { messages: 0, bytes: 0 }
  t.equal(await limited('a', '654321', 'ann', nothing), 'kept', 'one that adds nothing is, whatever the limit')
  t.equal(await limited('b2', '1', 'ann', nothing), 'messages')
  await commit(store, [], [retainOp(message('z', 'x'.repeat(99), { retain: true, clientId: 'ann/phone' }))])
  t.equal(await limited('a', '123456', 'ann'), 'kept', 'or no larger, if there is too much already')
  t.equal(await limited('a', '1234567', 'ann'), 'bytes')
  await commit(store, [], [retainOp(message('a', '', { retain: true }))])
  await commit(store, [], [retainOp(message('z', '', { retain: true }))])
  t.equal(await limited('c', '1', 'ann'), 'kept')
  await store.close()
}
