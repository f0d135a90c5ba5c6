import t from 'tap'
import { type Backlog, Backlogs } from '../../broker/following/backlog.js'
import { TimeBudget } from '../../broker/following/time-budget.js'

const LIMITS = {
  queueMessages: 10,
  queueBytes: 1000,
  backlogBytes: 100_000,
  backlogTotalBytes: 150_000,
  backlogWait: 10,
  backlogStill: 1000,
}

/** A backlog of a receiver that answers, and those who were slowed for it. */
function opened(limits: Partial<typeof LIMITS> = {}): { backlogs: Backlogs; backlog: Backlog; slowed: string[] } {
  const backlogs = new Backlogs({ ...LIMITS, ...limits })
  const slowed: string[] = []
  backlogs.slow = (origin) => void slowed.push(origin)
  const backlog = backlogs.open((sessionId) => sessionId === 'rita/r')
  backlog.progressed()
  return { backlogs, backlog, slowed }
}

t.test('from half of the bytes on publishers are slowed, at the whole nothing more waits', async (t) => {
  const { backlog, slowed } = opened()
  t.ok(backlog.admits(20, 2000, 'pia/p'))
  t.same(slowed, [])
  t.ok(backlog.admits(20, 60_000, 'pia/p'))
  t.same(slowed, ['pia/p'])
  t.ok(backlog.admits(20, 60_000, 'rita/r'), 'not for itself: it could not answer')
  t.ok(backlog.admits(20, 60_000, null), 'nor what the broker says')
  t.same(slowed, ['pia/p'])
  t.notOk(backlog.admits(20, 100_000, 'pia/p'))
  t.same(slowed, ['pia/p', 'pia/p'])
  t.notOk(backlog.admits(400, 1000, 'pia/p'), 'messages without bytes count too')
})

t.test('all of them have a bound together', async (t) => {
  const { backlogs, backlog } = opened()
  const other = backlogs.open(() => false)
  other.progressed()
  t.ok(backlog.admits(20, 80_000, null))
  t.notOk(other.admits(20, 80_000, null))
  backlog.left(20, 10_000)
  t.ok(other.admits(20, 80_000, null))
  other.left(10, 1000)
  t.ok(backlogs.used < 20_000, 'what is within the plain bounds does not count')
  backlog.close()
  t.equal(backlogs.used, 0)
})

t.test('who stands still has the plain bounds', async (t) => {
  const { backlog } = opened({ backlogStill: 0 })
  t.notOk(backlog.admits(20, 2000, null))
})

t.test('who has never answered has the plain bounds, and nobody is slowed for it', async (t) => {
  const { backlogs, slowed } = opened()
  const backlog = backlogs.open(() => false)
  t.notOk(backlog.admits(20, 80_000, 'pia/p'))
  t.same(slowed, [])
})

t.test('nor has more who stands still where others publish seldom', async (t) => {
  const { backlog } = opened({ backlogStill: 1e-6 })
  let admitted = 0
  while (admitted < 50 && backlog.admits(20, 2000, null)) {
    admitted++
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(admitted, 2, 'the one behind its answer, and one for which the broker may have stood still')
})

t.test('those that are slowed go on when it has caught up', async (t) => {
  const { backlog } = opened()
  let eased = 0
  const one = { resume: () => void eased++ }
  t.ok(backlog.admits(20, 80_000, 'pia/p'))
  const before = backlog.slowingLeft(performance.now())
  backlog.addSlowed(one, performance.now(), 5000)
  t.ok(backlog.slowingLeft(performance.now()) < before - 4999)
  backlog.left(20, 60_000)
  t.equal(eased, 0)
  backlog.left(20, 1000)
  t.equal(eased, 1)
  t.ok(backlog.slowingLeft(performance.now()) > before - 4999, 'what it did not take is given back')
})

t.test('patience comes back ten times as slowly as it goes', async (t) => {
  const patience = new TimeBudget(1000, 0)
  patience.spend(1000)
  t.equal(patience.left(0), 0)
  t.equal(patience.left(2000), 200)
  patience.skip(5000)
  t.equal(patience.left(6000), 300)
  t.equal(patience.left(100_000), 1000)
})
