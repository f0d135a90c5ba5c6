/** What is kept, and where: the only file that names the adapters of the store. Commands on a store that no broker has open load this alone. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../schemas/config.js'
import { Heartbeat } from '../store/heartbeat.js'
import { formatAdvice } from '../store/level/database.js'
import { FreeSpace } from '../store/level/free-space.js'
import { type LevelStoreOptions, openLevelStore } from '../store/level/level-store.js'
import { openLevelContents } from '../store/level/move-source.js'
import { openLevelTarget } from '../store/level/move-target.js'
import { type UpgradeNotice, upgradeText } from '../store/level/upgrade.js'
import type { Contents } from '../store/moving/contents.js'
import type { MoveTarget } from '../store/moving/move.js'
import { type Nodes, SingleNode } from '../store/nodes.js'
import { parseAddress } from '../store/redis/address.js'
import type { RedisEndOptions } from '../store/redis/move-ends.js'
import type { RedisStoreOptions } from '../store/redis/redis-store.js'
import type { StockContents } from '../store/stock/stock.js'
import type { Store } from '../store/store.js'
import type { Context } from './context.js'
import { nodeName, secretFingerprint, settingDigests } from './node-settings.js'

// Loaded where Redis is used: the client library and its adapter are a tenth of what a start loads.
const redisStores = () => import('../store/redis/redis-store.js')
const redisEnds = () => import('../store/redis/move-ends.js')
const stockStores = () => import('../store/redis/stock-store.js')

export interface Storage extends OpenedStore {
  readonly space: FreeSpace
  /** The broker is to stop: what it has still to save waits only once for a store that cannot be reached. */
  readonly hurry: () => void
}

/** A store, and the processes that share it. */
export interface OpenedStore {
  readonly store: Store
  readonly nodes: Nodes
  /** Absent: it is always reached. */
  readonly hurry?: () => void
}

/** The folder of the embedded store below the data directory. */
export function storeLocation(dataDir: string): string {
  return join(dataDir, 'store')
}

/** False: opening the store makes a new one. What is in Redis is not known before. */
export function mayBeStored({ node, store }: Config): boolean {
  return store.driver === 'redis' || existsSync(storeLocation(node.dataDir))
}

/** The file of the search index below the data directory. */
export function searchLocation(dataDir: string): string {
  return join(dataDir, 'search.db')
}

/** What to know about the format of the store before it is opened; null: nothing. */
export function storeAdvice(config: Config): Promise<string | null> {
  return formatAdvice(storeLocation(config.node.dataDir))
}

type Told = Pick<LevelStoreOptions, 'onFault' | 'onUpgrade'> & Pick<RedisStoreOptions, 'onWarning'>

/** A store of an older format is upgraded only if somebody is told, as the broker's log is: a command is not to take hours. */
export async function openStore(config: Config, told: Told = {}): Promise<OpenedStore> {
  const { queueMessages, queueBytes } = config.limits
  if (config.store.driver === 'redis') return openRedis(config, told)
  const store = await openLevelStore({
    location: storeLocation(config.node.dataDir),
    sync: config.store.level.sync,
    dropDamaged: config.store.level.onDamage === 'drop',
    limits: { queueMessages, queueBytes },
    cacheBytes: config.store.level.cacheBytes,
    ...told,
  })
  return { store, nodes: new SingleNode() }
}

async function openRedis(config: Config, { onFault, onWarning }: Told): Promise<OpenedStore> {
  const { openRedisStore } = await redisStores()
  const { url, prefix, timeout, tls, acks, replicas, assume } = config.store.redis
  const { queueMessages, queueBytes } = config.limits
  return openRedisStore({
    url: url!,
    prefix,
    tls,
    timeoutMs: timeout * 1000,
    limits: { queueMessages, queueBytes },
    cacheBytes: config.store.level.cacheBytes,
    needs: { acks, replicas, assume },
    deployment: {
      secret: secretFingerprint(config.auth),
      settings: { name: nodeName(config.node), digests: settingDigests(config) },
    },
    ...(onFault ? { onFault } : {}),
    ...(onWarning ? { onWarning } : {}),
  })
}

/** Where a store is that is moved, or moved to. */
export type StorePlace =
  | { readonly driver: 'level'; readonly dataDir: string }
  | { readonly driver: 'redis'; readonly url: string; readonly prefix: string }

/** All that is stored there; until it is closed no broker opens it. */
export async function openContents(
  config: Config,
  place: StorePlace,
  onFault: (error: unknown) => void,
): Promise<Contents> {
  if (place.driver === 'level') return openLevelContents(storeLocation(place.dataDir))
  const { openRedisContents } = await redisEnds()
  return openRedisContents(redisEnd(config, place, onFault))
}

export interface TargetOptions {
  /** What is moved to it (`sourceName`). */
  readonly source: string
  readonly restart: boolean
  /** Fingerprint of the secret that belongs to it; null: it is not known. */
  readonly secret: string | null
  readonly onFault: (error: unknown) => void
}

export async function openTarget(config: Config, place: StorePlace, options: TargetOptions): Promise<MoveTarget> {
  const { onFault, ...rest } = options
  if (place.driver === 'level') return openLevelTarget(storeLocation(place.dataDir), rest)
  const { acks, replicas, assume } = config.store.redis
  const { openRedisTarget } = await redisEnds()
  return openRedisTarget({ ...redisEnd(config, place, onFault), ...rest, needs: { acks, replicas, assume } })
}

/** What an Aedes keeps at this address with its persistence for Redis. */
export async function openStock(
  { store }: Config,
  url: string,
  onFault: (error: unknown) => void,
): Promise<StockContents> {
  const { StockStore } = await stockStores()
  const { timeout, tls } = store.redis
  return StockStore.open({ url, ...(parseAddress(url).tls ? { tls } : {}), timeoutMs: timeout * 1000, onFault })
}

function redisEnd(
  { store }: Config,
  { url, prefix }: Extract<StorePlace, { driver: 'redis' }>,
  onFault: (error: unknown) => void,
): RedisEndOptions {
  const { timeout, tls } = store.redis
  return { url, prefix, ...(parseAddress(url).tls ? { tls } : {}), timeoutMs: timeout * 1000, onFault }
}

/** @param opened A store that its owner has opened, and closes */
export async function openStorage(context: Context, opened?: OpenedStore): Promise<Storage> {
  // Others go on with a store that is shared.
  const { store, nodes, hurry = () => {} } = opened ? { ...opened, hurry: undefined } : await openOwnStore(context)
  return { store, nodes, hurry, space: await watchSpace(context) }
}

async function openOwnStore({ config, log, failed, teardown }: Context): Promise<OpenedStore> {
  const onUpgrade = (notice: UpgradeNotice): void => log.warn(notice, upgradeText(notice))
  const onWarning = (text: string): void => log.warn(text)
  const opened = await openStore(config, { onFault: failed, onUpgrade, onWarning })
  teardown.add(opened.store)
  // Of several nodes the owners of sessions say which of them are connected.
  if (!opened.nodes.shared) teardown.add(await Heartbeat.begin(opened.store, failed))
  return opened
}

async function watchSpace({ config, log, failed, teardown }: Context): Promise<FreeSpace> {
  const { minFree } = config.store.level
  const changed = (low: boolean, free: number): void => {
    const facts = { free, minFree }
    if (low) log.warn(facts, 'the disk is nearly full: what would be stored is refused (store.level.minFree)')
    else log.info(facts, 'the disk has room again')
  }
  const space = await FreeSpace.watch({ location: config.node.dataDir, minFree, changed, failed })
  teardown.add(space)
  return space
}
