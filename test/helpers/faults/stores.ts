/** Where the nodes of a run have their store. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { until } from '../patience.js'
import { startCluster, startSentinel } from '../redis-deployments.js'
import { type RedisServer, type RedisSettings, startRedis } from '../redis-server.js'

const run = promisify(execFile)
const DISK = '24m'
const FILLER = 'filler'

export interface StoreOfNodes {
  readonly servers: readonly RedisServer[]
  /** Null: one server, which each node reaches through a proxy of its own. */
  readonly url: string | null
  /** `key=value`, for each node. */
  readonly settings: readonly string[]
  readonly sentinels: readonly RedisServer[]
  /** The one that takes writes. */
  master(): Promise<RedisServer>
}

export async function oneServer(
  t: Test,
  redis: RedisSettings = {},
  settings: readonly string[] = [],
): Promise<StoreOfNodes> {
  const server = await startRedis(t, redis)
  return { servers: [server], sentinels: [], url: null, settings, master: async () => server }
}

/** What is acknowledged is on the replica, too. */
export async function sentinelsReplicated(t: Test): Promise<StoreOfNodes> {
  const store = await sentinels(t)
  return { ...store, settings: ['store.redis.acks=replicated'] }
}

export async function sentinels(t: Test): Promise<StoreOfNodes> {
  const { url, servers, sentinels, masterOf } = await startSentinel(t)
  return { url, servers, sentinels, settings: [], master: () => masterOf('') }
}

export async function cluster(t: Test): Promise<StoreOfNodes> {
  const { url, servers, masterOf } = await startCluster(t)
  const master = (): Promise<RedisServer> => {
    const asked = servers.find(({ isRunning }) => isRunning)
    return masterOf('{topictalk}meta', asked)
  }
  return { url, servers, sentinels: [], settings: [], master }
}

/** What is acknowledged is on the replica, too. */
export async function clusterReplicated(t: Test): Promise<StoreOfNodes> {
  return { ...(await cluster(t)), settings: ['store.redis.acks=replicated'] }
}

/** One server on a disk that can be filled. */
export interface SmallDisk extends StoreOfNodes {
  fill(): Promise<void>
  free(): Promise<void>
}

/** Whether this process may mount a file system. */
export async function mayMount(): Promise<boolean> {
  try {
    const unmount = await mount(await mkdtemp(join(tmpdir(), 'topictalk-disk-')))
    await unmount()
    return true
  } catch {
    return false
  }
}

async function mount(directory: string): Promise<() => Promise<void>> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', directory])
  return async () => {
    await run('umount', ['-l', directory])
    await rm(directory, { recursive: true })
  }
}

export async function onSmallDisk(
  t: Test,
  redis: RedisSettings = {},
  settings: readonly string[] = [],
): Promise<SmallDisk> {
  const directory = await mkdtemp(join(tmpdir(), 'topictalk-disk-'))
  t.teardown(await mount(directory))
  const store = await oneServer(t, { ...redis, config: { ...redis.config, dir: directory } }, settings)
  const filler = join(directory, FILLER)
  return {
    ...store,
    fill: async () => {
      // As much as there is.
      await writeFile(filler, Buffer.alloc(64 * 1024 * 1024)).catch(() => {})
    },
    free: () => truncate(filler, 0),
  }
}

/** Resolves when another server than `before` takes writes. */
export async function tookOver(store: StoreOfNodes, before: RedisServer): Promise<RedisServer> {
  let now = before
  await until('another server takes over', async () => {
    now = await store.master()
    return now !== before && /^role:master/m.test(await now.command('INFO', 'replication').catch(() => ''))
  })
  return now
}
