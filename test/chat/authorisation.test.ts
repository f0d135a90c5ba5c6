/**
 * Random people in random rooms against a small model of who may know what (test/helpers/authorisation). A failure prints the seed, the
 * shrunk program and all that was done. The programs are the same in every run: TOPICTALK_SEED asks for others, TOPICTALK_PROGRAMS for more.
 */

import t from 'tap'
import fc from '../helpers/fast-check.js'
import { seedOf } from '../helpers/random.js'
import { play } from '../models/authorisation/play.js'
import { programs, sceneries } from '../models/authorisation/programs.js'
import type { Program } from '../models/authorisation/words.js'

const { TOPICTALK_SEED: seed, TOPICTALK_PROGRAMS: programCount } = process.env
/** By default a minute's worth, where nothing else keeps the machine busy. */
const count = Number(programCount ?? 8)
/** Milliseconds after which no further program begins. */
const LIMIT = 60_000 * Math.ceil(count / 8)

const CASES: [string, fc.Arbitrary<Program>, number][] = [
  ['whatever people do, nobody learns what is not theirs, and everyone gets what is', programs, 1],
  ['nor do they where rights change, and not from what waited for them either', sceneries, 1.5],
]

for (const [name, arbitrary, share] of CASES) {
  t.test(name, async (t) => {
    const outcome = await fc.check(fc.asyncProperty(arbitrary, play), {
      numRuns: Math.ceil(count * share),
      interruptAfterTimeLimit: LIMIT,
      includeErrorInReport: true,
      seed: seedOf(seed),
    })
    const report = await fc.asyncDefaultReportMessage(outcome)
    t.ok(outcome.numRuns > 0, `${outcome.numRuns} programs`)
    for (const line of report?.split('\n') ?? []) t.comment(line)
    t.notOk(outcome.failed, `seed ${outcome.seed}`)
  })
}
