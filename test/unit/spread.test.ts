import t from 'tap'
import { spread } from '../../broker/util/spread.js'

/** How many of `count` works begin in each step; a step is over when `pause` is called. */
async function steps(count: number, ms: number): Promise<{ begun: number[]; paused: number }> {
  const begun = [0]
  let paused = 0
  const work = async (): Promise<void> => {
    begun[begun.length - 1]!++
  }
  await spread(
    Array.from({ length: count }, () => work),
    ms,
    async (pause) => {
      paused += pause
      begun.push(0)
    },
  )
  return { begun, paused }
}

t.test('what is to be done is spread evenly over the time', async (t) => {
  t.same(await steps(10, 0), { begun: [10], paused: 0 }, 'at once where there is no time')
  t.same(await steps(3, 10_000), { begun: [1, 1, 1], paused: 2 * (10_000 / 3) }, 'few')
  t.same(await steps(0, 10_000), { begun: [0], paused: 0 }, 'nothing')
  const { begun, paused } = await steps(12_345, 10_000)
  t.equal(begun.length, 100)
  t.ok(
    begun.every((count) => count === 123 || count === 124),
    'many, in each step the same',
  )
  t.equal(
    begun.reduce((sum, count) => sum + count),
    12_345,
  )
  t.ok(Math.abs(paused - 9900) < 1, 'the last step ends within the time')
})

t.test('it is done when all that began is', async (t) => {
  const ends: (() => void)[] = []
  let done = false
  const all = spread(
    [0, 1].map(() => () => new Promise<void>((end) => ends.push(end))),
    0,
    async () => {},
  ).then(() => (done = true))
  ends[1]!()
  await new Promise(setImmediate)
  t.notOk(done)
  ends[0]!()
  await all
  t.ok(done)
})
