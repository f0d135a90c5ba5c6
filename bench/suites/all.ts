import type { Suite } from '../suite.js'
import { append } from './append.js'
import { connections } from './connections.js'
import { frozen } from './frozen.js'
import { greedy } from './greedy.js'
import { growth } from './growth.js'
import { latency } from './latency.js'
import { long } from './long.js'
import { membership } from './membership.js'
import { moving } from './moving.js'
import { nodesAppend } from './nodes-append.js'
import { nodesLatency } from './nodes-latency.js'
import { nodesLoss } from './nodes-loss.js'
import { nodesMemory } from './nodes-memory.js'
import { nodesThroughput } from './nodes-throughput.js'
import { reads } from './reads.js'
import { records } from './records.js'
import { replay } from './replay.js'
import { returning } from './returning.js'
import { throughput } from './throughput.js'
import { upkeep } from './upkeep.js'

export const SUITES: readonly Suite[] = [
  throughput,
  latency,
  connections,
  replay,
  reads,
  append,
  frozen,
  greedy,
  membership,
  returning,
  upkeep,
  records,
  growth,
  nodesAppend,
  nodesThroughput,
  nodesLatency,
  nodesLoss,
  nodesMemory,
  moving,
  long,
]
