/** Stores of both adapters as ends of a move. */
import type { Test } from 'tap'
import { memoryDatabase } from '../../broker/store/level/database.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { openLevelContents } from '../../broker/store/level/move-source.js'
import { openLevelTarget } from '../../broker/store/level/move-target.js'
import type { Contents } from '../../broker/store/moving/contents.js'
import { type MoveOptions, type MoveTarget, move, sourceName } from '../../broker/store/moving/move.js'
import { type KindSummary, summarize } from '../../broker/store/moving/summary.js'
import { openRedisContents, openRedisTarget } from '../../broker/store/redis/move-ends.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import type { Store } from '../../broker/store/store.js'
import type { Random } from './random.js'
import { commit, Program, Side, stateOf } from './store-programs.js'

/** Where a store is, of one adapter or the other. */
export interface MovePlace {
  readonly kind: 'level' | 'redis'
  /** As a broker does. */
  open(now?: () => number): Promise<Store>
  contents(): Promise<Contents>
  target(source: string, restart?: boolean): Promise<MoveTarget>
}

export interface PlaceLimits {
  readonly queueMessages: number
  readonly queueBytes: number
}

const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }

/** In memory, or in a directory. */
export async function levelPlace(
  t: Test,
  limits: PlaceLimits = LIMITS,
  location: string | null = null,
): Promise<MovePlace> {
  const inMemory = location === null ? { openDatabase: await memoryDatabase() } : {}
  const { openDatabase } = inMemory as { openDatabase?: never }
  const onFault = (error: unknown): void => void t.fail(String(error))
  return {
    kind: 'level',
    open: (now = Date.now) => openLevelStore({ location, sync: false, limits, ...inMemory, onFault, now }),
    contents: () => openLevelContents(location ?? 'memory', openDatabase),
    target: (source, restart = false) => openLevelTarget(location ?? 'memory', { source, restart, ...inMemory }),
  }
}

let places = 0

export function redisPlace(t: Test, url: string, limits: PlaceLimits = LIMITS, prefix = `place${++places}`): MovePlace {
  const onFault = (error: unknown): void => void t.fail(String(error))
  const options = { url, prefix, onFault }
  return {
    kind: 'redis',
    open: async (now = Date.now) => (await openRedisStore({ ...options, limits, now })).store,
    contents: () => openRedisContents(options),
    target: (source, restart = false) => openRedisTarget({ ...options, source, restart, secret: null }),
  }
}

export const quietly: MoveOptions = { told: () => {}, signal: new AbortController().signal }

/** As `topictalk migrate` does. @param through Replaces the target */
export async function moveBetween(
  from: MovePlace,
  to: MovePlace,
  through: (target: MoveTarget) => MoveTarget = (target) => target,
): Promise<KindSummary[]> {
  const source = await from.contents()
  try {
    const target = await to.target(sourceName(source.facts))
    try {
      return await move(source, through(target), quietly)
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

/** A target with some methods replaced. */
export function replacing(target: MoveTarget, methods: Partial<MoveTarget>): MoveTarget {
  return new Proxy(target, {
    get(of, name) {
      const value = Reflect.get(name in methods ? methods : of, name, of) as unknown
      return typeof value === 'function' ? value.bind(of) : value
    },
  })
}

export async function summaryOf(place: MovePlace): Promise<KindSummary[]> {
  const contents = await place.contents()
  const summary = await summarize(contents, () => {}, quietly.signal)
  await contents.close()
  return summary
}

const STEPS = 40

/** Random changes. Returns what can be read then. */
export async function fillRandomly(place: Pick<MovePlace, 'open'>, random: Random): Promise<object> {
  const side = new Side(await place.open())
  side.store.outbox.watch((log) => log.startsWith('m:'))
  const program = new Program(random, true)
  for (let step = 0; step < STEPS; step++) {
    side.positions.push(side.store.position)
    side.begun = side.cuts.length
    for (const recipe of await program.changes(step, side)) await commit(side, recipe(side))
  }
  const state = await stateOf(side)
  await side.store.close()
  return state
}

/** What can be read of the store there. */
export async function stateAt(place: Pick<MovePlace, 'open'>): Promise<object> {
  const store = await place.open()
  const state = await stateOf(new Side(store))
  await store.close()
  return state
}
