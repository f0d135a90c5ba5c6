/** Faults of the servers of Redis under load: what they acknowledge is kept, or what is lost is told. */
import t from 'tap'
import { CLOCK_AHEAD } from '../helpers/faults/clock-ahead.js'
import { clockAhead, type Fault, restartNodes } from '../helpers/faults/faults.js'
import { survives } from '../helpers/faults/run.js'
import * as servers from '../helpers/faults/servers.js'
import type { StageOptions } from '../helpers/faults/stage.js'
import {
  cluster,
  clusterReplicated,
  mayMount,
  onSmallDisk,
  sentinels,
  sentinelsReplicated,
} from '../helpers/faults/stores.js'
import { checkLoss, checkReplicated } from '../models/history/loss.js'

const REPLICATED: StageOptions = { store: sentinelsReplicated, check: checkReplicated }
const REPLICATED_CLUSTER: StageOptions = { store: clusterReplicated, check: checkReplicated }

const RUNS: Readonly<Record<string, readonly [Fault, StageOptions]>> = {
  'the clock of a node is an hour ahead': [clockAhead, { environment: CLOCK_AHEAD }],
  'Redis is out of memory': [servers.outOfMemory, {}],
  'the master is killed: what replicas have is kept': [servers.killMaster, REPLICATED],
  'Sentinels hand over: what replicas have is kept': [servers.handOver, REPLICATED],
  'a replica takes over that lacks what was acknowledged': [servers.loseTail, { store: sentinels, check: checkLoss }],
  'the nodes are restarted one after the other behind HAProxy': [restartNodes, { balanced: true }],
  'a Cluster hands over': [servers.clusterHandsOver, { store: cluster }],
  'a master of a Cluster is killed: what replicas have is kept': [servers.killMaster, REPLICATED_CLUSTER],
}

/** With a disk that is full for a while. */
const DISKS: typeof RUNS = {
  'the disk is full, and the server ends': [servers.fullDisk, { store: onSmallDisk }],
  'the disk is full, and the server refuses to write': [
    servers.fullDisk,
    { store: (t) => onSmallDisk(t, { aof: 'everysec' }, ['store.redis.acks=written']) },
  ],
}

if (process.env['TEST_CLUSTER'] === '1') {
  const skip = (await mayMount()) ? false : 'file systems cannot be mounted here'
  for (const [name, [fault, options]] of Object.entries(RUNS))
    t.test(name, { timeout: 300_000 }, (t) => survives(t, fault, options))
  for (const [name, [fault, options]] of Object.entries(DISKS))
    t.test(name, { timeout: 300_000, skip }, (t) => survives(t, fault, options))
} else t.pass('only with TEST_CLUSTER=1')
