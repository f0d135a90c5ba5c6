/** What can happen to the servers of Redis while nodes use them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../patience.js'
import type { RedisServer } from '../redis-server.js'
import type { Fault } from './faults.js'
import type { Stage } from './stage.js'
import { type SmallDisk, tookOver } from './stores.js'

/** Acknowledgements while something is lost. */
const SOME = 40
/** Ms: longer than nodes may be silent. */
const LONG = 7000
/** Ms in which clients send a few messages. */
const UNDER_WAY = 1000

/** Nothing can be written, heartbeats included. */
export const outOfMemory: Fault = async ({ redis, nodes, recorder }) => {
  await redis.command('CONFIG', 'SET', 'maxmemory', '1mb')
  for (const { name } of nodes) recorder.add({ type: 'isolated', node: name })
  await sleep(LONG)
  await redis.command('CONFIG', 'SET', 'maxmemory', '0')
}

/** With `appendfsync always` the server ends; with `everysec` it refuses to write until there is room. */
export const fullDisk: Fault = async ({ store, redis, nodes, recorder }) => {
  const disk = store as SmallDisk
  await disk.fill()
  for (const { name } of nodes) recorder.add({ type: 'isolated', node: name })
  await sleep(LONG)
  await disk.free()
  if (!redis.isRunning) await redis.restart()
}

/** The master is killed and comes back as a replica. */
export const killMaster: Fault = async (stage) => {
  const before = await stage.store.master()
  await before.kill9()
  await tookOver(stage.store, before)
  await before.restart()
  await well(stage)
}

/** Both servers are there, and change their roles. */
export const handOver: Fault = async (stage) => {
  const before = await stage.store.master()
  const [sentinel] = stage.store.sentinels
  await until('a Sentinel hands over', async () => /^OK/.test(await sentinel!.command('SENTINEL', 'FAILOVER', 'main')))
  await tookOver(stage.store, before)
  await well(stage)
}

/** What clients were told of in the end is lost: the replica did not have it. */
export const loseTail: Fault = async (stage) => {
  const before = await stage.store.master()
  // It may not follow any more, which its Sentinels do not mind.
  await before.command('ACL', 'SETUSER', 'default', '-psync', '-sync', '-replconf')
  await before.command('CLIENT', 'KILL', 'TYPE', 'replica')
  await stage.progress(SOME)
  await killMaster(stage)
}

/** The replica of the slot takes over in an orderly manner. */
export const clusterHandsOver: Fault = async (stage) => {
  const before = await stage.store.master()
  const replica = await replicaOf(before, stage.store.servers)
  await replica.command('CLUSTER', 'FAILOVER')
  await tookOver(stage.store, before)
  await well(stage)
}

async function replicaOf(master: RedisServer, servers: readonly RedisServer[]): Promise<RedisServer> {
  for (const server of servers) {
    const replication = await server.command('INFO', 'replication')
    if (/^role:slave/m.test(replication) && replication.includes(`master_port:${master.port}`)) return server
  }
  throw new Error(`nobody follows ${master.host}`)
}

/** Resolves when all nodes go on, and what is acknowledged counts. */
async function well(stage: Stage): Promise<void> {
  await stage.progress(SOME)
  await sleep(UNDER_WAY)
  stage.recorder.add({ type: 'restored' })
}
