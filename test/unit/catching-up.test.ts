import t from 'tap'
import { CatchingUp } from '../../broker/store/directory/catching-up.js'

/** Each round trip goes on until it is let go. */
function line() {
  const waiting: ((error?: Error) => void)[] = []
  const counts = { commits: 0, appended: 0, writes: 0, duplicates: 0, catchUps: 0, failures: 0 }
  const catchUp = (): Promise<void> =>
    new Promise((resolve, reject) => waiting.push((error) => (error ? reject(error) : resolve())))
  return { waiting, counts, catching: new CatchingUp({ counts, catchUp }) }
}

t.test('all who come while one is under way share the next, which begins when it is over', async (t) => {
  const { waiting, counts, catching } = line()
  const done: string[] = []
  const first = catching.begin()!.then(() => done.push('first'))
  const crowd = Array.from({ length: 1000 }, () => catching.begin()!.then(() => done.push('crowd')))
  t.equal(waiting.length, 1)
  waiting[0]!()
  await first
  t.same(done, ['first'], 'those who came later are not told of what may have been read before they came')
  const late = catching.begin()!
  t.equal(waiting.length, 2)
  waiting[1]!()
  await Promise.all(crowd)
  t.equal(counts.catchUps, waiting.length)
  waiting[2]?.()
  await late
  t.ok(counts.catchUps <= 3)
})

t.test('one that fails is a transient refusal to who waited for it, and the next is tried', async (t) => {
  const { waiting, catching } = line()
  const first = catching.begin()!
  const second = catching.begin()!
  waiting[0]!(new Error('no line'))
  await t.rejects(first, { name: 'Refusal', code: 'unavailable', cause: { message: 'no line' } })
  await Promise.resolve()
  waiting[1]!()
  await second
  waiting.length = 0
  const third = catching.begin()!
  waiting[0]!()
  await third
})

t.test('where nobody else writes there is nothing to wait for', (t) => {
  const counts = { commits: 0, appended: 0, writes: 0, duplicates: 0, catchUps: 0, failures: 0 }
  const catching = new CatchingUp({ counts, catchUp: () => null })
  t.equal(catching.begin(), null)
  t.equal(catching.begin(), null)
  t.equal(counts.catchUps, 0)
  t.end()
})
