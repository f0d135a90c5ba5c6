/** Limits of attempts to log in and the like, over all nodes. */
import t, { type Test } from 'tap'
import { KnownNetworks } from '../../broker/auth/known-networks.js'
import { LoginThrottle, NetworkThrottle, type ThrottleLimits } from '../../broker/auth/throttle.js'
import { type Change, StoreError } from '../../broker/store/changes.js'
import { commit } from '../../broker/store/commit.js'
import { memoryDatabase } from '../../broker/store/level/database.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { Store } from '../../broker/store/store.js'
import { networkOf } from '../../broker/util/network.js'
import { memoryStore } from '../helpers/memory-store.js'
import { openStore, overtaken, raced } from '../helpers/node-pair.js'
import { storeBeside } from '../helpers/store-beside.js'
import { secondMemory } from '../helpers/two-memories.js'

const START = Date.UTC(2025, 0, 6, 12)
const DAY = 86_400_000
const LIMITS = { attempts: 3, addressAttempts: 5, window: 60 }

class Node {
  now = START
  readonly #throttle: LoginThrottle

  constructor(store: Store, limits: ThrottleLimits = LIMITS) {
    this.#throttle = new LoginThrottle(store, 'login', limits, () => this.now)
  }

  readonly wait = (address: string, user: string) => this.#throttle.attempt(address, user).wait()
  readonly fail = (address: string, user: string) => this.#throttle.attempt(address, user).failed()
  readonly succeed = (address: string, user: string) => this.#throttle.attempt(address, user).succeeded()
  readonly loggedIn = (address: string, user: string) => this.#throttle.loggedIn(address, user)
}

/** What is stored of which kind. */
async function keysIn(store: Store): Promise<string[]> {
  return (await store.tables.list('expiring', {})).map(([key]) => key.replaceAll('\0', ' '))
}

t.test('refuses a user from an address after too many failures, longer each time', async (t) => {
  const node = new Node(await memoryStore(t))
  const fail = () => node.fail('10.0.0.1', 'ann')
  const waitAfter = (ms: number): Promise<number> => {
    node.now += ms
    return node.wait('10.0.0.1', 'ann')
  }
  await fail()
  await fail()
  t.equal(await waitAfter(0), 0)
  t.equal(await fail(), 0)
  t.equal(await fail(), 60, 'what is refused does not count')
  t.equal(await waitAfter(59_999), 1)
  t.equal(await node.wait('10.0.0.1', 'bob'), 0)
  t.equal(await node.wait('10.0.0.2', 'ann'), 0)
  t.equal(await waitAfter(1), 0)
  await fail()
  t.equal(await waitAfter(119_999), 1)
  t.equal(await waitAfter(1), 0)
  node.now += 60_001
  await fail()
  t.equal(await waitAfter(0), 0, 'after a quiet window the count begins anew')
})

t.test('refuses an address that fails with many users; a success clears only its user', async (t) => {
  const node = new Node(await memoryStore(t))
  for (let i = 0; i < 5; i++) {
    t.equal(await node.wait('10.0.0.1', 'zoe'), 0)
    await node.fail('10.0.0.1', `user-${i}`)
    if (i < 4) t.equal(await node.succeed('10.0.0.1', 'me'), 0)
  }
  t.equal(await node.wait('10.0.0.1', 'zoe'), 60)
  t.equal(await node.succeed('10.0.0.1', 'me'), 60, 'one that is right, too')
  for (let i = 0; i < 5; i++) {
    await node.fail('10.0.0.2', 'me')
    await node.succeed('10.0.0.2', 'me')
  }
  t.equal(await node.wait('10.0.0.2', 'me'), 60)
})

t.test('slows guesses at one account from many addresses, and locks nobody out', async (t) => {
  const store = await openStore(t, ['ann'])
  const node = new Node(store, { ...LIMITS, accountAttempts: 6 })
  await node.loggedIn('192.0.2.1', 'ann')
  let guesses = 0
  const guess = () => node.fail(`10.0.0.${++guesses}`, 'ann')
  for (let i = 0; i < 20; i++) t.equal(await guess(), i < 6 ? 0 : 10)
  t.equal(await node.wait('10.1.0.1', 'ann'), 10, 'one in ten seconds from now on')
  t.equal(await node.wait('192.0.2.1', 'ann'), 0, 'but from where the account logged in before')
  t.equal(await node.wait('10.1.0.1', 'bob'), 0)
  node.now += 10_000
  t.equal(await node.wait('10.1.0.1', 'ann'), 0)
  await guess()
  t.equal(await node.wait('10.1.0.1', 'ann'), 10)
  node.now += 60_000
  for (let i = 0; i < 6; i++) t.equal(await guess(), 0, 'the pauses do not grow')
  for (let i = 0; i < 3; i++) await node.fail('192.0.2.1', 'ann')
  t.equal(await node.wait('192.0.2.1', 'ann'), 60, 'where it is known failures count as ever')
})

t.test('says how long it takes, doubled windows too', async (t) => {
  const node = new Node(await memoryStore(t), { ...LIMITS, window: 5 })
  const wait = () => node.wait('10.0.0.1', 'ann')
  for (let i = 0; i < 3; i++) await node.fail('10.0.0.1', 'ann')
  t.equal(await wait(), 5)
  node.now += 3_200
  t.equal(await wait(), 2)
  node.now += 1_800
  t.equal(await wait(), 0)
  await node.fail('10.0.0.1', 'ann')
  t.equal(await wait(), 10)
})

t.test('counts an IPv6 network as one address', async (t) => {
  t.equal(networkOf('2001:db8:0:1::5'), networkOf('2001:db8::1:a:b:c:d'))
  t.not(networkOf('2001:db8:0:1::5'), networkOf('2001:db8:0:2::5'))
  t.equal(networkOf('::ffff:10.0.0.1'), '10.0.0.1')
  t.equal(networkOf('::1'), '0:0:0:0::/64')
  t.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
})

t.test('attempts at once on two nodes are answered up to the limit, not twice', async (t) => {
  const store = await memoryStore(t)
  const late = await secondMemory(store)
  late.hold()
  const nodes = [new Node(store), new Node(late.store)]
  const both = <T>(act: (node: Node, i: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: 40 }, (_, i) => act(nodes[i % 2]!, i)))
  const failing = both((node) => node.fail('10.0.0.1', 'ann'))
  setImmediate(late.release)
  t.equal((await failing).filter((wait) => wait === 0).length, 3, 'of a user from an address')
  t.equal(
    (await both((node, i) => node.fail('10.0.0.1', `u${i}`))).filter((wait) => wait === 0).length,
    2,
    'and from it',
  )
  for (const node of nodes) node.now += 60_000
  t.equal((await both((node) => node.fail('10.0.0.1', 'ann'))).filter((wait) => wait === 0).length, 1, 'one a window')

  const guessed = [
    new Node(store, { ...LIMITS, accountAttempts: 6 }),
    new Node(late.store, { ...LIMITS, accountAttempts: 6 }),
  ]
  const guesses = Array.from({ length: 40 }, (_, i) => guessed[i % 2]!.fail(`10.1.0.${i}`, 'bob'))
  t.equal((await Promise.all(guesses)).filter((wait) => wait === 0).length, 6, 'of a user from many')

  const [one, other] = [store, late.store].map(
    (store) => new NetworkThrottle(store, 'registrationsFrom', { attempts: 5, window: 60 }),
  )
  const taken = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? one : other)!.take('10.0.0.1')))
  t.equal(taken.filter((wait) => wait === 0).length, 5, 'registrations')
  t.equal(one!.waitOf('10.0.0.1'), other!.waitOf('10.0.0.1'))
  t.equal(one!.waitOf('10.0.0.2'), 0)
})

for (const contend of [raced, overtaken])
  t.test(`a right password is refused when another node used up the limit meanwhile: ${contend.name}`, async (t) => {
    const store = await memoryStore(t)
    const fail = (times: number) => async (store: Store) => {
      for (let i = 0; i < times; i++) await new Node(store).fail('10.0.0.1', 'ann')
    }
    await fail(2)(store)
    const succeed = (store: Store) => new Node(store).succeed('10.0.0.1', 'ann')
    t.equal(await contend(store, fail(1), succeed), 60)
    t.equal(await new Node(store).wait('10.0.0.1', 'ann'), 60, 'and clears nothing')
  })

t.test('a right password from a network where others failed is decided on as those are', async (t) => {
  const store = await memoryStore(t)
  const fail = (user: string) => (store: Store) => new Node(store).fail('10.0.0.1', user)
  for (let i = 0; i < 4; i++) await fail(`u${i}`)(store)
  t.equal(await overtaken(store, fail('u4'), (store) => new Node(store).succeed('10.0.0.1', 'ann')), 60)
})

t.test('a login that succeeds where nothing failed costs nothing; one that is refused neither', async (t) => {
  const store = await memoryStore(t)
  const node = new Node(store, { ...LIMITS, accountAttempts: 6 })
  let reads = 0
  const { get } = store.tables
  store.tables.get = (...args) => {
    reads++
    return get.apply(store.tables, args)
  }
  const { writes } = store.counts
  t.equal(await node.wait('10.0.0.1', 'ann'), 0)
  t.equal(await node.succeed('10.0.0.1', 'ann'), 0)
  t.same([reads, store.counts.writes - writes], [0, 0])
  for (let i = 0; i < 3; i++) await node.fail('10.0.0.1', 'ann')
  t.same([store.counts.writes - writes, store.counts.commits], [9, 0], 'three counts for a failure, and no fsync')
  for (let i = 0; i < 9; i++) await node.fail('10.0.0.1', 'ann')
  t.equal(store.counts.writes - writes, 9)
})

t.test('a restart forgets nothing', async (t) => {
  const openDatabase = await memoryDatabase()
  const limits = { queueMessages: 1000, queueBytes: 1_000_000 }
  const open = () => openLevelStore({ location: null, sync: true, limits, openDatabase })
  const before = await open()
  for (let i = 0; i < 3; i++) await new Node(before).fail('10.0.0.1', 'ann')
  await new NetworkThrottle(before, 'resetFailuresFrom', { attempts: 1, window: 60 }).take('10.0.0.1')
  await before.close()
  const store = await open()
  t.teardown(() => store.close())
  t.equal(await new Node(store).wait('10.0.0.1', 'ann'), 60)
  t.equal(await new Node(store).wait('10.0.0.1', 'bob'), 0)
  t.ok(new NetworkThrottle(store, 'resetFailuresFrom', { attempts: 1, window: 60 }).waitOf('10.0.0.1') > 0)
  const { value } = await store.transact('sweep', async ({ expiring }) => {
    const { ops } = await expiring.sweepOps('', 100, START + DAY)
    return { ops, value: ops.length }
  })
  t.equal(value, 2, 'what began later is not over yet')
})

t.test('counts go with the account they are of, and not with one that is called as a network', async (t) => {
  const store = await openStore(t, ['ann', '10.0.0.1'])
  const node = new Node(store, { ...LIMITS, accountAttempts: 6 })
  for (let i = 0; i < 3; i++) await node.fail('10.0.0.1', 'ann')
  await commit(store, { ops: store.directory.deleteUserOps('10.0.0.1', 1) })
  t.equal(await node.wait('10.0.0.1', 'ann'), 60)
  await commit(store, { ops: store.directory.deleteUserOps('ann', 1) })
  t.same(await keysIn(store), ['@10.0.0.1 loginFailuresFrom'])
  t.equal(await node.wait('10.0.0.1', 'ann'), 0)
})

t.test('what is no name is not stored as one, and no key is long', async (t) => {
  const store = await memoryStore(t)
  const node = new Node(store)
  const names = ['my password!', 'x'.repeat(1000), '', 'ann\0loginFailures']
  for (const name of names) await node.fail('not an address'.repeat(100), name)
  for (const name of names.slice(0, 3)) t.equal(await node.wait('not an address'.repeat(100), name), 0)
  const keys = await keysIn(store)
  t.equal(keys.length, 5)
  for (const key of keys) t.match(key, /^[\w@-]{43,44} loginFailures(From$| [\w-]{43}$)/)
})

t.test('of each kind so many are kept, the last ones', async (t) => {
  const store = await memoryStore(t)
  const { expiring } = store
  const record = { failures: 1, last: START, refusedUntil: 0, until: START + 60_000 }
  const users = Array.from({ length: 20_000 }, (_, i) => `u${i}`)
  const pair = (user: string) => expiring.countOps('loginFailures', [user, 'here'], record)
  await commit(store, { ops: users.flatMap(pair) })
  await commit(store, { ops: expiring.countOps('loginFailuresFrom', '@here', record) })
  await commit(store, { ops: pair('u0') })
  await Promise.all(['new', 'newer'].map((user) => commit(store, { ops: pair(user) })))
  await commit(store, { ops: pair('newest') })
  const found = (user: string) => expiring.count('loginFailures', [user, 'here'], START)
  t.same(
    ['u0', 'u1', 'u2', 'u3', 'u4', 'new', 'newest'].map((user) => found(user) !== null),
    [true, false, false, false, true, true, true],
  )
  t.same(expiring.count('loginFailuresFrom', '@here', START), record, 'and other kinds do not make place for them')
  t.equal((await keysIn(store)).length, 20_001)
})

/** The store, while its disk is full. */
async function openFull(t: Test) {
  const there = await memoryStore(t)
  let isFull = false
  const refused = (change: Change) => change.settled(new StoreError('disk', { full: true }), [])
  const store = await storeBeside(there, { commit: (change) => (isFull ? refused(change) : there.commit(change)) })
  return { there, store, fill: (full: boolean) => void (isFull = full) }
}

t.test('what cannot be stored is counted in memory', async (t) => {
  const { there, store, fill } = await openFull(t)
  const node = new Node(store)
  await node.fail('10.0.0.1', 'ann')
  fill(true)
  t.same([await node.fail('10.0.0.1', 'ann'), await node.fail('10.0.0.1', 'ann')], [0, 0])
  t.equal(await node.fail('10.0.0.1', 'ann'), 60, 'with what was stored')
  t.equal(await node.wait('10.0.0.1', 'ann'), 60)
  t.equal(await node.succeed('10.0.0.1', 'ann'), 60)
  t.equal(await node.wait('10.0.0.1', 'bob'), 0, 'nobody else is locked out')
  await node.fail('10.0.0.1', 'bob')
  t.equal(await node.succeed('10.0.0.1', 'bob'), 0)
  for (let i = 0; i < 2; i++) await node.fail('10.0.0.2', 'cy')
  const other = new Node(there)
  t.equal(await other.wait('10.0.0.1', 'ann'), 0, 'other nodes do not know it')
  fill(false)
  await node.succeed('10.0.0.2', 'cy')
  await node.fail('10.0.0.2', 'cy')
  t.equal(await node.wait('10.0.0.2', 'cy'), 0, 'what is stored later takes its place')
  node.now += 60_000
  await node.fail('10.0.0.1', 'ann')
  other.now = node.now
  t.equal(await other.wait('10.0.0.1', 'ann'), 120, 'until it can be stored')
})

t.test('known networks', async (t) => {
  const store = await openStore(t, ['ann', 'bob'])
  let now = START
  const known = new KnownNetworks(store, () => now)
  const { writes } = store.counts
  const added = async (user: string, network: string): Promise<number> => {
    const before = store.counts.writes
    await known.add(user, network)
    return store.counts.writes - before
  }
  t.same([await added('ann', 'here'), await added('ann', 'here'), await added('ann', 'there')], [1, 0, 1])
  t.equal(store.counts.writes - writes, 2)
  t.same(
    [await known.has('ann', 'here'), await known.has('ann', 'else'), await known.has('bob', 'here')],
    [true, false, false],
  )
  t.equal(await added('nobody', 'here'), 0, 'of accounts alone')

  await t.test('are renewed once a day, on whatever node', async (t) => {
    now += DAY - 1
    t.equal(await added('ann', 'here'), 0)
    now += 1
    const late = await secondMemory(store)
    await Promise.all([known, new KnownNetworks(late.store, () => now)].map((node) => node.add('ann', 'here')))
    t.equal(await added('ann', 'here'), 0)
    const record = await store.expiring.get('knownNetworks', 'ann', now)
    t.same(record!.networks, [
      ['there', START],
      ['here', START + DAY],
    ])
  })

  await t.test('are forgotten after thirty days, with the account, and when there are more than sixteen', async (t) => {
    now = START + 30 * DAY
    t.same([await known.has('ann', 'there'), await known.has('ann', 'here')], [false, true])
    for (let i = 0; i < 17; i++) await known.add('ann', `${i}`)
    t.same(
      [await known.has('ann', 'here'), await known.has('ann', '0'), await known.has('ann', '1')],
      [false, false, true],
    )
    await commit(store, { ops: store.directory.deleteUserOps('ann', 1) })
    t.notOk(await known.has('ann', '1'))
  })

  await t.test('that cannot be stored refuse no login', async (t) => {
    const full = await openFull(t)
    await commit(full.there, {
      ops: full.there.directory.userOps({ id: 'ann', roles: [], passwordHash: null, createdAt: 1 }),
    })
    const known = new KnownNetworks(full.store, () => now)
    full.fill(true)
    await known.add('ann', 'here')
    full.fill(false)
    await known.add('ann', 'here')
    t.ok(await known.has('ann', 'here'))
  })
})
