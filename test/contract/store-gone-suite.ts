/** The part of the store contract about entries that cannot be read any more. */

import type { Test } from 'tap'
import type { Draft } from '../../broker/store/changes.js'
import type { LogEntry } from '../../broker/store/logs.js'
import type { NoteWrite } from '../../broker/store/notes.js'
import { noteName, seqOfName } from '../../broker/store/notes.js'
import { effectOp } from '../../broker/store/op.js'
import { retainOp } from '../../broker/store/queue-ops.js'
import type { Store } from '../../broker/store/store.js'
import { append, commit, draft, drop, folded, type NewPlace, type StorePlace, texts } from './store-suite.js'

export function goneSuite(t: Test, newPlace: NewPlace): void {
  t.test('entries that expire', (t) => expiring(t, newPlace))
  t.test('entries that are erased', (t) => erased(t, newPlace))
  t.test('an erased entry of a chunk that has grown', (t) => grown(t, newPlace))
  t.test('an effect without an entry, after which no name is left', (t) => nameless(t, newPlace))
  t.test('notes', (t) => notes(t, newPlace))
  t.test('a retry that is none', (t) => retryOnly(t, newPlace))
  t.test('retained messages that expire', (t) => retained(t, newPlace))
  t.test('a long run of entries that expired', (t) => longRun(t, newPlace))
}

const START = 1_800_000_000_000
const MINUTE = 60_000
const HOUR = 3_600_000

function until(expiresAt: number, more: Partial<Draft> = {}): Partial<Draft> {
  return { extra: { properties: Buffer.alloc(0), expiresAt }, ...more }
}

/** Entries as their text, or in brackets why they are gone. */
function seen(entries: readonly LogEntry[]): string[] {
  return entries.map((entry) => (entry.gone ? `${entry.seq} ${entry.gone.why}` : texts([entry])[0]!))
}

async function shownAll(store: Store): Promise<string[]> {
  const shown = seen(await store.log.read('m:a', 0, 1000, 1e6, 'shown'))
  const backwards = seen(await store.log.readBefore('m:a', 1e6, 1000, 1e6, 'shown'))
  if (JSON.stringify(shown) !== JSON.stringify(backwards)) throw new Error('both directions read the same')
  return shown
}

async function nameless(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const from = (name: string, text: string, more: Partial<Draft> = {}): Draft =>
    draft('m:a', text, { from: name, ...more })
  const named = { why: 'deleted', by: 'ann', at: 1 } as const
  const gone = { why: 'deleted', by: null, at: 2 } as const
  const note: NoteWrite = { kind: 'pin', target: 1, name: '', value: 'p' }
  await append(store, from('bob', '1'), from('ann', '2'), from('ann', '3', { isChange: true }))
  await append(store, from('ann', '4', { effect: { erase: { seqs: [3], gone: named } } }))
  const effect = async (seqs: number[], more: object = {}): Promise<void> => {
    await commit(store, [], [effectOp('m:a', { erase: { seqs, gone }, ...more })])
  }
  await effect([2], { notes: [note] })
  const check = async (when: string): Promise<void> => {
    t.match(
      await store.log.read('m:a', 1, 10, 1e6, 'shown'),
      [
        { seq: 2, from: '', gone },
        { seq: 3, from: '', gone, isChange: true },
        { seq: 4, from: 'ann' },
      ],
      when,
    )
    t.same(texts(await store.log.read('m:a', 0, 10, 1e6)), ['1', '4'])
    t.equal(await store.notes.get('m:a', 'pin', 1), 'p')
    t.match(await store.log.open('m:a'), { head: 4 }, 'nothing is appended')
  }
  t.match((await store.log.read('m:a', 2, 1, 1, 'shown'))[0], { from: 'ann', gone: named })
  await effect([3])
  await check('at once')
  await append(store, draft('m:b', 'folds'))
  await folded(store)
  await store.log.sweep()
  await check('after a sweep')
  await effect([2, 3])
  await check('twice is once')
  await store.close()
  store = await place.open()
  await check('after a restart')
  await append(store, from('ann', '5', { effect: { erase: { seqs: [2, 3], gone: named } } }))
  t.match(
    await store.log.read('m:a', 1, 2, 1e6, 'shown'),
    [
      { from: '', gone },
      { from: '', gone },
    ],
    'no name comes back',
  )
  await store.close()
}

async function expiring(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let now = START
  const open = (where: StorePlace = place): Promise<Store> => where.open({}, () => now)
  let store = await open()
  const short = draft('m:a', 'short', { cid: 'c', from: 'bob', origin: 'phone', ...until(START + MINUTE) })
  await append(store, draft('m:a', 'stays'), short, draft('m:a', 'long', until(START + HOUR + MINUTE)))
  await append(store, draft('m:a', 'last'))
  const all = ['stays', 'short', 'long', 'last']

  now = START + MINUTE - 1
  t.same(texts(await store.log.read('m:a', 0, 10, 1e6)), all, 'not a moment too early')
  now = START + MINUTE
  const check = async (when: string): Promise<void> => {
    const { log } = store
    t.same(texts(await log.read('m:a', 0, 10, 1e6)), ['stays', 'long', 'last'], `passed over, ${when}`)
    t.same(texts(await log.read('m:a', 1, 1, 1e6)), ['long'], 'what follows takes its place in a page')
    t.same(texts(await log.readBefore('m:a', 3, 10, 1e6)), ['stays'])
    t.same(await shownAll(store), ['stays', '2 expired', 'long', 'last'])
    const [left] = await log.read('m:a', 1, 1, 1e6, 'shown')
    t.match(left, { seq: 2, from: 'bob', ts: 1_700_000_000_000, extra: null, gone: { why: 'expired' } })
    t.equal(left!.payload.length, 0, 'nothing of the payload')
    t.match(await log.open('m:a'), { head: 4, tail: 1 }, 'numbers stay')
    t.equal(await append(store, short), 'duplicate 2', 'and so does the answer to a retry')
  }
  await check('at once')
  await folded(store)
  await check('folded')
  await store.log.sweep()
  await check('swept')
  await store.close()
  store = await open()
  await check('after a restart')
  now = START + 2 * HOUR
  await store.log.sweep()
  t.same(await shownAll(store), ['stays', '2 expired', '3 expired', 'last'])
  t.equal(await append(store, draft('m:a', 'more')), 'appended 5')
  now = START + 24 * HOUR
  await store.log.sweep()
  if (place.afterCrash) {
    const left = await open(await place.afterCrash())
    t.same(await shownAll(left), ['stays', '2 expired', '3 expired', 'last', 'more'], 'after a crash')
    await left.close()
  }
  await store.close()
}

async function longRun(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let now = START
  let store = await place.open({}, () => now)
  await append(store, draft('m:a', 'first'))
  for (let i = 0; i < 30; i++)
    await append(
      store,
      ...Array.from({ length: 10 }, (_, j) => draft('m:a', `${i} ${j}`, until(START + (i + 1) * HOUR))),
    )
  await append(store, draft('m:a', 'last'))
  await store.close()
  store = await place.open({}, () => now)
  await folded(store)
  const left = (): Promise<number> =>
    shownAll(store).then((all) => all.filter((text) => !text.includes('expired')).length)
  for (let hours = 0; hours <= 30; hours += 5) {
    now = START + hours * HOUR
    t.equal(await left(), 302 - hours * 10, `after ${hours} hours`)
    await store.log.sweep()
    t.equal(await left(), 302 - hours * 10, 'a sweep takes no more than what is over')
  }
  t.same(texts(await store.log.read('m:a', 1, 5, 1e6)), ['last'], 'a page reaches across all that is gone')
  t.same(texts(await store.log.readBefore('m:a', 302, 5, 1e6)), ['first'])
  await store.log.trim('m:a', 200)
  now += 48 * HOUR
  await store.log.sweep()
  t.match(await store.log.open('m:a'), { head: 302 })
  await drop(store, 'm:a')
  await append(store, draft('m:a', 'anew'))
  await store.log.sweep()
  t.same(texts(await store.log.read('m:a', 0, 5, 1e6)), ['anew'])
  await store.close()
}

const DELETED = { why: 'deleted', by: 'bob', at: START } as const

async function erased(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const names = Array.from({ length: 150 }, (_, i) => `${i + 1}`)
  await append(store, ...names.slice(0, 100).map((name) => draft('m:a', name)))
  await folded(store)
  for (const name of names.slice(100)) await append(store, draft('m:a', name, name === '149' ? { isChange: true } : {}))
  const erasing = (text: string, seqs: number[], more: Parameters<typeof draft>[2] = {}): Draft =>
    draft('m:a', text, { effect: { erase: { seqs, gone: DELETED } }, ...more })
  const held = await store.log.read('m:a', 6, 1, 1e6)
  t.equal(await append(store, erasing('gone', [7, 8, 64, 65, 149, 150], { cid: 'c' })), 'appended 151')
  t.same(texts(held), ['7'], 'what was read before is as it was read')

  const expected = [...names, 'gone'].map((name) => (/^(7|8|64|65|149|150)$/.test(name) ? `${name} deleted` : name))
  const check = async (when: string, store: Store): Promise<void> => {
    t.same(await shownAll(store), expected, when)
    t.same(texts(await store.log.read('m:a', 6, 2, 1e6)), ['9', '10'])
    t.same(texts(await store.log.readBefore('m:a', 152, 2, 1e6)), ['148', 'gone'])
    const [left] = await store.log.read('m:a', 148, 1, 1e6, 'shown')
    t.match(left, { seq: 149, from: 'ann', gone: DELETED, isChange: true })
    t.equal(left!.payload.length, 0)
  }
  await check('at once', store)
  if (place.afterCrash) {
    const left = await (await place.afterCrash()).open()
    await check('after a crash', left)
    await folded(left)
    await left.log.sweep()
    await check('after a crash, swept', left)
    await left.close()
  }
  await folded(store)
  await check('folded', store)
  await store.log.sweep()
  await check('swept', store)
  await store.close()
  store = await place.open()
  await check('after a restart', store)

  t.equal(await append(store, erasing('gone', [1], { cid: 'c' })), 'duplicate 151')
  t.equal(await append(store, erasing('other', [1], { cid: 'c', hash: 'x' })), 'conflict 151')
  await check('a duplicate or a conflict erases nothing', store)
  const twice = { erase: { seqs: [7], gone: { ...DELETED, by: 'carol' } } }
  await append(store, draft('m:a', 'again', { effect: twice }))
  t.match((await store.log.read('m:a', 6, 1, 1e6, 'shown'))[0], { gone: DELETED }, 'who was first stays')
  await folded(store)
  await store.log.sweep()
  await store.log.trim('m:a', 100)
  await drop(store, 'm:a')
  await append(store, ...names.map((name) => draft('m:a', name)))
  t.same(await shownAll(store), names, 'a new log of that name begins anew')
  await store.close()
}

/** Removing a log folds what all others have. */
async function foldAll(store: Store): Promise<void> {
  await drop(store, 'm:nothing')
}

async function grown(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const entries = (from: number, to: number): Draft[] =>
    Array.from({ length: to - from + 1 }, (_, i) => draft('m:a', `${from + i}`))
  await append(store, ...entries(1, 14))
  await foldAll(store)
  await append(store, ...entries(15, 118))
  await foldAll(store)
  const gone = { why: 'deleted', by: 'bob', at: START } as const
  await append(store, draft('m:a', '119', { effect: { erase: { seqs: [7], gone } } }))
  await foldAll(store)
  const all = Array.from({ length: 119 }, (_, i) => (i === 6 ? '7 deleted' : `${i + 1}`))
  for (const when of ['at once', 'after a restart']) {
    t.same(await shownAll(store), all, when)
    await store.close()
    store = await place.open()
  }
  await store.close()
}

async function notes(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const noting = (text: string, ...notes: NoteWrite[]): Draft => draft('m:a', text, { effect: { notes } })
  await append(store, ...Array.from({ length: 100 }, (_, i) => draft('m:a', `${i + 1}`)))
  await append(
    store,
    noting('101', { kind: 'state', target: 2, name: '', value: ['{"last":', '}'] }),
    noting('102', { kind: 'edit', target: 2, name: null, value: '' }),
    noting('103', { kind: 'edit', target: 2, name: null, value: 'b' }),
    noting('104', { kind: 'edit', target: 35, name: null, value: '' }),
    noting('105', { kind: 'reaction', target: 2, name: 'bob/👍', value: ['', ''] }),
    noting('106', { kind: 'reaction', target: 2, name: 'bo/👍', value: '1' }),
    noting('107', { kind: 'pin', target: 90, name: '', value: 'x' }, { kind: 'pin', target: 2, name: '', value: 'y' }),
  )
  const { get, list } = { get: store.notes.get.bind(store.notes), list: store.notes.list.bind(store.notes) }
  t.equal(await get('m:a', 'state', 2), '{"last":101}')
  t.equal(await get('m:a', 'state', 3), null)
  t.equal(await get('m:b', 'state', 2), null)
  const edits = await list('m:a', { kind: 'edit', targets: [2, 2], limit: 10 })
  t.same(
    edits.map(({ name, value }) => [seqOfName(name), value]),
    [
      [102, ''],
      [103, 'b'],
    ],
  )
  t.same(edits[0]!.name, noteName(102))
  const newest = await list('m:a', { kind: 'edit', targets: [2, 2], limit: 1, reverse: true })
  t.same(
    newest.map(({ value }) => value),
    ['b'],
  )
  t.equal((await list('m:a', { kind: 'edit', targets: [1, 100], limit: 10 })).length, 3)
  const bobs = { gte: 'bob/', lt: 'bob0' }
  const reactions = await list('m:a', { kind: 'reaction', targets: [2, 2], names: bobs, limit: 10 })
  t.same(reactions, [{ kind: 'reaction', target: 2, name: 'bob/👍', value: '105' }])
  const pins = await list('m:a', { kind: 'pin', targets: [1, 200], limit: 10 })
  t.same(
    pins.map(({ target, value }) => `${target} ${value}`),
    ['2 y', '90 x'],
    'in order of what they are about',
  )

  await append(store, noting('108', { kind: 'pin', target: 2, name: '', value: null }))
  const again = draft('m:a', 'again', {
    cid: 'c',
    effect: { notes: [{ kind: 'pin', target: 5, name: '', value: ['', ''] }] },
  })
  t.equal(await append(store, again, again), 'appended 109, duplicate 109')
  t.equal(await append(store, again), 'duplicate 109')
  t.equal(await get('m:a', 'pin', 5), '109', 'a duplicate notes nothing')
  await store.close()
  store = await place.open()
  t.equal(await store.notes.get('m:a', 'pin', 2), null)
  const { head } = await store.log.open('m:a')
  await commit(store, [noting('its own', { kind: 'mention', target: null, name: '', value: 'me' })])
  t.equal(await store.notes.get('m:a', 'mention', head + 1), 'me', 'about the entry itself')
  t.equal(await store.notes.get('m:a', 'pin', 90), 'x', 'after a restart')
  await folded(store)
  await store.log.trim('m:a', 64)
  const { tail } = await store.log.open('m:a')
  const kept = (await store.notes.list('m:a', { kind: 'edit', targets: [1, 200], limit: 10 })).map(
    ({ target }) => target,
  )
  t.same(
    kept,
    [2, 2, 35].filter((target) => target >= tail),
    'notes go with what they are about',
  )
  t.equal(await store.notes.get('m:a', 'pin', 90), 'x')
  await drop(store, 'm:a')
  t.equal(await store.notes.get('m:a', 'pin', 90), null)
  await store.close()
}

async function retryOnly(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const late = draft('m:a', 'hi', { cid: 'c', retryOnly: true, effect: { erase: { seqs: [1], gone: DELETED } } })
  await append(store, draft('m:a', 'first'))
  t.equal(await append(store, late, draft('m:a', 'x', { retryOnly: true })), 'absent 0, absent 0')
  t.match(await store.log.open('m:a'), { head: 1 })
  t.same(texts(await store.log.read('m:a', 0, 10, 1e6)), ['first'])
  t.equal(await append(store, draft('m:a', 'hi', { cid: 'c' })), 'appended 2')
  t.equal(await append(store, late), 'duplicate 2')
  t.equal(await append(store, draft('m:a', 'ho', { cid: 'c', retryOnly: true })), 'conflict 2')
  await store.close()
}

async function retained(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let now = START
  const store = await place.open({}, () => now)
  const retain = (topic: string, text: string, expiresAt = 0): Promise<unknown> => {
    const message = { topic, payload: Buffer.from(text), qos: 1, retain: true, clientId: 'ann/phone' } as const
    const extra = { properties: Buffer.alloc(0), expiresAt }
    return commit(store, [], [retainOp(expiresAt > 0 ? { ...message, extra } : message)])
  }
  const kept = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const { payload } of store.queue.retained(['t/#'])) found.push(payload.toString())
    return found
  }
  await retain('t/a', 'a', START + HOUR)
  await retain('t/b\0!/c', 'b', START + HOUR)
  await retain('t/c', 'c', START + HOUR)
  await retain('t/c', 'C', START + 5 * HOUR)
  await retain('t/d', 'd', START + HOUR)
  await retain('t/d', 'D')
  await retain('t/e', 'e', START + HOUR)
  await retain('t/e', '')
  await store.log.sweep()
  t.same(await kept(), ['a', 'b', 'C', 'D'])
  now = START + 2 * HOUR
  await store.log.sweep()
  t.same(await kept(), ['C', 'D'], 'those whose time is over, and no others')
  t.same(store.queue.retainedBy('ann'), { messages: 2, bytes: 8 }, 'and are not counted any more')
  now = START + 24 * HOUR
  await store.log.sweep()
  t.same(await kept(), ['D'])
  await store.close()
}
