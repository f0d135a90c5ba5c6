/** What every store must do. An adapter passes by running this with a way to open itself. */

import type { Test } from 'tap'
import { body } from '../../broker/store/body.js'
import type { AppendResult, Draft, StoreError } from '../../broker/store/changes.js'
import type { AppendedBatch, LogEntry } from '../../broker/store/logs.js'
import { dropLog, type Op } from '../../broker/store/op.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import { logsSettled } from '../../broker/store/settled.js'
import type { Store } from '../../broker/store/store.js'
import { devicesSuite } from './store-devices-suite.js'
import { dropSuite } from './store-drop-suite.js'
import { followSuite } from './store-follow-suite.js'
import { goneSuite } from './store-gone-suite.js'
import { outboxSuite } from './store-outbox-suite.js'
import { recordsSuite } from './store-records-suite.js'
import { transactionsSuite } from './store-transactions-suite.js'

export interface StoreLimits {
  queueMessages: number
  queueBytes: number
}

/** Where a store keeps its data, over restarts. */
export interface StorePlace {
  /** `now`: Unix ms; the clock when left out. */
  open(limits?: Partial<StoreLimits>, now?: () => number): Promise<Store>
  /** A copy of the store, made with `copyTo`; absent where the adapter supports none. */
  copyOf?(store: Store): Promise<StorePlace>
  /** What a crash of the broker would leave of a store that is open; absent where nothing outlives the process. */
  afterCrash?(): Promise<StorePlace>
}

export type NewPlace = (t: Test) => Promise<StorePlace>

export const DAY = 86_400_000

export function draft(log: string, text: string, more: Partial<Draft> & { cid?: string; hash?: string } = {}): Draft {
  const { cid, hash, ...fields } = more
  return {
    log,
    id: `id-${text}`,
    ts: 1_700_000_000_000,
    from: 'ann',
    qos: 1,
    body: body(`{"text":${JSON.stringify(text)},"seq":`, '}'),
    dedupe: cid === undefined ? null : { cid, hash: hash ?? `hash of ${text}` },
    ...fields,
  }
}

export function commit(
  store: Store,
  drafts: readonly Draft[],
  ops: readonly Op[] = [],
): Promise<readonly AppendResult[]> {
  return new Promise((resolve, reject) => {
    const settled = (error: StoreError | null, results: readonly AppendResult[]): void =>
      error ? reject(error) : resolve(results)
    store.commit({ drafts, ops, settled })
  })
}

export async function append(store: Store, ...drafts: Draft[]): Promise<string> {
  return (await commit(store, drafts)).map(({ outcome, seq }) => `${outcome} ${seq}`).join(', ')
}

export function texts(entries: readonly LogEntry[]): string[] {
  return entries.map(({ payload }) => JSON.parse(payload.toString()).text)
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Drops a log, and waits until nothing is left of it and what all logs have is in chunks. */
export async function drop(store: Store, log: string): Promise<void> {
  await commit(store, [], [dropLog(log)])
  await logsSettled(store, [log])
}

/** Waits for folding that has begun: a trim of nothing runs after it. */
export async function folded(store: Store): Promise<void> {
  await store.log.trim('no such log', 0)
}

export function storeSuite(t: Test, newPlace: NewPlace): void {
  t.test('numbers', (t) => numbers(t, newPlace))
  t.test('changes settle in order', (t) => order(t, newPlace))
  t.test('client-chosen ids', (t) => duplicates(t, newPlace))
  t.test('reading', (t) => reading(t, newPlace))
  t.test('restart and crash', (t) => restart(t, newPlace))
  t.test('shorter logs', (t) => shorter(t, newPlace))
  t.test('cost', (t) => cost(t, newPlace))
  t.test('a copy', (t) => copy(t, newPlace))
  followSuite(t, newPlace)
  dropSuite(t, newPlace)
  goneSuite(t, newPlace)
  outboxSuite(t, newPlace)
  recordsSuite(t, newPlace)
  devicesSuite(t, newPlace)
  transactionsSuite(t, newPlace)
}

async function copy(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  const store = await place.open()
  await append(store, draft('m:a', 'one', { cid: 'c' }))
  t.equal(store.supports.copies, place.copyOf !== undefined)
  if (place.copyOf) {
    const copied = await place.copyOf(store)
    await append(store, draft('m:a', 'two'))
    const other = await copied.open()
    t.same(texts(await other.log.read('m:a', 0, 10, 1e6)), ['one'], 'as it was')
    t.equal(await append(other, draft('m:a', 'one', { cid: 'c' })), 'duplicate 1')
    t.not(other.epoch, store.epoch)
    await other.close()
  } else
    await t.rejects(
      store.copyTo('copy', () => {}, new AbortController().signal),
      { name: 'StoreError' },
    )
  await store.close()
}

async function numbers(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  t.match(await store.log.open('m:a'), { name: 'm:a', head: 0, tail: 1 }, 'a log that never was')
  const batches: AppendedBatch[] = []
  const listener = (batch: AppendedBatch): void => void batches.push(batch)
  const followed = await store.log.follow('m:a', listener)
  await store.log.follow('m:b', listener)

  const extra = { properties: Buffer.from([0x08, 0, 1, 0x74]), expiresAt: 1_800_000_000_000 }
  const results = await Promise.all([
    append(store, draft('m:a', 'one')),
    append(store, draft('m:b', 'other'), draft('m:a', 'two')),
    append(store, draft('m:a', 'ünï 🙂', { from: 'bob', origin: 'phone', qos: 2, ts: 5, extra })),
  ])
  t.same(results, ['appended 1', 'appended 1, appended 2', 'appended 3'])
  t.same(
    batches.map(({ log, entries }) => [log, entries.map(({ seq }) => seq)]),
    [
      ['m:a', [1, 2, 3]],
      ['m:b', [1]],
    ],
    'listeners hear of each log once a commit',
  )
  const payload = Buffer.from('{"text":"ünï 🙂","seq":3}')
  const expected = { seq: 3, ts: 5, qos: 2, from: 'bob', origin: 'phone', payload, extra }
  t.same(batches[0]!.entries[2], expected)
  t.same((await store.log.read('m:a', 2, 10, 1e6))[0], expected, 'what is read is what was told')
  t.match(followed, { name: 'm:a', head: 3, tail: 1 })
  const info = await store.log.open('m:a')
  await append(store, draft('m:a', 'three'))
  t.match([info.head, followed.head], [3, 4], 'what is followed is kept current, what is opened is not')
  await store.close()
}

async function order(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const told: string[] = []
  await store.log.follow('m:a', ({ entries }) => {
    told.push(`append of ${texts(entries)}`)
  })
  const settle =
    (name: string) =>
    (error: StoreError | null): void =>
      void told.push(error ? `${name} failed` : name)

  const user = { id: 'ann', roles: [], passwordHash: null, createdAt: 1 }
  const op = store.directory.roomOp({
    ...{ id: 'r', access: 'public', direct: false, name: null, topic: null, avatar: null },
    ...ROOM_DEFAULTS,
    ...{ createdBy: 'ann', createdAt: 1 },
  })
  store.commit({ drafts: [draft('m:a', 'one')], ops: [op], settled: settle('first') })
  store.commit({
    drafts: [draft('m:a', 'two')],
    ops: store.directory.userOps(user),
    settled: (error) => {
      settle('second')(error)
      t.ok(store.directory.room('r'), 'what ops change is in memory before anything settles')
    },
  })
  t.same(told, [], 'never at once')
  store.commit({ drafts: [], ops: [], settled: settle('empty') })
  t.same(told.splice(0), ['empty'], 'nothing to write, nothing to wait for')
  t.equal(store.directory.room('r'), undefined, 'memory follows the disk')
  await append(store, draft('m:a', 'three'))
  t.same(told, ['append of one,two,three', 'first', 'second'], 'changes of one log settle in the order of the calls')

  let committed = false
  store.commit({ drafts: [draft('m:a', 'late')], ops: [], settled: (error) => (committed = error === null) })
  await store.close()
  t.ok(committed, 'closing waits for what is queued')
  await t.rejects(append(store, draft('m:a', 'too late')), { name: 'StoreError' })
}

async function duplicates(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const first = draft('m:a', 'hi', { cid: 'c1', id: 'first', ts: 7 })
  const retry = draft('m:a', 'hi', { cid: 'c1', id: 'second', ts: 8 })
  const other = draft('m:a', 'ho', { cid: 'c1', id: 'third' })
  t.same(
    await commit(store, [first, retry, other, draft('m:a', 'plain')]),
    [
      { outcome: 'appended', id: 'first', seq: 1, ts: 7 },
      { outcome: 'duplicate', id: 'first', seq: 1, ts: 7 },
      { outcome: 'conflict', id: 'first', seq: 1, ts: 7 },
      { outcome: 'appended', id: 'id-plain', seq: 2, ts: 1_700_000_000_000 },
    ],
    'within one commit',
  )
  t.equal(await append(store, retry, other), 'duplicate 1, conflict 1', 'in a later one')
  t.equal(
    await append(
      store,
      draft('m:b', 'hi', { cid: 'c1' }),
      draft('m:a', 'hi', { cid: 'c1', from: 'bob' }),
      draft('m:a', 'hi', { cid: 'c1\0x' }),
    ),
    'appended 1, appended 3, appended 4',
    'each log, sender and id has its own',
  )
  t.equal(store.counts.duplicates, 2)
  t.equal(store.counts.appended, 5)
  await commit(store, [retry], [store.directory.departedOp('a', 'ann')])
  t.ok(store.directory.departed('a', 'ann'), 'ops are written beside a duplicate')

  for (const when of ['after a restart', 'after another']) {
    await store.close()
    store = await place.open()
    t.equal(await append(store, retry, other), 'duplicate 1, conflict 1', when)
    await folded(store)
    t.equal(await append(store, draft('m:a', 'hi', { cid: 'c1', from: 'bob' })), 'duplicate 3', when)
  }
  if (place.afterCrash) {
    await append(store, draft('m:a', 'last', { cid: 'c2' }))
    const left = await (await place.afterCrash()).open()
    t.equal(await append(left, retry, draft('m:a', 'last', { cid: 'c2' })), 'duplicate 1, duplicate 5', 'after a crash')
    await left.close()
  }
  await store.close()
}

async function reading(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const names = Array.from({ length: 200 }, (_, i) => `${i + 1}`)
  for (let i = 0; i < 200; i += 10) await append(store, ...names.slice(i, i + 10).map((name) => draft('m:a', name)))
  t.ok(Array.isArray(store.log.read('m:a', 199, 10, 1e6)), 'the recent end needs no promise')

  const check = async (when: string): Promise<void> => {
    const { log } = store
    t.same(texts(await log.read('m:a', 0, 1000, 1e6)), names, `all, ${when}`)
    t.same(texts(await log.read('m:a', 0, 3, 1e6)), ['1', '2', '3'])
    t.same(texts(await log.read('m:a', 100, 3, 1e6)), ['101', '102', '103'])
    t.same(texts(await log.read('m:a', 198, 10, 1e6)), ['199', '200'])
    t.same(texts(await log.read('m:a', 200, 10, 1e6)), [])
    t.same(texts(await log.read('m:a', 900, 10, 1e6)), [])
    t.same(texts(await log.read('m:a', 10, 0, 1e6)), [])
    t.same(texts(await log.read('m:a', 9, 10, 60)), ['10', '11'], 'bounded by bytes')
    t.same(texts(await log.read('m:a', 9, 10, 1)), ['10'], 'one is always given')
    t.same(texts(await log.readBefore('m:a', 900, 2, 1e6)), ['199', '200'])
    t.same(texts(await log.readBefore('m:a', 101, 3, 1e6)), ['98', '99', '100'])
    t.same(texts(await log.readBefore('m:a', 101, 3, 1)), ['100'])
    t.same(texts(await log.readBefore('m:a', 3, 100, 1e6)), ['1', '2'])
    t.same(texts(await log.readBefore('m:a', 1, 100, 1e6)), [])
    t.same(texts(await log.readBefore('m:a', 201, 1000, 1e6)), names)
    t.same(await log.read('m:unknown', 0, 10, 1e6), [])
    t.same(await log.readBefore('m:unknown', 10, 10, 1e6), [])
  }
  await check('at once')
  await folded(store)
  await check('folded')
  await store.close()
  store = await place.open()
  await check('after a restart')
  const large = 'x'.repeat(200_000)
  await append(store, draft('m:a', large), draft('m:a', 'after'))
  await folded(store)
  t.same(texts(await store.log.read('m:a', 200, 10, 1e6)), [large, 'after'], 'larger than a chunk')
  await store.close()
}

async function restart(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  for (let round = 0; round < 5; round++) {
    const store = await place.open()
    t.match(await store.log.open('m:a'), { head: round * 2, tail: 1 }, 'the head is known')
    t.equal(
      await append(store, draft('m:a', `${round}a`), draft('m:a', `${round}b`)),
      `appended ${round * 2 + 1}, appended ${round * 2 + 2}`,
    )
    if (round % 2 === 1) await folded(store)
    if (place.afterCrash) {
      const left = await (await place.afterCrash()).open()
      t.equal((await left.log.open('m:a')).head, round * 2 + 2, 'what was acknowledged survives')
      t.equal(await append(left, draft('m:a', 'x')), `appended ${round * 2 + 3}`)
      t.same(texts(await left.log.read('m:a', round * 2, 10, 1e6)), [`${round}a`, `${round}b`, 'x'])
      await left.close()
    }
    await store.close()
  }
  const store = await place.open()
  t.same(texts(await store.log.read('m:a', 0, 100, 1e6)), ['0a', '0b', '1a', '1b', '2a', '2b', '3a', '3b', '4a', '4b'])
  await store.close()
}

async function shorter(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  for (let i = 1; i <= 200; i++) await append(store, draft('m:a', `${i}`, { ts: i * 1000 }))
  await append(store, draft('m:b!/x', 'other'))
  await store.close()
  store = await place.open()
  await folded(store)
  const log = await store.log.follow('m:a', () => undefined)

  await store.log.trim('m:a', 100)
  t.ok(log.tail <= 101, 'never more than asked')
  const { tail } = log
  t.equal(texts(await store.log.read('m:a', 0, 1, 1e6))[0], `${tail}`, 'reads begin at the tail')
  t.equal((await store.log.readBefore('m:a', 110, 1000, 1e6)).length, 110 - tail)
  await store.log.trim('m:a', 50)
  t.equal(log.tail, tail, 'and never back')

  await store.log.retain('m:a', { before: 140_000, keep: 0 })
  t.ok(log.tail >= tail && log.tail <= 140, 'entries as young as the bound stay')
  await store.log.retain('m:a', { before: 0, keep: 30 })
  t.ok(log.tail <= 171)
  const kept = log.tail
  await store.close()
  store = await place.open()
  t.match(await store.log.open('m:a'), { head: 200, tail: kept }, 'after a restart')
  t.equal(await append(store, draft('m:a', 'more')), 'appended 201')

  t.same((await all(store.log.names())).sort(), ['m:a', 'm:b!/x'])
  await append(store, draft('m:a', 'again', { cid: 'c' }))
  await drop(store, 'm:a')
  t.match(await store.log.open('m:a'), { head: 0, tail: 1 })
  t.same(await store.log.read('m:a', 0, 10, 1e6), [])
  t.same(await all(store.log.names()), ['m:b!/x'])
  t.equal(await append(store, draft('m:a', 'anew', { cid: 'c' })), 'appended 1', 'as if it had never been')
  await store.close()
  store = await place.open()
  t.same(texts(await store.log.read('m:a', 0, 10, 1e6)), ['anew'])
  t.same(texts(await store.log.read('m:b!/x', 0, 10, 1e6)), ['other'])
  await store.close()
}

/** Promise 4 of the design: a message costs one write whatever the number of members. */
async function cost(t: Test, newPlace: NewPlace): Promise<void> {
  const costs: number[] = []
  for (const members of [10, 10_000]) {
    const store = await (await newPlace(t)).open()
    const ops: Op[] = []
    for (let i = 0; i < members; i++) {
      const id = `user${i}/phone`
      ops.push(
        store.directory.memberOp({
          room: 'r',
          user: `user${i}`,
          role: 'member',
          since: 1,
          joined: { messages: 0, events: 0 },
        }),
        store.sessions.recordOp({
          id,
          user: `user${i}`,
          clientId: 'phone',
          createdAt: 1,
          disconnectedAt: 2,
          expiry: 60,
        }),
        ...store.sessions.subscribeOps(id, [{ topic: 'rooms/+/messages', qos: 1 }]),
      )
    }
    await commit(store, [], ops)
    const before = { ...store.counts }
    await append(store, draft('m:r', 'hello', { cid: 'c' }))
    await folded(store)
    costs.push(store.counts.writes - before.writes)
    t.equal(store.counts.commits - before.commits, 1)
    await store.close()
  }
  t.equal(costs[0], costs[1], `${costs[0]} writes for 10 members as for 10,000`)

  const store = await (await newPlace(t)).open()
  const before = { ...store.counts }
  await Promise.all(Array.from({ length: 1000 }, (_, i) => append(store, draft(`m:${i % 7}`, `${i}`))))
  t.equal(store.counts.commits - before.commits, 1, 'what comes in one tick is one commit')
  t.equal(store.counts.appended - before.appended, 1000)
  await store.close()
}
