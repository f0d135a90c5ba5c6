/** The part of the store contract about logs that someone reads to their end, and about webhooks. */

import type { Test } from 'tap'
import type { DeadLetter, WebhookRecord } from '../../broker/store/outbox.js'
import { forgetReaderOps, readerCursorOp, readerCursors, readLogOp } from '../../broker/store/reader-cursors.js'
import type { Store } from '../../broker/store/store.js'
import { all, append, commit, draft, drop, folded, type NewPlace } from './store-suite.js'

export function outboxSuite(t: Test, newPlace: NewPlace): void {
  t.test('logs are marked until they have been read', (t) => marks(t, newPlace))
  t.test('marks and crashes', (t) => crashes(t, newPlace))
  t.test('cursors of an outbox', (t) => cursors(t, newPlace))
  t.test('webhooks and dead letters', (t) => webhooks(t, newPlace))
}

const wants = (log: string): boolean => log.startsWith('m:')

async function marks(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  await append(store, draft('m:a', 'before anyone asked'))
  t.same([...store.outbox.marked()], [])
  t.notOk(store.outbox.watches('m:a'))
  store.outbox.watch(wants)
  t.ok(store.outbox.watches('m:a'))

  await append(store, draft('m:a', 'first'), draft('e:a', 'not wanted'))
  t.same([...store.outbox.marked()], [['m:a', 1]], 'at what was there before')
  await append(store, draft('m:a', 'second'))
  t.same([...store.outbox.marked()], [['m:a', 1]], 'what follows changes nothing')

  await commit(store, [], [readLogOp('m:a', 2)])
  t.same([...store.outbox.marked()], [['m:a', 1]], 'it has grown meanwhile')
  await commit(store, [], [readLogOp('m:a', 3)])
  t.same([...store.outbox.marked()], [], 'read to its end')
  await commit(store, [draft('m:a', 'in the very commit')], [readLogOp('m:a', 3)])
  t.same([...store.outbox.marked()], [['m:a', 3]])
  await commit(store, [], [readerCursorOp({ log: 'm:a', reader: 'w', seq: 4 })])
  await Promise.all([append(store, draft('m:a', 'in the same group')), commit(store, [], [readLogOp('m:a', 4)])])
  t.same([...store.outbox.marked()], [['m:a', 3]], 'changes of a group have their order')
  t.equal((await all(readerCursors(store.tables))).length, 1)
  await Promise.all([commit(store, [], [readLogOp('m:a', 5)]), append(store, draft('m:a', 'behind it'))])
  t.same([...store.outbox.marked()], [['m:a', 5]])
  t.same(await all(readerCursors(store.tables)), [])

  store.outbox.watch(null)
  await append(store, draft('m:b', 'nobody asks any more'))
  t.same([...store.outbox.marked().keys()], ['m:a'])
  await store.close()
}

async function crashes(t: Test, newPlace: NewPlace): Promise<void> {
  let place = await newPlace(t)
  let store = await place.open()
  store.outbox.watch(wants)
  await append(store, draft('m:a', 'one'))
  await append(store, draft('m:b', 'two'))
  await folded(store)
  if (place.afterCrash) {
    place = await place.afterCrash()
    await store.close()
    store = await place.open()
  }
  t.same([...store.outbox.marked()].sort(), [
    ['m:a', 0],
    ['m:b', 0],
  ])
  await commit(store, [], [readerCursorOp({ log: 'm:b', reader: 'w', seq: 1 })])
  await drop(store, 'm:b')
  t.same([...store.outbox.marked().keys()], ['m:a'], 'a log that is dropped is forgotten')
  t.same(await all(readerCursors(store.tables)), [])
  store.outbox.watch(null)
  await append(store, draft('m:b', 'anew'))
  t.same([...store.outbox.marked().keys()], ['m:a'], 'nobody watches yet')
  await store.close()
}

async function cursors(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  store.outbox.watch(wants)
  await append(store, draft('m:a', 'one'), draft('m:a', 'two'))
  const at = (reader: string, seq: number) => readerCursorOp({ log: 'm:a', reader, seq })
  await commit(store, [], [at('slow', 0), at('fast', 1)])
  await store.sessions.writeLazily([at('fast', 2)])
  const kept = async (from: Store) =>
    (await all(readerCursors(from.tables))).map(({ log, reader, seq }) => [log, reader, seq])
  const both = [
    ['m:a', 'fast', 2],
    ['m:a', 'slow', 0],
  ]
  t.same(await kept(store), both)
  await store.close()
  store = await place.open()
  t.same(await kept(store), both, 'after a restart')
  await commit(store, [], await forgetReaderOps(store.tables, 'slow'))
  t.same(await kept(store), both.slice(0, 1))
  await commit(store, [], [readLogOp('m:a', 2)])
  t.same(await kept(store), [], 'they go with the mark')
  await store.close()
}

async function webhooks(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const record = (id: string): WebhookRecord => ({
    id,
    source: 'command',
    url: 'https://example.com/hook',
    events: ['message.*'],
    rooms: ['tea'],
    users: null,
    direct: false,
    secret: 'sealed',
    previous: null,
    enabled: true,
    why: null,
    createdBy: 'ann',
    createdAt: 5,
  })
  const letter = (webhook: string, id: string): DeadLetter => ({
    webhook,
    id,
    log: 'm:tea',
    seq: 7,
    type: 'message.sent',
    at: 9,
    attempts: 3,
    error: '500',
  })
  const letters = [letter('w', 'a'), letter('w', 'b'), letter('w', 'c'), letter('w2', 'a')]
  const { webhooks: kept } = store
  await commit(
    store,
    [],
    [kept.putOp(record('w')), kept.putOp(record('w2')), ...letters.map((one) => kept.letterOp(one))],
  )
  await store.close()
  store = await place.open()
  t.same([...store.webhooks.all()], [record('w'), record('w2')])
  t.same(await store.webhooks.letters('w', '', 2), letters.slice(0, 2))
  t.same(await store.webhooks.letters('w', 'b', 2), letters.slice(2, 3), 'the next page')
  t.same(await store.webhooks.letter('w', 'b'), letters[1])
  const state = { behind: 1, dead: 3, lastSuccess: null, lastError: '500' }
  const retries = ['b', 'c'].map((id) => store.webhooks.retryOp('w', id))
  await commit(store, [], [...retries, store.webhooks.stateOp('w', state), store.webhooks.retryOp('w2', 'a')])
  t.same(await store.webhooks.retries('w'), ['b', 'c'])
  t.same(await store.webhooks.state('w'), state)
  await commit(store, [], store.webhooks.deleteLetterOps('w', 'b'))
  t.equal(await store.webhooks.letter('w', 'b'), null)
  t.same(await store.webhooks.retries('w'), ['c'], 'what is gone is not tried again')
  await commit(store, [], await store.webhooks.deleteOps('w'))
  t.same([...store.webhooks.all()], [record('w2')])
  t.same(await store.webhooks.letters('w', '', 9), [])
  t.same([await store.webhooks.retries('w'), await store.webhooks.state('w')], [[], null])
  t.same(await store.webhooks.retries('w2'), ['a'])
  t.same(await store.webhooks.letters('w2', '', 9), letters.slice(3), 'another one’s stay')
  await store.close()
}
