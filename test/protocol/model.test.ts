/**
 * Random programs of several clients against a small model of the specification (test/helpers/model). A failure prints the seed, the
 * shrunk program and all that was said. The programs are the same in every run: TOPICTALK_SEED asks for others, TOPICTALK_PROGRAMS for more.
 */

import t, { type Test } from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { type Clock, movableClock } from '../helpers/clock.js'
import fc from '../helpers/fast-check.js'
import { OPEN_ACL } from '../helpers/protocol.js'
import { seedOf } from '../helpers/random.js'
import { Stage } from '../models/session/stage.js'
import { type Program, programs, timedPrograms } from '../models/session/words.js'

const { TOPICTALK_SEED: seed, TOPICTALK_PROGRAMS: programCount } = process.env
const count = Number(programCount ?? 150)

/** As of Prompter: at first, and where a failing program is being shrunk. */
const PATIENCE = [100, 20] as const
let failed = false

/** Each program has a broker of its own, so that what is left of one does not disturb the next. */
async function play(program: Program, clock: Clock): Promise<void> {
  const ends: (() => unknown)[] = []
  const owner = { teardown: (end: () => unknown) => void ends.push(end) } as unknown as Test
  const rooms = { list: [{ id: 'lobby' }, { id: 'den' }] }
  const store = { level: { sync: false } }
  const broker = await startTestBroker(owner, { acl: OPEN_ACL, rooms, store, listen: { http: null } })
  try {
    await new Stage(broker, clock, PATIENCE[failed ? 1 : 0]).play(program)
  } catch (error) {
    failed = true
    throw error
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

const CASES: [string, fc.Arbitrary<Program>, number][] = [
  ['whatever clients do, each gets what it is owed, once, in order, and nothing else', programs, 1],
  ['nothing outlives its expiry', timedPrograms, 1 / 15],
]

for (const [name, arbitrary, share] of CASES) {
  t.test(name, async (t) => {
    failed = false
    const clock = movableClock(t)
    const outcome = await fc.check(
      fc.asyncProperty(arbitrary, (program) => play(program, clock)),
      {
        numRuns: Math.ceil(count * share),
        interruptAfterTimeLimit: 500_000 * Math.ceil(count / 150),
        markInterruptAsFailure: true,
        includeErrorInReport: true,
        seed: seedOf(seed),
      },
    )
    const report = await fc.asyncDefaultReportMessage(outcome)
    for (const line of report?.split('\n') ?? []) t.comment(line)
    t.notOk(outcome.failed, `seed ${outcome.seed}`)
  })
}
