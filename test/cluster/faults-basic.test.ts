/** The faults of `faults.test.ts` that every change is tested with. */
import t from 'tap'
import { killNode, losePushes } from '../helpers/faults/faults.js'
import { survives } from '../helpers/faults/run.js'

t.test('a node is killed', { timeout: 300_000 }, (t) => survives(t, killNode))

t.test('pushes are lost, the last one too', { timeout: 300_000 }, (t) => survives(t, losePushes))
