/** Faults of the servers of Redis under load: what they acknowledge is kept, or what is lost is told. */
import t from 'tap'
import { CLOCK_AHEAD } from '../helpers/faults/clock-ahead.js'
import { clockAhead, type Fault, killNode, restartNodes } from '../helpers/faults/faults.js'
import { survives } from '../helpers/faults/run.js'
import * as servers from '../helpers/faults/servers.js'
import type { StageOptions } from '../helpers/faults/stage.js'
import { cluster } from '../helpers/faults/stores.js'

const RUNS: Readonly<Record<string, readonly [Fault, StageOptions]>> = {
  'three nodes, of which one is killed': [killNode, { nodes: 3 }],
  'the clock of a node is an hour ahead': [clockAhead, { environment: CLOCK_AHEAD }],
  'Redis is out of memory': [servers.outOfMemory, {}],
  'the nodes are restarted one after the other behind HAProxy': [restartNodes, { balanced: true }],
  'a Cluster hands over': [servers.clusterHandsOver, { store: cluster }],
}

if (process.env['TEST_CLUSTER'] === '1')
  for (const [name, [fault, options]] of Object.entries(RUNS))
    t.test(name, { timeout: 300_000 }, (t) => survives(t, fault, options))
else t.pass('only with TEST_CLUSTER=1')
