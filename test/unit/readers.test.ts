/** Readers registered by name: where they begin, what they are told, and when a mark of the outbox is removed. */

import t, { type Test } from 'tap'
import type { IndependentReader, OutboxReader, Serving } from '../../broker/readers/reader.js'
import { ReaderRegistry } from '../../broker/readers/registry.js'
import { LogCursor } from '../../broker/readers/webhooks/log-cursor.js'
import { memoryDatabase } from '../../broker/store/level/database.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { LogName } from '../../broker/store/log-name.js'
import type { GrowthListener } from '../../broker/store/logs.js'
import { dropLog } from '../../broker/store/op.js'
import { readerCursorOp, readerCursors, readLogOp } from '../../broker/store/reader-cursors.js'
import type { Store } from '../../broker/store/store.js'
import { all, append, commit, draft, drop } from '../contract/store-suite.js'

/** After every log was quiet for long enough to be forgotten. */
const later = (): number => Date.now() + 60_000

/** Registered, and served by this node. */
function add(registry: ReaderRegistry, reader: RecordedReader): Promise<void> {
  registry.register(reader)
  return registry.serve(reader, reader, null)
}

class RecordedReader implements OutboxReader, Serving {
  readonly positions = 'outbox'
  readonly name: string
  readonly cursors = new Map<LogName, LogCursor>()
  kind: string

  constructor(name: string, kind = 'm:') {
    this.name = name
    this.kind = kind
  }

  takesLog(log: LogName): boolean {
    return log.startsWith(this.kind)
  }

  begin(log: LogName, done: number, head: number, incarnation: number): void {
    this.cursors.set(log, new LogCursor(log, done, head, incarnation))
  }

  cursor(log: LogName): LogCursor | undefined {
    return this.cursors.get(log)
  }

  grown(log: LogName, head: number): void {
    const cursor = this.cursors.get(log)!
    cursor.head = Math.max(cursor.head, head)
  }

  forget(log: LogName): void {
    this.cursors.delete(log)
  }

  stateSaving(): null {
    return null
  }

  /** From where to where there is something to read. */
  get left(): [string, number, number][] {
    return [...this.cursors.values()].filter(({ lagging }) => lagging).map(({ log, done, head }) => [log, done, head])
  }

  read(log: LogName, upTo: number): void {
    this.cursors.get(log)!.done = upTo
  }
}

interface Setup {
  store: Store
  registry: ReaderRegistry
  /** Saves what has changed, and waits for it. */
  save: () => Promise<void>
}

/** Resolves when what was queued has settled, and what is queued then. */
async function settled(store: Store): Promise<void> {
  for (let i = 0; i < 5; i++) await commit(store, [], [{ type: 'touch', guard: 'behind what was queued' }])
}

async function setup(t: Test, openDatabase?: Awaited<ReturnType<typeof memoryDatabase>>): Promise<Setup> {
  const store = await openLevelStore({
    location: null,
    sync: true,
    limits: { queueMessages: 10, queueBytes: 1000 },
    openDatabase: openDatabase ?? (await memoryDatabase()),
  })
  t.teardown(() => store.close())
  const wheel = { set: () => undefined, delete: () => undefined }
  const registry = new ReaderRegistry({ store, wheel: wheel as never, failed: (error) => t.fail(String(error)) })
  const save = async (): Promise<void> => {
    registry.due(later())
    await settled(store)
  }
  return { store, registry, save }
}

t.test('a mark is removed when all readers that take the log have read it', async (t) => {
  const { store, registry, save } = await setup(t)
  const [fast, slow, elsewhere] = [
    new RecordedReader('fast'),
    new RecordedReader('slow'),
    new RecordedReader('e', 'e:'),
  ]
  for (const reader of [fast, slow, elsewhere]) await add(registry, reader)
  t.throws(() => registry.register(new RecordedReader('slow')), { message: 'there is a reader slow already' })
  await append(store, draft('m:a', '1'), draft('m:a', '2'))
  for (const reader of [fast, slow]) t.same(reader.left, [['m:a', 0, 2]])
  t.same(elsewhere.left, [])

  fast.read('m:a', 2)
  slow.read('m:a', 1)
  registry.advanced('m:a')
  await save()
  t.same([...store.outbox.marked()], [['m:a', 0]], 'one has not read all')
  t.same(
    (await all(readerCursors(store.tables))).map(({ reader, seq }) => [reader, seq]),
    [
      ['fast', 2],
      ['slow', 1],
    ],
  )
  slow.read('m:a', 2)
  registry.advanced('m:a')
  await save()
  t.same([...store.outbox.marked()], [])
  t.same(await all(readerCursors(store.tables)), [])
  t.same([...fast.cursors, ...slow.cursors], [], 'nothing is kept of a log that was read')

  await append(store, draft('m:a', '3'))
  for (const reader of [fast, slow]) t.same(reader.left, [['m:a', 2, 3]], 'and then it goes on')
})

t.test('a log that grows while its mark is removed keeps its cursors', async (t) => {
  const { store, registry, save } = await setup(t)
  const reader = new RecordedReader('one')
  await add(registry, reader)
  await append(store, draft('m:a', '1'))
  reader.read('m:a', 1)
  registry.advanced('m:a')
  await Promise.all([save(), append(store, draft('m:a', '2'))])
  t.same(reader.left, [['m:a', 1, 2]])
  t.ok(store.outbox.marked().has('m:a'))
})

t.test('hints that repeat or come late', async (t) => {
  const { store } = await setup(t)
  let tell: GrowthListener = () => undefined
  store.log.onGrowth = (listener) => {
    tell = listener
    return () => undefined
  }
  const wheel = { set: () => undefined, delete: () => undefined }
  const failed = (error: unknown): void => void t.fail(String(error))
  const registry = new ReaderRegistry({ store, wheel: wheel as never, failed })
  const reader = new RecordedReader('one')
  await add(registry, reader)
  await append(store, draft('m:a', '1'))
  await append(store, draft('m:a', '2'))
  registry.takesChanged()
  registry.due(later())
  await settled(store)
  t.same([...store.outbox.marked()], [['m:a', 0]], 'what no hint has told of yet stays marked')
  const { incarnation } = await store.log.open('m:a')
  const hint = (log: LogName, head: number): void => tell(log, head, incarnation)

  hint('m:a', 2)
  hint('m:a', 1)
  hint('m:a', 2)
  t.same(reader.left, [['m:a', 0, 2]])
  reader.read('m:a', 2)
  registry.due(later())
  await settled(store)
  t.same([[...store.outbox.marked()], [...reader.cursors]], [[], []])
  hint('m:a', 2)
  t.same([...reader.cursors], [], 'it was read')

  await commit(store, [], [dropLog('m:a')])
  await append(store, draft('m:a', 'anew'))
  const next = (await store.log.open('m:a')).incarnation
  tell('m:a', 1, next)
  hint('m:a', 2)
  hint('m:a', 0)
  t.same(reader.left, [['m:a', 0, 1]], 'what is told late of a former log says nothing')
  reader.read('m:a', 1)
  await commit(store, [], [dropLog('m:a')])
  await append(store, draft('m:a', 'anew'), draft('m:a', 'again'))
  tell('m:a', 2, (await store.log.open('m:a')).incarnation)
  t.same(reader.left, [['m:a', 0, 2]], 'nor does its cursor, if nobody told that it was dropped')
})

t.test('what a reader of a former log saves late says nothing of the next', async (t) => {
  const database = await memoryDatabase()
  const { store, registry } = await setup(t, database)
  await add(registry, new RecordedReader('one'))
  await append(store, draft('m:a', '1'), draft('m:a', '2'))
  const former = (await store.log.open('m:a')).incarnation
  const save = (incarnation: number | undefined, seq: number) =>
    commit(store, [], [readerCursorOp({ log: 'm:a', reader: 'one', seq, incarnation })])
  await save(former, 1)
  await commit(store, [], [dropLog('m:a')])
  t.same(await all(readerCursors(store.tables)), [], 'what was saved before goes with the log')
  await save(former, 2)
  await append(store, draft('m:a', '1'), draft('m:a', '2'), draft('m:a', '3'))
  const { incarnation } = await store.log.open('m:a')
  await save(incarnation, 1)
  await save(former, 2)
  await commit(store, [], [readLogOp('m:a', 3, former)])
  t.same([...store.outbox.marked()], [['m:a', 0]])
  await store.close()

  const again = await setup(t, database)
  const reader = new RecordedReader('one')
  await add(again.registry, reader)
  t.same(reader.left, [['m:a', 1, 3]])
  await commit(again.store, [], [readLogOp('m:a', 3, incarnation)])
  t.same(
    [[...again.store.outbox.marked()], await all(readerCursors(again.store.tables))],
    [[], []],
    'all go with the mark',
  )
})

t.test('a log that one reader takes for its former one keeps its mark', async (t) => {
  const { store, registry, save } = await setup(t)
  const [one, other] = [new RecordedReader('one'), new RecordedReader('other')]
  for (const reader of [one, other]) await add(registry, reader)
  await append(store, draft('m:a', '1'), draft('m:a', '2'))
  const former = (await store.log.open('m:a')).incarnation
  await commit(store, [], [dropLog('m:a')])
  await append(store, draft('m:a', 'anew'))
  one.read('m:a', 1)
  other.begin('m:a', 2, 2, former)
  registry.advanced('m:a')
  await save()
  t.same([...store.outbox.marked()], [['m:a', 0]])
})

t.test('a cursor without an incarnation, of an earlier version, is one in the log as it is', async (t) => {
  const database = await memoryDatabase()
  const { store, registry } = await setup(t, database)
  await add(registry, new RecordedReader('one'))
  await append(store, draft('m:a', '1'), draft('m:a', '2'), draft('m:a', '3'))
  await commit(store, [], [readerCursorOp({ log: 'm:a', reader: 'one', seq: 2 })])
  await store.close()
  const again = await setup(t, database)
  const reader = new RecordedReader('one')
  await add(again.registry, reader)
  t.same(reader.left, [['m:a', 2, 3]])
})

t.test('a new reader begins at the heads of logs that others still read, and at the mark of all others', async (t) => {
  const { store, registry } = await setup(t)
  const old = new RecordedReader('old')
  await add(registry, old)
  await append(store, draft('m:a', '1'), draft('m:a', '2'), draft('e:a', 'e'))
  const added = new RecordedReader('new', '')
  const starts = await registry.starts((log) => added.takesLog(log))
  const { incarnation } = await store.log.open('m:a')
  t.same(starts, [{ log: 'm:a', seq: 2, incarnation }])
  await commit(store, [draft('m:a', 'meanwhile')], registry.cursorOps('new', starts))
  await add(registry, added)
  t.same(added.left, [['m:a', 2, 3]])
  await append(store, draft('m:b', '1'), draft('e:a', 'f'))
  t.same(added.left, [
    ['m:a', 2, 3],
    ['m:b', 0, 1],
    ['e:a', 1, 2],
  ])
  t.same(old.left, [
    ['m:a', 0, 3],
    ['m:b', 0, 1],
  ])
})

t.test('a log that is dropped begins anew', async (t) => {
  const { store, registry } = await setup(t)
  const reader = new RecordedReader('one')
  await add(registry, reader)
  await append(store, draft('m:a', '1'), draft('m:a', '2'))
  reader.read('m:a', 2)
  await drop(store, 'm:a')
  await append(store, draft('m:a', '1'), draft('m:a', '2'), draft('m:a', '3'))
  t.same(reader.left, [['m:a', 0, 3]])
})

t.test(
  'after a start readers continue at their cursors, or at the mark; what nobody takes loses its mark',
  async (t) => {
    const database = await memoryDatabase()
    const { store, registry, save } = await setup(t, database)
    const before = [new RecordedReader('one'), new RecordedReader('two'), new RecordedReader('gone', 'e:')] as const
    for (const reader of before) await add(registry, reader)
    await append(store, draft('m:a', '1'), draft('m:a', '2'), draft('e:a', 'e'))
    before[0].read('m:a', 1)
    registry.advanced('m:a')
    await save()
    await store.close()

    const again = await setup(t, database)
    const [one, two] = [new RecordedReader('one'), new RecordedReader('two')]
    await Promise.all([add(again.registry, one), add(again.registry, two)])
    await again.registry.forgetUnwanted()
    t.same([one.left, two.left], [[['m:a', 1, 2]], [['m:a', 0, 2]]])
    t.same([...again.store.outbox.marked()], [['m:a', 0]])
  },
)

t.test('a reader that is unregistered holds no mark; one that keeps its own positions never does', async (t) => {
  const { store, registry } = await setup(t)
  const told: string[] = []
  const index: IndependentReader = {
    name: 'broker/index',
    positions: 'own',
    takesLog: (log) => log.startsWith('m:'),
    grown: (log) => told.push(log),
  }
  registry.register(index)
  await append(store, draft('m:a', '1'), draft('e:a', '1'))
  t.same(told, ['m:a'])
  t.same([...store.outbox.marked()], [])
  const reader = new RecordedReader('one')
  await add(registry, reader)
  await append(store, draft('m:a', '2'))
  t.same([...store.outbox.marked()], [['m:a', 1]])
  registry.unregister('one')
  await registry.forgetUnwanted()
  t.same([...store.outbox.marked()], [])
  await append(store, draft('m:a', '3'))
  t.same([...store.outbox.marked()], [], 'nobody watches any more')
  await registry.close()
  await append(store, draft('m:a', '4'))
  t.same(told, ['m:a', 'm:a', 'm:a'])
})
