/** A lane restores the order of its changes, whatever the order in which the store settles them. */
import { mock } from 'node:test'
import t from 'tap'
import { type Change, StoreError } from '../../broker/store/changes.js'
import { commit } from '../../broker/store/commit.js'
import { Lane } from '../../broker/store/lane.js'
import type { Store } from '../../broker/store/store.js'
import type { Submission } from '../../broker/store/transaction.js'
import { Refusal } from '../../schemas/errors.js'
import fc from '../helpers/fast-check.js'

/** A store that settles when and in what order a test says. */
function manualStore() {
  const changes: Change[] = []
  const commit = (change: Change) => void changes.push(change)
  /** As the transactions do: a conflict, or a failure after it, is not told as the outcome. */
  const submit: Store['submit'] = async (_key, decide) => commit((await decide(null as never)) as Submission)
  return { changes, commit, submit }
}

const RESULT = { outcome: 'appended', id: 'x', seq: 1, ts: 1 } as const

t.test('changes settle in the order of the calls, each with its own outcome', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ kind: fc.constantFrom('commit', 'after'), fails: fc.boolean(), at: fc.nat() }), {
        maxLength: 30,
      }),
      async (steps) => {
        const store = manualStore()
        const lane = new Lane(store)
        const told: string[] = []
        const expected: string[] = []
        const outcomes: { change: Change; fails: boolean; at: number; name: string }[] = []
        for (const [i, { kind, fails, at }] of steps.entries()) {
          const name = `${kind} ${i}`
          if (kind === 'after') {
            lane.after(() => told.push(name))
            expected.push(name)
            continue
          }
          const settled: Change['settled'] = (error, results) =>
            void told.push(`${name} ${error?.message ?? results[0]?.id}`)
          lane.commit({ drafts: [], ops: [], settled })
          expected.push(`${name} ${fails ? name : name.toUpperCase()}`)
          outcomes.push({ change: store.changes.at(-1)!, fails, at, name })
        }
        for (const { change, fails, name } of outcomes.toSorted((a, b) => a.at - b.at)) {
          if (fails) change.settled(new StoreError(name), [])
          else change.settled(null, [{ ...RESULT, id: name.toUpperCase() }])
          t.same(told, expected.slice(0, told.length))
        }
        t.same(told, expected)
      },
    ),
    { numRuns: 300 },
  )
})

t.test('nothing is told before the first has settled, and another lane does not wait for it', async (t) => {
  const store = manualStore()
  const [slow, quick] = [new Lane(store), new Lane(store)]
  const told: string[] = []
  const settled = (name: string) => () => void told.push(name)
  slow.commit({ drafts: [], ops: [], settled: settled('first') })
  slow.commit({ drafts: [], ops: [], settled: settled('second') })
  slow.after(settled('then'))
  quick.commit({ drafts: [], ops: [], settled: settled('quick') })
  store.changes[1]!.settled(null, [])
  store.changes[2]!.settled(null, [])
  t.same(told, ['quick'])
  quick.after(settled('at once'))
  t.same(told, ['quick', 'at once'])
  let idle = false
  const waiting = slow.idle().then(() => (idle = true))
  await quick.idle()
  t.notOk(idle)
  store.changes[0]!.settled(null, [])
  t.same(told, ['quick', 'at once', 'first', 'second', 'then'])
  await waiting
})

t.test('what is committed or asked for while an outcome is told comes behind the others', async (t) => {
  const store = manualStore()
  const lane = new Lane(store)
  const told: string[] = []
  lane.commit({
    ...{ drafts: [], ops: [] },
    settled: () => {
      told.push('first')
      lane.after(() => told.push('after'))
      lane.commit({ drafts: [], ops: [], settled: () => void told.push('third') })
    },
  })
  lane.commit({ drafts: [], ops: [], settled: () => void told.push('second') })
  store.changes[1]!.settled(null, [])
  store.changes[0]!.settled(null, [])
  t.same(told, ['first', 'second', 'after'])
  store.changes[2]!.settled(null, [])
  t.same(told, ['first', 'second', 'after', 'third'])
})

t.test('what is decided again keeps its place', async (t) => {
  const told: string[] = []
  const decided = (name: string): Submission => ({
    ...{ drafts: [], ops: [] },
    settled: () => void told.push(name),
    refused: ({ code }) => void told.push(`${name} ${code}`),
  })
  let again!: () => Promise<Submission>
  let decisions = 0
  const store = manualStore()
  const lane = new Lane({
    ...store,
    submit: async (key, decide) => {
      again = async () => decide(null as never)
      await store.submit(key, decide)
    },
  })
  const submit = () => lane.submit('key', () => decided(`decision ${++decisions}`))
  const next = () => lane.commit({ drafts: [], ops: [], settled: () => void told.push('next') })
  await submit()
  next()
  const second = await again()
  store.changes[1]!.settled(null, [])
  t.same(told, [])
  second.settled(null, [])
  t.same(told.splice(0), ['decision 2', 'next'])

  await submit()
  next()
  store.changes[3]!.settled(null, [])
  ;(store.changes[2] as unknown as Submission).refused(new Refusal('forbidden', 'not any more'))
  t.same(told.splice(0), ['decision 3 forbidden', 'next'])

  await t.rejects(
    lane.submit('key', () => Promise.reject(new Refusal('conflict', 'refused at once'))),
    { code: 'conflict' },
  )
  next()
  store.changes[4]!.settled(null, [])
  t.same(told, ['next'], 'what was never queued has no place')
})

t.test('a listener that throws does not hinder those behind it', async (t) => {
  const store = manualStore()
  const lane = new Lane(store)
  const told: string[] = []
  const settled = (): void => {
    throw new Error('a bug')
  }
  lane.commit({ drafts: [], ops: [], settled })
  lane.commit({ drafts: [], ops: [], settled: () => void told.push('second') })
  store.changes[1]!.settled(null, [])
  t.throws(() => store.changes[0]!.settled(null, []), /a bug/, 'the store reports it')
  t.same(told, ['second'])
})

t.test('a store that settles at once', async (t) => {
  const lane = new Lane({ ...manualStore(), commit: (change) => change.settled(null, [RESULT]) })
  t.same(await commit(lane, {}), [RESULT])
  const told: string[] = []
  lane.after(() => told.push('now'))
  t.same(told, ['now'])
})

t.test('a change that was told leads to none behind it, which would be kept in memory with it', async (t) => {
  const store = manualStore()
  const lane = new Lane(store)
  for (let i = 0; i < 3; i++) lane.commit({ drafts: [], ops: [], settled: () => {} })
  const [first, second, third] = store.changes
  const leadsTo = (change: Change): unknown[] => Object.values(change).filter((value) => store.changes.includes(value))
  t.same(leadsTo(first!), [second])
  first!.settled(null, [RESULT])
  t.same(leadsTo(first!), [])
  t.same(leadsTo(second!), [third])
  second!.settled(null, [RESULT])
  t.same(store.changes.map(leadsTo), [[], [], []])
})

t.test('what waits for memory keeps its place, and what is committed behind it waits', async (t) => {
  const store = manualStore()
  const lane = new Lane(store)
  const told: string[] = []
  const named = (name: string): Change => ({
    drafts: [],
    ops: [],
    settled: (error) => told.push(error ? `${name}: ${error.message}` : name),
  })
  let ready = (): void => {}
  const first = new Promise<void>((resolve) => {
    ready = resolve
  })
  const isFirst: boolean[] = []
  const decided = (name: string) => (is: boolean) => {
    isFirst.push(is)
    return named(name)
  }
  lane.commitLater(first, decided('first'))
  lane.commit(named('behind'))
  const failed = Promise.reject(new Error('no connection'))
  lane.commitLater(failed, decided('second'))
  await failed.catch(() => {})
  t.equal(store.changes.length, 0)
  ready()
  await first
  t.equal(store.changes.length, 2, 'the last one has failed')
  t.same(isFirst, [true, false])
  for (const change of store.changes.toReversed()) change.settled(null, [])
  t.same(told, ['first', 'behind', 'second: memory could not be brought up to date'])
})

t.test('what cannot be decided later keeps nothing behind it', async (t) => {
  const store = manualStore()
  const lane = new Lane(store)
  const told: string[] = []
  let proceed!: () => void
  // The test is told what a promise would report as unhandled.
  const ready = Promise.resolve()
  mock.method(ready, 'then', (resolved: () => void) => {
    proceed = resolved
  })
  lane.commitLater(ready, () => {
    throw new Error('a bug')
  })
  lane.after(() => told.push('after'))
  lane.commit({ drafts: [], ops: [], settled: () => void told.push('behind') })
  t.throws(proceed, /a bug/)
  t.same(told, ['after'])
  t.equal(store.changes.length, 1)
  store.changes[0]!.settled(null, [])
  t.same(told, ['after', 'behind'])
  t.ok(lane.isIdle)
})
