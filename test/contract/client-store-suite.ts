/** What every adapter of the client's store must do (client/store/store.ts). */
import type { Test } from 'tap'
import type { Change, Key, Store, Table } from '../../client/store/store.js'
import { Random } from '../helpers/random.js'
import { ClientStoreModel, randomChanges, randomRange } from './client-store-model.js'

/** Where a store is. */
export interface StorePlace {
  /** What was there before, unless it is the first time, or the store was destroyed. The one before is closed. */
  open(): Promise<Store>
}

export interface SuiteOptions {
  /** A new place, which is removed with the test. */
  readonly place: (t: Test) => Promise<StorePlace>
  /** What is written is there when the store is opened again. */
  readonly lasts: boolean
  /** Left out: it does. False: it refuses the bytes of files. */
  readonly keepsFiles?: boolean
}

export function clientStoreSuite(t: Test, { place, lasts, keepsFiles = true }: SuiteOptions): void {
  const opened = async (t: Test): Promise<Store> => (await place(t)).open()
  t.test('rows are found by their key, in the order they are asked for', async (t) => finds(t, await opened(t)))
  t.test('keys have one order', async (t) => orders(t, await opened(t)))
  t.test('a range has bounds, a limit and a direction', async (t) => ranges(t, await opened(t)))
  t.test('changes of one write count in their order', async (t) => inTurn(t, await opened(t)))
  t.test('a row is not put over one of later', async (t) => asOfs(t, await opened(t)))
  t.test('values are JSON of any kind', async (t) => values(t, await opened(t)))
  t.test('a write is seen as a whole', async (t) => whole(t, await opened(t)))
  t.test('a write that is not possible leaves nothing', async (t) => nothing(t, await opened(t)))
  if (keepsFiles)
    t.test('bytes of files are kept beside rows, and go with them', async (t) => blobs(t, await place(t), lasts))
  else t.test('bytes of files are refused, with what is written beside them', async (t) => noBlobs(t, await opened(t)))
  t.test('a closed store does nothing more, after what was begun', async (t) => closes(t, await place(t), lasts))
  t.test('a destroyed store leaves nothing', async (t) => destroys(t, await place(t)))
  t.test('random programs see what a list would show', async (t) => programs(t, await opened(t)))
}

const put = (table: Table, key: Key, value: unknown = key, asOf?: number): Change => ({
  put: table,
  key,
  value,
  ...(asOf !== undefined && { asOf }),
})

async function keysOf(store: Store, ...range: Parameters<Store['range']>): Promise<readonly Key[]> {
  return (await store.range(...range)).map(({ key }) => key)
}

async function finds(t: Test, store: Store): Promise<void> {
  t.same(await store.get('rooms', [['a']]), [undefined], 'there is no row at first')
  t.same(await store.range('rooms'), [])
  await store.write([put('rooms', ['a'], { name: 'A' }), put('rooms', ['b'], 2), put('messages', ['a'], 'other')])
  t.same(await store.get('rooms', [['b'], ['none'], ['a'], ['b']]), [2, undefined, { name: 'A' }, 2])
  t.same(await store.get('messages', [['a'], ['b']]), ['other', undefined], 'tables are apart')
  t.same(await store.get('rooms', []), [])
  await store.write([put('rooms', ['a'], null), { delete: 'rooms', key: ['b'] }, { delete: 'rooms', key: ['never'] }])
  t.same(await store.range('rooms'), [{ key: ['a'], value: null }], 'null is a value')
}

/** Ascending. */
const KEYS: readonly Key[] = [
  [Number.NEGATIVE_INFINITY],
  [-1e300],
  [-2.5],
  [-1],
  [-1e-300],
  [0],
  [5e-324],
  [0.5],
  [1],
  [1, -1],
  [1, 2, 3],
  [1, 10],
  [1, ''],
  [1, 'a'],
  [2],
  [10],
  [Number.MAX_SAFE_INTEGER],
  [Number.POSITIVE_INFINITY],
  [''],
  ['', 0],
  ['\0'],
  ['\0', 1],
  ['\0\0'],
  ['\0\u0001'],
  ['\u0001'],
  ['A'],
  ['a'],
  ['a', 2],
  ['a', 10],
  ['a', 10, ''],
  ['a', 'a'],
  ['a\0'],
  ['a\0', 7],
  ['a\0b'],
  ['a\u0001'],
  ['a.b'],
  ['aa'],
  ['\u00ff'],
  ['\ud7ff'],
  // By code unit: characters beyond U+FFFF come before these.
  ['\u{1fad6}'],
  ['\ue000'],
  ['\uffff'],
  ['\uffff\uffff'],
]

async function orders(t: Test, store: Store): Promise<void> {
  const random = new Random(1)
  const shuffled = KEYS.map((key) => ({ key, by: random.next() })).sort((a, b) => a.by - b.by)
  for (const { key } of shuffled) await store.write([put('messages', key, KEYS.indexOf(key))])
  t.same(await keysOf(store, 'messages'), KEYS)
  t.same(await keysOf(store, 'messages', { reverse: true }), [...KEYS].reverse())
  t.same(await store.get('messages', KEYS), [...KEYS.keys()], 'and each is one of its own')
  for (const [at, key] of KEYS.entries()) {
    t.same(await keysOf(store, 'messages', { after: key, limit: 2 }), KEYS.slice(at + 1, at + 3))
    const before = { before: key, limit: 2, reverse: true }
    t.same(await keysOf(store, 'messages', before), KEYS.slice(Math.max(0, at - 2), at).reverse())
    const own = KEYS.filter((other) => key.every((part, i) => other[i] === part))
    t.same(await keysOf(store, 'messages', { prefix: key }), own, 'what begins with it, itself included')
  }
}

async function ranges(t: Test, store: Store): Promise<void> {
  const keys = ['a', 'b', 'c'].flatMap((room) => [1, 2, 3, 4].map((seq): Key => [room, seq]))
  await store.write(keys.map((key) => put('messages', key)))
  const b = { prefix: ['b'] }
  t.same(await store.range('messages', { ...b, limit: 1 }), [{ key: ['b', 1], value: ['b', 1] }])
  t.same(await keysOf(store, 'messages', { ...b, after: ['b', 1], before: ['b', 4] }), [
    ['b', 2],
    ['b', 3],
  ])
  t.same(await keysOf(store, 'messages', { ...b, limit: 2, reverse: true }), [
    ['b', 4],
    ['b', 3],
  ])
  t.same(await keysOf(store, 'messages', { ...b, before: ['b', 2.5], limit: 1, reverse: true }), [['b', 2]])
  t.same(await keysOf(store, 'messages', { ...b, after: ['a', 2] }), keys.slice(4, 8), 'a bound outside of the prefix')
  t.same(await keysOf(store, 'messages', { ...b, before: ['z'] }), keys.slice(4, 8))
  t.same(await keysOf(store, 'messages', { prefix: [] }), keys)
  for (const none of [
    { ...b, after: ['b', 4] },
    { ...b, before: ['b', 1] },
    { ...b, before: ['b'] },
    { ...b, after: ['c', 1] },
    { ...b, before: ['a', 2] },
    { after: ['b', 3], before: ['b', 2] },
    { after: ['b', 2], before: ['b', 2] },
    { ...b, limit: 0 },
    { prefix: ['bb'] },
    { prefix: ['b', 1, 1] },
  ])
    t.same(await keysOf(store, 'messages', none), [], JSON.stringify(none))
  await store.write([{ clear: 'messages', prefix: ['b'] }])
  t.same(await keysOf(store, 'messages'), [...keys.slice(0, 4), ...keys.slice(8)])
  await store.write([{ clear: 'messages', prefix: [] }])
  t.same(await keysOf(store, 'messages'), [])
}

async function inTurn(t: Test, store: Store): Promise<void> {
  await store.write([put('rooms', ['a', 1]), put('rooms', ['b'], 'before')])
  await store.write([
    put('rooms', ['a', 2]),
    { clear: 'rooms', prefix: ['a'] },
    put('rooms', ['a', 3]),
    { delete: 'rooms', key: ['b'] },
    put('rooms', ['b'], 'between'),
    put('rooms', ['b'], 'last'),
    put('rooms', ['c']),
    { delete: 'rooms', key: ['c'] },
  ])
  t.same(await store.range('rooms'), [
    { key: ['a', 3], value: ['a', 3] },
    { key: ['b'], value: 'last' },
  ])
  await store.write([])
}

async function asOfs(t: Test, store: Store): Promise<void> {
  const key = ['a', 1]
  const shown = async (): Promise<unknown> => (await store.get('messages', [key]))[0]
  await store.write([put('messages', key, 'at 5', 5), put('messages', key, 'at 4', 4)])
  t.equal(await shown(), 'at 5', 'within a write')
  await store.write([put('messages', key, 'at 3', 3), put('messages', ['b'], 'beside')])
  t.equal(await shown(), 'at 5', 'in a later one')
  t.same(await store.get('messages', [['b']]), ['beside'], 'which else counts')
  await store.write([put('messages', key, 'at 5 again', 5)])
  t.equal(await shown(), 'at 5 again')
  await store.write([put('messages', key, 'whenever')])
  await store.write([put('messages', key, 'at 1', 1)])
  t.equal(await shown(), 'at 1', 'a row that is put without one has none')
  for (const change of [{ delete: 'messages', key } as const, { clear: 'messages', prefix: ['a'] } as const]) {
    await store.write([put('messages', key, 'at 9', 9)])
    await store.write([change, put('messages', key, 'at 2', 2)])
    t.equal(await shown(), 'at 2', 'what was deleted is forgotten')
  }
  await store.write([put('rooms', key, 'other', 1)])
  t.same(await store.get('rooms', [key]), ['other'])
}

async function values(t: Test, store: Store): Promise<void> {
  const all = [null, true, 0, -1.5, '', 'ü\0\u{1fad6}\ud800', [], {}, [[1, [{ a: null }]]], { '': { ' ': [false] } }]
  await store.write(all.map((value, at) => put('meta', [at], value)))
  t.same(
    (await store.range('meta')).map(({ value }) => value),
    all,
  )
  await store.write([put('meta', ['large'], 'x'.repeat(1_000_000))])
  t.equal(((await store.get('meta', [['large']]))[0] as string).length, 1_000_000)
}

async function whole(t: Test, store: Store): Promise<void> {
  const rounds = 20
  const write = (round: number): Promise<void> =>
    store.write(
      Array.from({ length: 50 }, (_, at) => put('messages', [at], round)),
      { durable: round % 2 === 0 },
    )
  await write(0)
  const writes = (async () => {
    for (let round = 1; round <= rounds; round++) await write(round)
  })()
  let last = 0
  while (last < rounds) {
    const seen = new Set((await store.range('messages')).map(({ value }) => value as number))
    t.equal(seen.size, 1, 'all rows are of one write')
    const [round] = seen
    t.ok(round! >= last, 'and none is of one before')
    last = round!
  }
  await writes
  // Writes that are begun at a time count in that order.
  await Promise.all(Array.from({ length: 10 }, (_, at) => store.write([put('meta', ['x'], at)])))
  t.same(await store.get('meta', [['x']]), [9])
}

async function nothing(t: Test, store: Store): Promise<void> {
  await store.write([put('rooms', ['a'], 'before')])
  const changes = [put('rooms', ['a'], 'after'), put('rooms', ['b']), put('messages', ['c', Number.NaN])]
  await t.rejects(store.write(changes), { name: 'ChatError', code: 'storage' })
  t.same(await store.range('rooms'), [{ key: ['a'], value: 'before' }])
  await store.write([put('rooms', ['b'])])
  t.same(await keysOf(store, 'rooms'), [['a'], ['b']], 'and the store goes on')
}

async function blobs(t: Test, place: StorePlace, lasts: boolean): Promise<void> {
  const store = await place.open()
  const large = new Blob([new Uint8Array(300_000).fill(7)], { type: 'audio/ogg' })
  const blob = (text: string) => new Blob([text], { type: 'text/plain' })
  const found = async (from: Store, ...keys: Key[]): Promise<unknown[]> => {
    const values = (await from.get('files', keys)) as (Blob | undefined)[]
    return Promise.all(values.map((value) => value && (value.size < 100 ? value.text() : value.size)))
  }
  await store.write(
    [
      put('outbox', ['a'], { is: 'a row' }),
      put('files', ['a', 0], blob('first')),
      put('files', ['a', 1], large),
      put('files', ['b', 0], blob('other')),
      put('files', ['b', 1], blob('')),
    ],
    { durable: true },
  )
  t.same(await found(store, ['b', 0], ['a', 1], ['none'], ['a', 0], ['b', 1]), [
    'other',
    300_000,
    undefined,
    'first',
    '',
  ])
  t.same(
    (await store.range('files', { prefix: ['a'] })).map(({ value }) => (value as Blob).type),
    ['text/plain', 'audio/ogg'],
  )
  const [stored] = (await store.get('files', [['a', 1]])) as [Blob]
  const part = new Uint8Array(await stored.slice(299_990, 300_001).arrayBuffer())
  t.same(part, new Uint8Array(10).fill(7), 'parts of it can be read')
  await store.write([put('files', ['b', 0], blob('another')), { delete: 'files', key: ['b', 1] }])
  t.same(await found(store, ['b', 0], ['b', 1]), ['another', undefined])
  await store.write([
    { clear: 'files', prefix: ['a'] },
    { delete: 'outbox', key: ['a'] },
  ])
  t.same(await found(store, ['a', 0], ['a', 1], ['b', 0]), [undefined, undefined, 'another'])
  await store.close()
  t.same(await found(await place.open(), ['b', 0]), [lasts ? 'another' : undefined])
}

async function noBlobs(t: Test, store: Store): Promise<void> {
  const changes = [put('rooms', ['a']), put('files', ['a', 0], new Blob(['a']))]
  await t.rejects(store.write(changes), { code: 'storage' })
  t.same([await store.range('rooms'), await store.range('files')], [[], []])
}

async function closes(t: Test, place: StorePlace, lasts: boolean): Promise<void> {
  const store = await place.open()
  const written = store.write([put('rooms', ['a'], 1, 7)], { durable: true })
  await store.close()
  await written
  const closed = { name: 'ChatError', code: 'closed' }
  await t.rejects(store.get('rooms', [['a']]), closed)
  await t.rejects(store.range('rooms'), closed)
  await t.rejects(store.write([put('rooms', ['b'])]), closed)
  await store.close()
  const next = await place.open()
  t.same(await next.range('rooms'), lasts ? [{ key: ['a'], value: 1 }] : [])
  await next.write([put('rooms', ['a'], 2, 6)])
  t.same(await next.get('rooms', [['a']]), [lasts ? 1 : 2], 'with how late it was put')
}

async function destroys(t: Test, place: StorePlace): Promise<void> {
  const store = await place.open()
  await store.write([put('rooms', ['a']), put('outbox', ['b'])], { durable: true })
  await store.destroy()
  await t.rejects(store.get('rooms', [['a']]), { name: 'ChatError', code: 'closed' })
  await store.close()
  const next = await place.open()
  t.same([await next.range('rooms'), await next.range('outbox')], [[], []])
  await next.write([put('rooms', ['b'])])
}

async function programs(t: Test, store: Store): Promise<void> {
  const random = Random.from('STORE_SEED')
  t.comment(`STORE_SEED=${random.seed}`)
  const model = new ClientStoreModel()
  for (let step = 0; step < 300; step++) {
    const changes = randomChanges(random)
    model.write(changes)
    await store.write(changes, { durable: random.chance(0.1) })
    const [table, range] = randomRange(random)
    t.same(await store.range(table, range), model.range(table, range), `after ${step}: ${JSON.stringify(range)}`)
  }
}
