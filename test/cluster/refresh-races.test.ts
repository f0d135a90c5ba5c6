/**
 * The windows of a browser refresh one login at the same time, at whatever node, while answers are lost, nodes start
 * anew and clocks differ: all of them go on. Who comes later with a used token ends the login.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Issued, Logins } from '../../broker/auth/logins.js'
import { commit } from '../../broker/store/commit.js'
import type { Store } from '../../broker/store/store.js'
import { Overtaken } from '../../broker/store/transaction.js'
import { levelPlace, type MovePlace, redisPlace } from '../helpers/move-places.js'
import { openStore } from '../helpers/node-pair.js'
import { Random } from '../helpers/random.js'
import { startRedis } from '../helpers/redis-server.js'

const random = Random.from('REFRESH_SEED')
t.comment(`REFRESH_SEED=${random.seed}`)

/** Seconds. */
const GRACE = 60
const LIFETIMES = { token: 3600, refresh: 30 * 24 * 3600 }
/** Ms by which clocks of nodes differ at most. */
const SKEW = 2000
const WINDOWS = 20
const ROUNDS = 6
const USER = 'ann'

/** A clock that moves only when it is told to. */
class Clock {
  now = Date.UTC(2026, 0, 1)
}

/** A broker's logins, on a store that others have too. */
class Node {
  readonly #place: MovePlace
  readonly #now: () => number
  readonly #ended: (login: string) => void
  #store!: Store
  #logins!: Logins

  constructor(place: MovePlace, now: () => number, ended: (login: string) => void) {
    this.#place = place
    this.#now = now
    this.#ended = ended
  }

  async open(): Promise<void> {
    const now = this.#now
    this.#store = await this.#place.open(now)
    this.#logins = new Logins({
      ...{ store: this.#store, sign: async ({ login }) => login, lifetimes: LIFETIMES, grace: GRACE, now },
      ended: (_, login) => this.#ended(login),
    })
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async addUser(): Promise<void> {
    const record = { id: USER, roles: [], passwordHash: null, createdAt: 1 }
    await commit(this.#store, { ops: this.#store.directory.userOps(record) })
  }

  begin(): Promise<Issued> {
    return this.#logins.begin({ user: USER })
  }

  async renew(token: string): Promise<string> {
    return (await this.#logins.renew(token)).refreshToken
  }
}

/** Where windows keep their refresh token: all in one place, as in a cookie, or each in its own memory. */
type Keeping = 'one cookie' | 'tokens of their own'

class Windows {
  /** Tokens that were the first to be presented in a round. */
  readonly used: string[] = []
  readonly #nodes: readonly Node[]
  readonly #clock: Clock
  readonly #random: Random
  readonly #tokens: string[]
  readonly #isShared: boolean

  constructor(nodes: readonly Node[], clock: Clock, random: Random, keeping: Keeping, first: string) {
    this.#nodes = nodes
    this.#clock = clock
    this.#random = random
    this.#isShared = keeping === 'one cookie'
    this.#tokens = new Array<string>(WINDOWS).fill(first)
  }

  tokenOf(window: number): string {
    return this.#tokens[this.#isShared ? 0 : window]!
  }

  /** Some of them refresh at once; all of them at first, when they have the same token. Those of one cookie may do so again, as when they are reloaded. */
  async wake(): Promise<void> {
    const isFirst = this.used.length === 0
    const awake = this.#tokens.map((_, i) => i).filter((i) => i === 0 || isFirst || this.#random.chance(0.7))
    this.used.push(this.tokenOf(0))
    await Promise.all(awake.map((i) => this.#refresh(i)))
  }

  async #refresh(window: number): Promise<void> {
    do {
      const shown = this.tokenOf(window)
      await this.#pass()
      const next = await this.#random.pick(this.#nodes).renew(shown)
      // The answer may be lost; then it is asked for again.
      if (this.#random.chance(0.2)) return this.#refresh(window)
      await this.#pass()
      this.#tokens[this.#isShared ? 0 : window] = next
    } while (this.#isShared && this.#random.chance(0.3))
  }

  /** All that a round takes is within the grace period. */
  async #pass(): Promise<void> {
    for (let turns = this.#random.below(4); turns > 0; turns--) await turn()
    this.#clock.now += this.#random.below(200)
  }
}

async function race(t: Test, places: readonly MovePlace[], random: Random, keeping: Keeping): Promise<void> {
  const clock = new Clock()
  const ended: string[] = []
  const nodes = places.map((place) => {
    const skew = random.between(-SKEW, SKEW)
    return new Node(
      place,
      () => clock.now + skew,
      (login) => ended.push(login),
    )
  })
  for (const node of nodes) await node.open()
  t.teardown(() => Promise.all(nodes.map((node) => node.close())))
  await nodes[0]!.addUser()
  const { token: login, refreshToken } = await nodes[0]!.begin()
  const windows = new Windows(nodes, clock, random, keeping, refreshToken)
  for (let round = 0; round < ROUNDS; round++) {
    await windows.wake()
    const started = random.pick(nodes)
    await started.close()
    await started.open()
    clock.now += (GRACE + random.between(10, 3600)) * 1000
  }
  t.same(ended, [], 'all went on')

  const refusal = { code: 'unauthorized', field: 'refreshToken' }
  await t.rejects(random.pick(nodes).renew(windows.used.at(-2)!), refusal, 'a used token that returns later')
  t.same(ended, [login], 'ends the login')
  for (const node of nodes) await t.rejects(node.renew(windows.tokenOf(0)), refusal, 'for everyone')
}

t.test('a renewal that other nodes get in before is tried again', async (t) => {
  const store = await openStore(t, [USER])
  let overtaken = 0
  const transact: Store['transact'] = (key, decide) =>
    overtaken-- > 0 ? Promise.reject(new Overtaken()) : store.transact(key, decide)
  const logins = new Logins({
    store: { directory: store.directory, transact },
    ...{ sign: async () => '', lifetimes: LIFETIMES, grace: GRACE, ended: () => {} },
  })
  const { refreshToken } = await logins.begin({ user: USER })
  overtaken = 4
  t.ok(await logins.renew(refreshToken))
  overtaken = 5
  await t.rejects(logins.renew(refreshToken), { code: 'unavailable' } as unknown as Error, 'but not for ever')
  overtaken = 0
  t.ok(await logins.renew(refreshToken), 'and nothing is lost')
})

const keepings: readonly Keeping[] = ['one cookie', 'tokens of their own']

for (const keeping of keepings) {
  t.test(`embedded store, ${keeping}`, async (t) => {
    for (const part of [0, 1, 2, 3]) {
      const directory = await mkdtemp(join(tmpdir(), 'topictalk-'))
      t.teardown(() => rm(directory, { recursive: true, force: true }))
      const place = await levelPlace(t, undefined, join(directory, 'store'))
      await t.test(`program ${part}`, (t) => race(t, [place], random.part(part), keeping))
    }
  })

  t.test(`two nodes on one Redis, ${keeping}`, async (t) => {
    const { url } = await startRedis(t, { aof: 'off' })
    for (const part of [0, 1]) {
      const place = redisPlace(t, url)
      await t.test(`program ${part}`, (t) => race(t, [place, place], random.part(part), keeping))
    }
  })
}
