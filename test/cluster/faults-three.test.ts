/** Faults of three nodes under load: what one lacks, the other two have to agree on. */
import t from 'tap'
import * as faults from '../helpers/faults/faults.js'
import { survives } from '../helpers/faults/run.js'

const RUNS: Readonly<Record<string, faults.Fault>> = {
  'one of three nodes is killed': faults.killNode,
  'one of three nodes stops for longer than its lease': faults.pauseLong,
  'Redis is killed, and three nodes come back to it': faults.killRedis,
  'pushes to three nodes are lost': faults.losePushes,
}

if (process.env['TEST_CLUSTER'] === '1')
  for (const [name, fault] of Object.entries(RUNS))
    t.test(name, { timeout: 300_000 }, (t) => survives(t, fault, { nodes: 3 }))
else t.pass('only with TEST_CLUSTER=1')
