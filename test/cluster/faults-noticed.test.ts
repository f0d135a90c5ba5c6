/** The checker is checked: where one of the things is missing that keep nodes on Redis right, a run with a fault comes out as wrong. */
import t from 'tap'
import { type Broken, brokenBy } from '../helpers/faults/broken.js'
import { cutReplies, type Fault, losePushes } from '../helpers/faults/faults.js'
import { judge } from '../helpers/faults/run.js'

const RUNS: Readonly<Record<Broken, Fault>> = { repeat: cutReplies, repair: losePushes }

if (process.env['TEST_CLUSTER'] === '1')
  for (const [broken, fault] of Object.entries(RUNS))
    t.test(`without the ${broken}`, { timeout: 300_000 }, async (t) => {
      const wrong = await judge(t, fault, { environment: brokenBy(broken as Broken) })
      t.ok(wrong.some((what) => / is missing$| came \d+ times$/.test(what)))
    })
else t.pass('only with TEST_CLUSTER=1')
