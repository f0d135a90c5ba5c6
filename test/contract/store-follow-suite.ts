/** The part of the store contract about following logs, and about which logs have grown. */
import type { Test } from 'tap'
import { type AppendedBatch, type AppendListener, type Followed, isPositionIn } from '../../broker/store/logs.js'
import { append, commit, draft, drop, folded, type NewPlace, texts } from './store-suite.js'

export function followSuite(t: Test, newPlace: NewPlace): void {
  t.test('followers of a log are each told of every append', (t) => followers(t, newPlace))
  t.test('one call per commit and log', (t) => calls(t, newPlace))
  t.test('beginning and ending between appends', (t) => between(t, newPlace))
  t.test('head and tail of a followed log', (t) => current(t, newPlace))
  t.test('a log that was dropped and made anew has another incarnation', (t) => incarnations(t, newPlace))
  t.test('it is known in which commit each log grew', (t) => grownIn(t, newPlace))
  t.test('told before settled', (t) => beforeSettled(t, newPlace))
  t.test('which logs have grown', (t) => growth(t, newPlace))
}

/** A listener, and the texts it was told. */
function listening(): { told: string[]; listener: AppendListener } {
  const told: string[] = []
  return { told, listener: ({ entries }) => void told.push(...texts(entries)) }
}

async function followers(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const [one, other, elsewhere] = [listening(), listening(), listening()]
  const first = await store.log.follow('m:a', one.listener)
  const second = await store.log.follow('m:a', other.listener)
  await store.log.follow('m:b', elsewhere.listener)
  const three = ['1', '2', '3']
  await Promise.all([...three.map((text) => append(store, draft('m:a', text))), append(store, draft('m:b', 'b'))])
  await append(store, draft('m:nobody', 'x'))
  t.same([one.told, other.told, elsewhere.told], [three, three, ['b']], 'in order, and of no other log')

  first.end()
  first.end()
  await append(store, draft('m:a', '4'))
  t.same([one.told, other.told], [three, [...three, '4']], 'ending one ends only it')
  second.end()
  await append(store, draft('m:a', '5'))
  t.same(other.told, [...three, '4'])

  const again = await store.log.follow('m:a', one.listener)
  const twice = await store.log.follow('m:a', one.listener)
  await append(store, draft('m:a', '6'))
  again.end()
  await append(store, draft('m:a', '7'))
  twice.end()
  await append(store, draft('m:a', '8'))
  t.same(one.told, [...three, '6', '6', '7'], 'following twice is ended twice')
  await store.close()
}

async function calls(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const calls: AppendedBatch[] = []
  const listener: AppendListener = (batch) => void calls.push(batch)
  for (const log of ['m:a', 'm:b', 'm:idle']) await store.log.follow(log, listener)
  await commit(store, [draft('m:a', '1'), draft('m:b', '2'), draft('m:c', 'not followed'), draft('m:a', '3')])
  t.same(
    calls.map(({ log, entries }) => [log, entries.map(({ seq }) => seq)]),
    [
      ['m:a', [1, 2]],
      ['m:b', [1]],
    ],
  )
  await commit(store, [draft('m:c', 'x')])
  t.equal(calls.length, 2, 'none for what is not followed')
  await store.close()
}

async function between(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const { told, listener } = listening()
  await append(store, draft('m:a', 'before'))
  const followed = await store.log.follow('m:a', listener)
  t.match(followed, { name: 'm:a', head: 1, tail: 1 })
  await append(store, draft('m:a', 'next'))
  t.same(told, ['next'])
  t.equal(followed.head, 2)
  await store.close()

  store = await place.open()
  const late = listening()
  let settled = false
  const appending = append(store, draft('m:a', 'meanwhile')).then(() => (settled = true))
  const begun = await store.log.follow('m:a', late.listener)
  const { head } = begun
  await appending
  const missed = texts(await store.log.read('m:a', 0, 10, 1e6)).slice(0, head)
  t.ok(settled)
  t.same([...missed, ...late.told].slice(-1), ['meanwhile'], 'an append is in the head, or it is told')
  await append(store, draft('m:a', 'last'))
  t.equal(late.told.at(-1), 'last')
  await store.close()
}

async function current(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  for (let i = 1; i <= 200; i++) await append(store, draft('m:a', `${i}`))
  await append(store, draft('m:other', 'x'))
  await drop(store, 'm:other')
  const { told, listener } = listening()
  const followed: Followed = await store.log.follow('m:a', listener)
  t.match(followed, { head: 200, tail: 1 })
  await store.log.trim('m:a', 100)
  const { tail } = await store.log.open('m:a')
  t.ok(tail > 1 && tail <= 101)
  t.match(followed, { head: 200, tail })
  let heads: number[] = []
  const other = await store.log.follow('m:a', () => heads.push(followed.head))
  await append(store, draft('m:a', 'more'))
  t.same(heads, [201], 'the head is current when followers are told')
  other.end()

  await drop(store, 'm:a')
  t.match(followed, { head: 0, tail: 1 })
  heads = []
  await append(store, draft('m:a', 'anew'))
  t.match(followed, { head: 1, tail: 1 })
  t.same([told, heads], [['more', 'anew'], []])
  await store.close()
}

async function incarnations(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const of = async (log: string): Promise<number> => (await store.log.open(log)).incarnation
  const reopened = async (): Promise<void> => {
    await store.close()
    store = await place.open()
  }
  t.equal(await of('m:a'), 0, 'none before the first entry')
  const followed = await store.log.follow('m:a', () => {})
  await append(store, draft('m:a', '1'))
  const first = await of('m:a')
  t.ok(first > 0)
  t.equal(followed.incarnation, first)
  // Of another log, so that the entry is not the first of the store when it is read again.
  await append(store, draft('m:b', 'b'))
  await append(store, draft('m:a', '2'))
  t.equal(await of('m:a'), first, 'it stays as the log grows')
  await reopened()
  t.equal(await of('m:a'), first, 'read again from the journal')
  for (let i = 0; i < 200; i++) await append(store, draft('m:a', `more ${i}`))
  await store.log.trim('m:a', 150)
  t.equal(await of('m:a'), first, 'without its first entry')
  await reopened()
  t.equal(await of('m:a'), first)

  const seen = new Set([first])
  for (let life = 2; life <= 4; life++) {
    await drop(store, 'm:a')
    t.equal(await of('m:a'), 0, 'none while it is empty')
    await reopened()
    // The same entry, at the same time.
    await append(store, draft('m:a', '1'))
    const next = await of('m:a')
    t.ok(next > Math.max(...seen), 'a higher one in each life')
    seen.add(next)
    await reopened()
    t.equal(await of('m:a'), next)
  }
  const info = await store.log.open('m:a')
  t.ok(isPositionIn(info, 1, info.incarnation))
  t.notOk(isPositionIn(info, 1, first), 'a number of a former life says nothing')
  t.ok(isPositionIn(info, 0, first), 'but the beginning is the same in each')
  t.ok(isPositionIn(info, 1, undefined), 'kept by an earlier version: taken for the present life')
  await drop(store, 'm:a')
  t.notOk(isPositionIn(await store.log.open('m:a'), 1, undefined), 'not in a log without entries')
  await store.close()
}

async function grownIn(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const names = ['m:a', 'm:b', 'm:none']
  const reopened = async (): Promise<void> => {
    await store.close()
    store = await place.open()
  }
  const grown = async () => (await store.log.openAll(names)).map(({ grownIn, spokenIn }) => [grownIn, spokenIn])
  t.match(await store.log.openAll(['m:none']), [{ name: 'm:none', head: 0, tail: 1, grownIn: 0, spokenIn: 0 }])
  await append(store, draft('m:a', '1'))
  const first = store.lastCommit
  await append(store, draft('m:b', '1'), draft('m:b', '2', { isChange: true }))
  const second = store.lastCommit
  t.ok(second > first && first > 0, 'numbers grow')
  t.same(await grown(), [
    [first, first],
    [second, second],
    [0, 0],
  ])
  await append(store, draft('m:a', '2', { isChange: true }))
  const third = store.lastCommit
  const expected = [
    [third, first],
    [second, second],
    [0, 0],
  ]
  t.same(await grown(), expected, 'a change of an entry says nothing')
  await commit(store, [], [store.directory.channelOp('news')])
  t.same(await grown(), expected, 'nor does what adds to no log')
  await reopened()
  t.same(await grown(), expected, 'read again from the journal')
  t.ok(store.lastCommit >= third, 'numbers go on')
  await append(store, ...Array.from({ length: 200 }, (_, i) => draft('m:b', `more ${i}`)))
  const fourth = store.lastCommit
  t.ok(fourth > third)
  await store.log.trim('m:b', 150)
  await folded(store)
  await reopened()
  t.same(
    await grown(),
    [
      [third, first],
      [fourth, fourth],
      [0, 0],
    ],
    'without its first entries',
  )
  const inOrder = await store.log.openAll(['m:none', 'm:b', 'm:a', 'm:b'])
  t.same(await Promise.all(inOrder.map(({ name }) => store.log.open(name))), inOrder, 'each of them alone')
  t.same(
    inOrder.map(({ name }) => name),
    ['m:none', 'm:b', 'm:a', 'm:b'],
    'in the order asked for',
  )
  await drop(store, 'm:a')
  t.same((await grown())[0], [0, 0], 'a log that was dropped')
  await append(store, draft('m:a', 'anew'))
  t.same((await grown())[0], [store.lastCommit, store.lastCommit])
  await store.close()
}

async function beforeSettled(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const order: string[] = []
  await store.log.follow('m:a', () => order.push('first'))
  await store.log.follow('m:a', () => order.push('second'))
  store.log.onGrowth(() => order.push('growth'))
  const settled = (): void => void order.push('settled')
  await new Promise<void>((resolve) => {
    store.commit({ drafts: [draft('m:a', 'x')], ops: [], settled })
    store.commit({ drafts: [draft('m:a', 'y')], ops: [], settled: () => resolve() })
  })
  t.same(order.slice(0, 2), ['first', 'second'], 'followers are told before the change settles')
  t.ok(order.includes('settled'))
  await store.close()
}

/** Hints may repeat and be late, so only the last one of each log counts, and it is waited for. */
async function growth(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const [one, other] = [new Map<string, number>(), new Map<string, number>()]
  const end = store.log.onGrowth((log, head) => one.set(log, head))
  store.log.onGrowth((log, head) => other.set(log, head))
  const told = async (heads: Map<string, number>, log: string, head: number): Promise<void> => {
    for (let i = 0; i < 200 && heads.get(log) !== head; i++) await new Promise((resolve) => setTimeout(resolve, 10))
    t.equal(heads.get(log), head)
  }
  await commit(store, [draft('m:a', '1'), draft('m:a', '2'), draft('m:b', '1')])
  for (const heads of [one, other]) {
    await told(heads, 'm:a', 2)
    await told(heads, 'm:b', 1)
  }
  end()
  await append(store, draft('m:a', '3'))
  await told(other, 'm:a', 3)
  t.equal(one.get('m:a'), 2, 'a listener that has ended is told no more')
  await drop(store, 'm:a')
  await told(other, 'm:a', 0)
  await append(store, draft('m:a', 'anew'))
  await told(other, 'm:a', 1)
  await store.close()
}
