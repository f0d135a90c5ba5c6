/** Moves that are broken off, refused, or find that the ends differ. */
import t, { type Test } from 'tap'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { type MoveTarget, sourceName } from '../../broker/store/moving/move.js'
import { put } from '../../broker/store/op.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import { levelPlace, type MovePlace, moveBetween, redisPlace, replacing, summaryOf } from '../helpers/move-places.js'
import { Random } from '../helpers/random.js'
import { startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'
import { append, commit, draft } from './store-suite.js'

const random = Random.from('STORE_SEED')
t.comment(`STORE_SEED=${random.seed}`)

const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }
const server = await startRedis(t, { aof: 'off' })
const { url } = server

async function fill(place: MovePlace, entries = 5000): Promise<void> {
  const store = await place.open()
  store.outbox.watch(() => true)
  const drafts = Array.from({ length: entries }, (_, i) =>
    draft(`m:${i % 7}`, `${i} ${'x'.repeat(200)}`, {
      // Enough of them for two writes.
      ...(i % 2 === 0 && { cid: `c${i}` }),
      effect: { notes: [{ kind: 'mention', target: null, name: 'ann', value: `${i}` }] },
    }),
  )
  await commit(store, drafts, [
    put('user', 'ann', JSON.stringify({ id: 'ann', roles: [], passwordHash: null, createdAt: 1 })),
  ])
  await store.close()
}

class Broken extends Error {}

/** Ends at a write now and then, before it or behind it, as kill -9 does. */
function breaking(target: MoveTarget, part: Random): MoveTarget {
  const mayBreak = (): void => {
    if (part.chance(0.25)) throw new Broken()
  }
  return replacing(target, {
    write: async (pieces, reached) => {
      mayBreak()
      await target.write(pieces, reached)
      mayBreak()
    },
    complete: async (facts) => {
      mayBreak()
      await target.complete(facts)
      mayBreak()
    },
    release: async () => {
      mayBreak()
      await target.release()
    },
  })
}

async function moveAtLast(
  from: MovePlace,
  to: MovePlace,
  part: Random,
): Promise<{ breaks: number; continued: number }> {
  let [breaks, continued] = [0, 0]
  for (;;)
    try {
      await moveBetween(from, to, (target) => {
        if (target.reached) continued++
        return breaking(target, part)
      })
      return { breaks, continued }
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      breaks++
    }
}

t.test('a move that is broken off at any write goes on where it was', async (t) => {
  const ways = [
    ['level', 'redis'],
    ['redis', 'level'],
    ['redis', 'redis'],
    ['level', 'level'],
  ] as const
  for (const [i, [from, to]] of ways.entries()) {
    const place = (kind: MovePlace['kind']) => (kind === 'level' ? levelPlace(t) : redisPlace(t, url))
    const [source, target] = [await place(from), await place(to)]
    await fill(source)
    const { breaks, continued } = await moveAtLast(source, target, random.part(i))
    t.ok(breaks > 0 && continued > 0, `${from} to ${to}: ${breaks} breaks, of which ${continued} were gone on from`)
    t.same(await summaryOf(target), await summaryOf(source), 'each piece is there once')
    const store = await target.open()
    t.equal(await append(store, draft('m:0', `0 ${'x'.repeat(200)}`, { cid: 'c0' })), 'duplicate 1')
    await store.close()
  }
})

t.test('a connection that is lost with an answer: what was written is not written again', async (t) => {
  const proxy = await TcpProxy.start(t, server)
  const source = await levelPlace(t)
  await fill(source)
  const quiet = { fail: () => {} } as unknown as Test
  const target = redisPlace(quiet, proxy.url)
  let [writes, cuts] = [0, 0]
  const cutEverySecond = async (): Promise<void> => {
    await proxy.cutReply((request) => request.includes('HSET') && ++writes % 2 === 1)
    cuts++
    void cutEverySecond()
  }
  void cutEverySecond()
  await moveBetween(source, target)
  t.ok(cuts > 4, `${cuts} answers were lost`)
  t.same(await summaryOf(target), await summaryOf(source))
})

t.test('what is not complete is no store, and takes a move of the same source only', async (t) => {
  const source = await levelPlace(t)
  await fill(source, 100)
  const location = `${t.testdir()}/store`
  const places = [redisPlace(t, url), await levelPlace(t, LIMITS, location)]
  for (const target of places) {
    const failing = (of: MoveTarget): MoveTarget => replacing(of, { write: () => Promise.reject(new Broken('broken')) })
    await t.rejects(moveBetween(source, target, failing), { message: 'broken' })
    const refused = { message: /a move to (it|Redis) is not complete: run topictalk migrate again/ }
    await t.rejects(target.open(), refused, `${target.kind}: no broker starts`)
    await t.rejects(target.contents(), refused, `${target.kind}: nothing is moved from it`)
    await t.rejects(target.target('another 7'), { message: /was of another source, or that has changed since/ })
    const again = await target.target('another 7', true)
    t.equal(again.reached, null, `${target.kind}: --restart begins anew`)
    await again.close()
  }
})

t.test('a store that is there is not written to', async (t) => {
  const location = `${t.testdir()}/store`
  for (const place of [redisPlace(t, url), await levelPlace(t, LIMITS, location)]) {
    await fill(place, 10)
    const before = await summaryOf(place)
    for (const restart of [false, true])
      await t.rejects(place.target('some 1', restart), { message: /^there is a store in .* already/ }, place.kind)
    t.same(await summaryOf(place), before)
  }
})

t.test('a source is not used meanwhile', async (t) => {
  const redis = redisPlace(t, url)
  const node = await redis.open()
  await t.rejects(redis.contents(), { message: /^1 node is running on this Redis: stop it first/ })
  await append(node, draft('m:a', 'one'))
  await node.close()
  const contents = await redis.contents()
  await t.rejects(redis.open(), { message: /^topictalk migrate is moving what is stored in Redis/ }, 'no node starts')
  await contents.close()
  const again = await redis.open()
  t.equal((await again.log.open('m:a')).head, 1, 'it starts when the move is over')
  await again.close()

  const level = await levelPlace(t, LIMITS, `${t.testdir()}/store`)
  const broker = await level.open()
  await t.rejects(level.contents(), { message: /already in use by another process; stop that/ })
  await append(broker, draft('m:a', 'one'))
  await broker.close()
  const held = await level.contents()
  await t.rejects(level.open(), { message: /already in use by another process/ })
  await held.close()
})

t.test('a node that slept is gone for the source, and does not come back while it is read', async (t) => {
  const proxy = await TcpProxy.start(t, server)
  const prefix = 'slept'
  const complaints: string[] = []
  const options = { url: proxy.url, prefix, limits: LIMITS, timeoutMs: 500 }
  const { store } = await openRedisStore({ ...options, onFault: (error) => complaints.push(String(error)) })
  await append(store, draft('m:a', 'one'))
  proxy.blackhole()
  // Silent for longer than its lease, as the server tells.
  await server.command('HSET', `{${prefix}}nodes`, '1', '1')
  const contents = await redisPlace(t, url, LIMITS, prefix).contents()
  proxy.heal()
  await t.rejects(append(store, draft('m:a', 'two')), 'what it writes is refused')
  await contents.assertUnchanged()
  await store.close()
  await contents.close()
})

t.test('ends that differ: an error that names the kind, and the target is no store', async (t) => {
  const source = await levelPlace(t)
  await fill(source, 100)
  const redis = redisPlace(t, url, LIMITS, 'differs')
  const spoil = (of: MoveTarget): MoveTarget =>
    replacing(of, {
      complete: async (facts) => {
        await server.command('HSET', '{differs}t:user', 'ann', 'spoiled')
        await of.complete(facts)
      },
    })
  await t.rejects(moveBetween(source, redis, spoil), { message: /^what was written is not what was read: user differ/ })
  await t.rejects(redis.open(), { message: /is not complete/ })
  await t.rejects(moveBetween(source, redis), { message: /user differ/ }, 'nor if it is gone on with')
  const contents = await source.contents()
  const restarted = await redis.target(sourceName(contents.facts), true)
  await restarted.close()
  await contents.close()
  await moveBetween(source, redis)
  t.same(await summaryOf(redis), await summaryOf(source), 'moved anew, it is one')
})

t.test('a store that cannot be read is no source', async (t) => {
  const redis = redisPlace(t, url, LIMITS, 'newer')
  await t.rejects(redis.contents(), {
    message: /^nothing is stored in Redis under the prefix of these keys: \{newer\}/,
  })
  await (await redis.open()).close()
  await server.command('HSET', '{newer}meta', 'format', '2')
  await t.rejects(redis.contents(), { message: /has format 2, which this version of TopicTalk does not know/ })

  const location = `${t.testdir()}/store`
  const level = await levelPlace(t, LIMITS, location)
  await t.rejects(level.contents(), { message: /^there is no store in/ })
  const formats = { current: 'topictalk 99', steps: [] }
  await (await openLevelStore({ location, sync: true, limits: LIMITS, formats })).close()
  await t.rejects(level.contents(), { message: /has format "topictalk 99"/ })
})
