/** `topictalk migrate` from and to Redis as it is deployed: behind Sentinels, a Cluster, TLS with a login of few rights. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import type { Store } from '../../broker/store/store.js'
import { append, draft } from '../contract/store-suite.js'
import { type MigrateOutcome, runMigrate, startMigrate } from '../helpers/migrate-command.js'
import { fillRandomly, type MovePlace, stateAt } from '../helpers/move-places.js'
import { until } from '../helpers/patience.js'
import { Random } from '../helpers/random.js'
import {
  type Deployment,
  LONG_SILENCE,
  type Secured,
  startCluster,
  startSecured,
  startSentinel,
} from '../helpers/redis-deployments.js'
import { LIMITS } from '../helpers/store-programs.js'

const random = Random.from('STORE_SEED')

/** An end of a move, as the command is told of it. */
interface Place extends Pick<MovePlace, 'open'> {
  readonly name: string
  /** For --from and --to. */
  readonly where: string
  readonly prefix: string
  /** Further settings. */
  readonly set: readonly string[]
}

function levelIn(t: Test, cwd: string, name: string): Place {
  const onFault = (error: unknown): void => void t.fail(String(error))
  const location = join(cwd, name, 'store')
  const open = (): Promise<Store> => openLevelStore({ location, sync: false, limits: LIMITS, onFault })
  return { name, where: join(cwd, name), prefix: '', set: [], open }
}

function redisAt(name: string, { url, tls }: Pick<Deployment, 'url'> & Partial<Secured>, prefix: string): Place {
  const files = tls && { ...tls, serverName: null }
  const open = async (): Promise<Store> =>
    (await openRedisStore({ url, ...(files && { tls: files }), prefix, limits: LIMITS })).store
  const set = Object.entries(tls ?? {}).map(([key, file]) => `store.redis.tls.${key}=${file}`)
  return { name, where: url, prefix, set, open }
}

function optionsOf(from: Place, to: Place): string[] {
  const prefixes = [...(from.prefix && ['--from-prefix', from.prefix]), ...(to.prefix && ['--to-prefix', to.prefix])]
  const set = [...from.set, ...to.set].flatMap((setting) => ['--set', setting])
  return ['--from', from.where, '--to', to.where, ...prefixes, ...set]
}

/** Counts, bytes and checksums, as the command prints them. */
function tableOf({ stdout }: MigrateOutcome): string[] {
  return stdout.split('\n').filter((line) => / [0-9a-f]{36}$/.test(line))
}

/** Commands that the user had no right to. */
async function denied({ server }: Secured): Promise<string[]> {
  const log = await server.command('ACL', 'LOG')
  return [...new Set([...log.matchAll(/^object\n(.*)$/gm)].map(([, name]) => name!))]
}

async function workplace(t: Test): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'topictalk-move-'))
  t.teardown(() => rm(cwd, { recursive: true, force: true }))
  return cwd
}

async function roundTrip(t: Test): Promise<void> {
  t.comment(`STORE_SEED=${random.seed}`)
  const cwd = await workplace(t)
  const sentinel = await startSentinel(t)
  const cluster = await startCluster(t)
  for (const deployment of [sentinel, cluster]) await deployment.countAsGoneAfter(LONG_SILENCE)
  const secured = await startSecured(t, 'chat')
  const places = [
    levelIn(t, cwd, 'one'),
    redisAt('Sentinels', sentinel, 'topictalk'),
    redisAt('a Cluster', cluster, 'second'),
    redisAt('TLS', secured, 'chat'),
    redisAt('Sentinels again', sentinel, 'another'),
    levelIn(t, cwd, 'two'),
  ]
  const state = await fillRandomly(places[0]!, random)
  const tables: string[][] = []
  for (const [i, to] of places.slice(1).entries()) {
    const outcome = await runMigrate(cwd, ...optionsOf(places[i]!, to))
    t.match(outcome, { code: 0, stderr: '' }, `to ${to.name}`)
    t.notMatch(outcome.stdout, /password/, 'no password is told')
    t.same(await stateAt(to), state, `to ${to.name}: what can be read`)
    tables.push(tableOf(outcome))
    // The first node of a store that was moved changes nothing but who is there.
    t.same(tables[i], tables[0], `to ${to.name}: what was moved`)
  }
  t.ok(tables[0]!.length > 5, `${tables[0]!.length} kinds`)
  t.same(await denied(secured), ['dbsize'], 'the documented rights are enough: without this one it takes another way')
}

/** Of a master that dies while it is moved to: what its replica lacks is written again, if not by the same run, by the next one. */
async function failover(t: Test): Promise<void> {
  const cwd = await workplace(t)
  const sentinel = await startSentinel(t)
  const [from, to] = [levelIn(t, cwd, 'one'), redisAt('Sentinels', sentinel, 'topictalk')]
  const ENTRIES = 60_000
  const store = await from.open()
  for (let i = 0; i < ENTRIES; i += 1000)
    await append(store, ...Array.from({ length: 1000 }, (_, k) => draft(`m:${k % 3}`, `${i + k} ${'x'.repeat(200)}`)))
  await store.close()
  const { outcome } = startMigrate(cwd, ...optionsOf(from, to))
  const master = await sentinel.masterOf('')
  const isUnderWay = async () => (await master.command('HGET', '{topictalk}meta', 'reached')).length >= 10
  let isOver = false
  void outcome.then(() => (isOver = true))
  await until('the move is under way', isUnderWay, () => isOver)
  await master.kill9()
  const first = await outcome
  t.comment(`the run in which the master died ended with ${first.code}: ${first.stderr}`)
  if (first.code !== 0) t.match(first.stderr, /^topictalk: [^\n]+\n$/m, 'one line')
  const last = first.code === 0 ? first : await runMigrate(cwd, ...optionsOf(from, to))
  t.match(last, { code: 0 })
  t.match(last.stdout, new RegExp(`^log entry +${ENTRIES} `, 'm'))
  const moved = await to.open()
  t.equal((await moved.log.open('m:0')).head, (ENTRIES / 1000) * 334)
  await moved.close()
}

/** A move that was broken off, and is begun anew, with the one more right that it needs. */
async function restarts(t: Test): Promise<void> {
  const cwd = await workplace(t)
  const secured = await startSecured(t, 'chat', ' +scan')
  const [from, to] = [levelIn(t, cwd, 'one'), redisAt('TLS', secured, 'chat')]
  await fillRandomly(from, random.part(1))
  const meta = ['HSET', '{chat}meta', 'format', 'moving', 'source', 'another 1', 'reached', ''] as const
  await secured.server.command(...meta)
  await secured.server.command('SET', '{chat}rest', 'of it')
  t.match(await runMigrate(cwd, ...optionsOf(from, to)), { code: 1, stderr: /was of another source/ })
  t.match(await runMigrate(cwd, ...optionsOf(from, to), '--restart'), { code: 0, stderr: '' })
  t.equal(await secured.server.command('EXISTS', '{chat}rest'), '0')
  t.same(await stateAt(to), await stateAt(from))
  t.same(await denied(secured), ['dbsize'])
}

if (process.env['TEST_CLUSTER'] === '1') {
  t.test('there and back, through all of them', roundTrip)
  t.test('the master of the target dies', failover)
  t.test('begun anew', restarts)
} else t.pass('only with TEST_CLUSTER=1')
