/** Deadlines under a clock that is set, forward or back. */
import t, { type Test } from 'tap'
import { type Deadline, TimerWheel } from '../../broker/util/timer-wheel.js'
import { type Clock, movableClock } from '../helpers/clock.js'

const HOUR = 3600

function open(t: Test): { wheel: TimerWheel; clock: Clock } {
  const clock = movableClock(t)
  const wheel = new TimerWheel()
  // Its own timer keeps nothing alive.
  const awake = setInterval(() => {}, 1000)
  t.teardown(() => {
    clearInterval(awake)
    wheel.close()
  })
  return { wheel, clock }
}

/** Waits `ms` on the wheel; answers what the steady clock says was waited. */
function waited(wheel: TimerWheel, ms: number): Promise<number> {
  const began = wheel.steady
  return new Promise((resolve) => {
    const item: Deadline = {
      due: () => {
        resolve(wheel.steady - began)
        return 0
      },
    }
    wheel.set(item, wheel.now + ms)
  })
}

t.test('a deadline comes when it is due, and one that moved comes again', async (t) => {
  const { wheel } = open(t)
  t.ok((await waited(wheel, 500)) >= 400, 'not before')
  const asked: number[] = []
  await new Promise<void>((resolve) => {
    const twice: Deadline = {
      due: (now) => {
        asked.push(now)
        if (asked.length === 2) resolve()
        return asked.length === 1 ? now + 1 : 0
      },
    }
    wheel.set(twice, wheel.now)
  })
  t.ok(asked[1]! > asked[0]!)
})

t.test('a clock that is set back an hour does not make anybody wait for an hour', async (t) => {
  const { wheel, clock } = open(t)
  const waiting = waited(wheel, 600)
  clock.forward(-HOUR)
  t.ok((await waiting) >= 400, 'what waited goes on for as long as was left')
  t.ok((await waited(wheel, 1)) < HOUR * 1000, 'and who comes now waits no longer either')
})

t.test(
  'a clock that is put forward asks those whose time it says has come, and moves the steady clock by nothing',
  async (t) => {
    const { wheel, clock } = open(t)
    const waiting = waited(wheel, HOUR * 1000)
    clock.forward(2 * HOUR)
    t.ok((await waiting) < HOUR * 1000)
  },
)
