/** `topictalk migrate`: moves everything from one store to another one. */
import { existsSync, readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config } from '../../schemas/config.js'
import { move, sourceName } from '../store/moving/move.js'
import type { KindSummary } from '../store/moving/summary.js'
import { fingerprintOf } from '../wiring/node-settings.js'
import { openContents, openTarget, type StorePlace } from '../wiring/storage.js'
import { AEDES, migrateAedes } from './migrate-aedes.js'
import { moveTable, ProgressLine } from './migrate-output.js'
import { printError, printLine } from './output.js'
import { CommandError } from './report.js'
import { type ConfigFlags, makeDataDir, readConfig } from './settings.js'

export interface MigrateFlags extends ConfigFlags {
  from?: string
  to?: string
  fromPrefix?: string
  toPrefix?: string
  restart?: boolean
  /** Of the Redis of an Aedes. */
  url?: string
  userFrom?: string
}

export async function migrate({ url, userFrom, ...flags }: MigrateFlags): Promise<void> {
  const config = readConfig(flags)
  const { from, to } = flags
  if (from === AEDES) {
    if (to !== undefined) throw new CommandError(`--to: with --from ${AEDES} it is the configured store`)
    return migrateAedes(config, url, userFrom)
  }
  if (url !== undefined || userFrom !== undefined) throw new CommandError(`--url and --user-from need --from ${AEDES}`)
  if (from === undefined && to === undefined)
    throw new CommandError('needs --from or --to: the other end is the configured store')
  await migrateStore(config, flags)
}

async function migrateStore(
  config: Config,
  { from, to, fromPrefix, toPrefix, restart = false }: MigrateFlags,
): Promise<void> {
  const source = placeOf(config, from, fromPrefix)
  const target = placeOf(config, to, toPrefix)
  if (textOf(source) === textOf(target)) throw new CommandError(`--from and --to are the same store: ${textOf(source)}`)
  const moved = await moveStore(config, source, target, restart)
  for (const line of moveTable(moved)) printLine(line)
  for (const line of nextSteps(config, source, target)) printLine(line)
}

async function moveStore(
  config: Config,
  from: StorePlace,
  to: StorePlace,
  restart: boolean,
): Promise<readonly KindSummary[]> {
  const onFault = (error: unknown): void => printError(`topictalk: ${(error as Error).message}`)
  const contents = await openContents(config, from, onFault)
  try {
    const own = secretOf(config, from)
    const secret = contents.facts.secret ?? (own === null ? null : fingerprintOf(own))
    if (to.driver === 'level') makeDataDir(to.dataDir, '--to', 'give another directory')
    const copies = to.driver === 'level' && mustCopySecret(config, from, to.dataDir, secret)
    const target = await openTarget(config, to, { source: sourceName(contents.facts), restart, secret, onFault })
    const line = new ProgressLine()
    try {
      if (copies) await copyFile(secretFile(from), secretFile(to))
      printLine(`from ${contents.about}`)
      printLine(`to ${target.about}${target.reached ? `, on from ${target.reached.pieces} records` : ''}`)
      return await move(contents, target, { told: (progress) => line.show(progress), signal: stopSignal() })
    } finally {
      line.end()
      await target.close()
    }
  } finally {
    await contents.close()
  }
}

/** Aborted by Ctrl-C or SIGTERM. */
function stopSignal(): AbortSignal {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => ending.abort(new CommandError('stopped; run it again to go on')))
  return ending.signal
}

function placeOf({ node, store }: Config, given: string | undefined, prefix = store.redis.prefix): StorePlace {
  if (given === undefined)
    return store.driver === 'level'
      ? { driver: 'level', dataDir: resolve(node.dataDir) }
      : { driver: 'redis', url: store.redis.url!, prefix }
  return /^rediss?(\+\w+)?:\/\//.test(given)
    ? { driver: 'redis', url: given, prefix }
    : { driver: 'level', dataDir: resolve(given) }
}

/** Without passwords, which stand in front of the host. */
function textOf(place: StorePlace): string {
  if (place.driver === 'level') return place.dataDir
  return `${place.url.replace(/\/\/.*@/, '//')} with prefix ${place.prefix}`
}

/** Of the broker that has the store; null: it is not known here. */
function secretOf({ auth }: Config, place: StorePlace): string | null {
  if (auth.jwt.secret !== null) return auth.jwt.secret
  return place.driver === 'level' ? secretIn(place.dataDir) : null
}

/** @param place Of a data directory */
function secretFile(place: StorePlace): string {
  return join((place as { dataDir: string }).dataDir, 'secret')
}

function secretIn(dataDir: string): string | null {
  const file = join(dataDir, 'secret')
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : null
}

/**
 * A data directory needs the secret with which what is stored was sealed. Returns whether it has to get the file of the other one.
 * @param known Fingerprint of that secret; null: nothing was sealed
 */
function mustCopySecret({ auth }: Config, from: StorePlace, dataDir: string, known: string | null): boolean {
  if (known === null) return false
  const own = auth.jwt.secret ?? secretIn(dataDir)
  if (own !== null && fingerprintOf(own) === known) return false
  if (own !== null)
    throw new CommandError(
      'auth.jwt.secret, or the file secret in the new data directory, is not the secret of the store that is moved: tokens, and what is sealed with it, would be void. Set auth.jwt.secret to that one',
    )
  if (from.driver === 'redis')
    throw new CommandError('auth.jwt.secret is needed: that of the nodes on the Redis that is moved')
  return true
}

function nextSteps({ auth }: Config, from: StorePlace, to: StorePlace): string[] {
  const ours = auth.jwt.secret === null && from.driver === 'level' && existsSync(join(from.dataDir, 'secret'))
  const settings =
    to.driver === 'level'
      ? `store.driver: level and node.dataDir: ${to.dataDir}`
      : `store.driver: redis, store.redis.url and store.redis.prefix: ${to.prefix}`
  return [
    `start the broker with ${settings}`,
    ...(to.driver === 'redis' && ours && from.driver === 'level'
      ? [`on all nodes set auth.jwt.secret to what is in ${join(from.dataDir, 'secret')}: it opens what is stored`]
      : []),
    `do not start one on ${textOf(from)} again: clients would take its numbers for those of the new store`,
  ]
}
