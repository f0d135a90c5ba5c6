/** Nodes that write at the same time: decisions hold, numbers are dense, and in the end the memory of each is what a node has that begins. */
import t from 'tap'
import { commit } from '../../broker/store/commit.js'
import type { Op } from '../../broker/store/op.js'
import { dequeueOp, enqueueOp } from '../../broker/store/queue-ops.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import type { Store } from '../../broker/store/store.js'
import { Random } from '../helpers/random.js'
import { startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'
import { append, draft, texts } from './store-suite.js'

const random = Random.from('STORE_SEED')
t.comment(`STORE_SEED=${random.seed}`)

const LIMITS = { queueMessages: 50, queueBytes: 100_000 }
const MOST_MEMBERS = 5
const USERS = Array.from({ length: 12 }, (_, i) => `user${i}`)
const SESSIONS = ['ann/1', 'bob/1', 'eve/1']

/** One who joins and leaves, sends, publishes, subscribes and acknowledges, as fast as the store answers. */
async function act(store: Store, random: Random, name: string, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) {
    const user = random.pick(USERS)
    const session = random.pick(SESSIONS)
    const kind = random.below(7)
    if (kind < 2) await join(store, user, name, step)
    else if (kind === 2) await commit(store, { ops: store.directory.deleteMemberOps('r', user) })
    else if (kind === 3)
      await append(store, draft('m:r', `${name} ${step}`, { cid: `${random.below(50)}`, hash: 'same' }))
    else if (kind === 4) await publish(store, random, name, step)
    else if (kind === 5) await commit(store, { ops: subscription(store, random, session) })
    else await acknowledge(store, session)
  }
}

/** At most so many are members, whatever others decide meanwhile. */
async function join(store: Store, user: string, name: string, step: number): Promise<void> {
  const limit = { table: 'member', owner: 'r', most: MOST_MEMBERS } as const
  await store
    .transact(`join ${name}`, (tx) => {
      if (tx.directory.members('r').size >= MOST_MEMBERS) return { value: null }
      tx.limit(limit)
      const joined = { messages: 0, events: 0 }
      return { ops: [tx.directory.memberOp({ room: 'r', user, role: 'member', since: step, joined })], value: null }
    })
    // Others got in between every time.
    .catch((error) => t.equal(error.code, 'unavailable'))
}

function subscription({ sessions }: Store, random: Random, session: string): Op[] {
  const filter = random.pick(['t/+', 't/1', '#'])
  if (random.chance(0.5)) return sessions.unsubscribeOps(session, [filter])
  return sessions.subscribeOps(session, [{ topic: filter, qos: 1 }])
}

async function publish(store: Store, random: Random, name: string, step: number): Promise<void> {
  const message = {
    topic: `t/${random.below(3)}`,
    payload: Buffer.from(`${name} ${step}`),
    qos: 1,
    retain: false,
  } as const
  await commit(store, { ops: [enqueueOp({ ...message, clientId: null })] })
}

async function acknowledge(store: Store, session: string): Promise<void> {
  const waiting = await store.queue.read(session, 0, 3, 1e6)
  await commit(store, { ops: waiting.map(({ number }) => dequeueOp(session, number)) })
}

/** What is in the memory of a node. */
function memoryOf(store: Store): object {
  return {
    members: [...store.directory.members('r')].map(([user, { since }]) => `${user} ${since}`).sort(),
    filters: SESSIONS.map((id) => store.subscriptions.topicsOf(id).sort()),
    sizes: SESSIONS.map((id) => store.queue.size(id)),
    nonEmpty: [...store.queue.nonEmptyQueues()].sort(),
  }
}

t.test('three nodes, of which one is slow and misses messages', async (t) => {
  const server = await startRedis(t, { aof: 'off' })
  const proxy = await TcpProxy.start(t, server)
  proxy.delay = 3
  proxy.loses = () => random.chance(0.05)
  const onFault = (error: unknown): void => void t.fail(String(error))
  const open = async (url: string): Promise<Store> =>
    (await openRedisStore({ url, prefix: 'tt', limits: LIMITS, onFault })).store
  const nodes = [await open(server.url), await open(server.url), await open(proxy.url)]
  const told = nodes.map(() => [] as string[])
  for (const [i, store] of nodes.entries())
    await store.log.follow('m:r', ({ entries }) => void told[i]!.push(...entries.map(({ seq }) => `${seq}`)))
  const most = (): number => Math.max(...nodes.map(({ directory }) => directory.members('r').size))
  let highest = 0
  const watching = setInterval(() => (highest = Math.max(highest, most())), 1)
  const actors = nodes.flatMap((store, i) =>
    [0, 1, 2, 3].map((j) => ({ store, name: `${i}.${j}`, random: random.part(4 * i + j) })),
  )
  await Promise.all(actors.map(({ store, name, random }) => act(store, random, name, 60)))
  clearInterval(watching)
  proxy.loses = () => false
  for (const store of nodes) await store.catchUp()
  const last = await open(server.url)
  nodes.push(last)

  t.ok(highest <= MOST_MEMBERS, `${highest} members`)
  const expected = memoryOf(last)
  for (const store of nodes) t.same(memoryOf(store), expected)
  const logs = await Promise.all(nodes.map((store) => store.log.read('m:r', 0, 1000, 1e6)))
  t.same(
    logs[0]!.map(({ seq }) => seq),
    logs[0]!.map((_, i) => i + 1),
    'numbers are dense',
  )
  for (const entries of logs) t.same(texts(entries), texts(logs[0]!))
  t.ok(logs[0]!.length <= 50 && logs[0]!.length > 10, 'each client-chosen id is used for one message')
  for (const seqs of told)
    t.same(
      seqs,
      [...seqs].sort((a, b) => Number(a) - Number(b)),
      'in order, none twice',
    )
  for (const seqs of told.slice(0, 2)) t.equal(seqs.length, logs[0]!.length, 'who hears all is told all')
  for (const id of SESSIONS) {
    const waiting = await Promise.all(nodes.map((store) => store.queue.read(id, 0, 1000, 1e6)))
    for (const one of waiting)
      t.same(
        one.map(({ number }) => number),
        waiting[0]!.map(({ number }) => number),
      )
    t.equal(waiting[0]!.length, last.queue.size(id).messages, 'what is counted is stored')
  }
  await Promise.all(nodes.map((store) => store.close()))
})
