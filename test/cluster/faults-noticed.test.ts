/** The checker is checked: where one of the things is missing that keep nodes on Redis right, a run with a fault comes out as wrong. */
import t from 'tap'
import { type Broken, brokenBy } from '../helpers/faults/broken.js'
import { cutReplies, type Fault, losePushes, seizeSessions, slowLinks } from '../helpers/faults/faults.js'
import { judge } from '../helpers/faults/run.js'

const AGAIN = / came \d+ times(:|$)/

const seizeTwice: Fault = async (stage) => {
  await seizeSessions(stage)
  await seizeSessions(stage)
}

const RUNS: Readonly<Record<Broken, readonly [Fault, noticed: RegExp]>> = {
  repeat: [cutReplies, AGAIN],
  repair: [losePushes, / is missing$/],
  // What is owned is written by two: by chance a message comes twice, is lost, or a receipt goes back.
  fence: [seizeTwice, / came \d+ times(:|$)|^nobody has | is missing$| is at \d+ \d+, after /],
  guards: [slowLinks, / members, of | joins, and was a member$| nobody owns the room$/],
}

/** Looks without an event, after which what is missing stays missing: no node has ended, so that nothing is late by more than a second. */
const SILENCE = 100

if (process.env['TEST_CLUSTER'] === '1')
  for (const [broken, [fault, noticed]] of Object.entries(RUNS))
    t.test(`without the ${broken}`, { timeout: 300_000 }, async (t) => {
      const wrong = await judge(t, fault, { environment: brokenBy(broken as Broken), silence: SILENCE })
      t.match(wrong.join('\n'), new RegExp(noticed, 'm'))
    })
else t.pass('only with TEST_CLUSTER=1')
