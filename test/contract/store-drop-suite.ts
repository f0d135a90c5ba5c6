/** The part of the store contract about logs that are dropped, and those of the same name that come after them. */
import type { Test } from 'tap'
import { type Change, GuardConflict } from '../../broker/store/changes.js'
import { dropLog } from '../../broker/store/op.js'
import type { Store } from '../../broker/store/store.js'
import { append, commit, draft, type NewPlace, texts } from './store-suite.js'

export function dropSuite(t: Test, newPlace: NewPlace): void {
  t.test('a log ends with the commit that drops it', (t) => ends(t, newPlace))
  t.test('a drop and a crash', (t) => crash(t, newPlace))
  t.test('what was decided before a drop adds nothing to the next log', (t) => late(t, newPlace))
  t.test('what was decided on the notes of a log that was dropped is decided again', (t) => notes(t, newPlace))
}

const read = async (store: Store): Promise<string[]> => texts(await store.log.read('m:a', 0, 10, 1e6, 'shown'))

async function ends(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const told: string[] = []
  await store.log.follow('m:a', ({ entries }) => void told.push(...texts(entries)))
  await append(store, draft('m:a', '1', { cid: 'c' }), draft('m:a', '2'), draft('m:b', 'other', { cid: 'c' }))
  const waiting = append(store, draft('m:a', 'before'))
  const dropping = commit(store, [draft('m:a', 'last')], [dropLog('m:a')])
  const anew = append(store, draft('m:a', 'anew', { cid: 'c', hash: 'another' }))
  t.equal(await waiting, 'appended 3')
  t.match(await dropping, [{ outcome: 'appended', seq: 4 }])
  t.equal(await anew, 'appended 1', 'the client-chosen id is new too')
  t.same(told, ['1', '2', 'before', 'last', 'anew'])
  t.same(await read(store), ['anew'])
  t.equal(await append(store, draft('m:b', 'other', { cid: 'c' })), 'duplicate 1', 'others stay as they are')
  t.match(await commit(store, [draft('m:new', 'first and last')], [dropLog('m:new')]), [{ seq: 1 }])
  t.match(await store.log.open('m:new'), { head: 0, tail: 1, incarnation: 0 })
  await store.close()
}

async function crash(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  if (!place.afterCrash) return
  const store = await place.open()
  const note = { notes: [{ kind: 'pin', target: 1, name: '', value: 'old' }] } as const
  await append(store, draft('m:a', '1'), draft('m:a', '2', { effect: note }))
  await commit(store, [draft('m:a', 'last')], [dropLog('m:a')])
  let left = await place.afterCrash()
  for (const expected of [[], ['anew'], ['anew', 'more']]) {
    const opened = await left.open()
    t.same(await read(opened), expected)
    t.equal(await opened.notes.get('m:a', 'pin', 1), null)
    const text = expected.length === 0 ? 'anew' : 'more'
    t.equal(await append(opened, draft('m:a', text)), `appended ${expected.length + 1}`)
    left = await left.afterCrash!()
    await opened.close()
  }
  await store.close()
}

/** Whether the change is committed. */
function passes(store: Store, change: Partial<Change>): Promise<boolean> {
  return new Promise((resolve, reject) =>
    store.commit({
      drafts: [],
      ops: [],
      ...change,
      settled: (error) => (error && !(error instanceof GuardConflict) ? reject(error) : resolve(!error)),
    }),
  )
}

async function late(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  await append(store, draft('m:a', '1'))
  const before = store.asOf()
  await commit(store, [], [dropLog('m:a')])
  const drafts = [draft('m:b', 'beside'), draft('m:a', 'late')]
  const effect = { type: 'effect', log: 'm:a', effect: { erase: { seqs: [1], gone: { why: 'expired' } } } } as const
  t.notOk(await passes(store, { drafts, asOf: before }))
  t.notOk(await passes(store, { drafts, guards: { at: before, keys: [] } }))
  t.notOk(await passes(store, { ops: [effect], asOf: before }))
  t.match([await store.log.open('m:a'), await store.log.open('m:b')], [{ head: 0 }, { head: 0 }], 'nothing of it')
  t.ok(await passes(store, { drafts: [draft('m:b', 'b')], asOf: before }), 'another log is not concerned')
  t.ok(await passes(store, { drafts: [draft('m:a', 'anew')], asOf: store.asOf() }))
  t.ok(await passes(store, { drafts: [draft('m:a', 'of the broker')] }), 'what is decided on nothing')
  t.same(await read(store), ['anew', 'of the broker'])
  await store.close()
}

async function notes(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const note = { notes: [{ kind: 'pin', target: 1, name: '', value: 'old' }] } as const
  await append(store, draft('m:a', '1', { effect: note }))
  const seen: unknown[] = []
  await store.transact('key', async ({ notes }) => {
    seen.push(
      await notes.get('m:a', 'pin', 1),
      (await notes.list('m:a', { kind: 'pin', targets: [1, 9], limit: 9 })).length,
    )
    if (seen.length === 2) await commit(store, [], [dropLog('m:a')])
    return { drafts: [draft('m:b', 'decided')], value: null }
  })
  t.same(seen, ['old', 1, null, 0])
  t.match(await store.log.open('m:b'), { head: 1 })
  await store.close()
}
