/** What one store keeps is moved to another one: whatever it is, nothing of it is lost or changed, whichever adapters they are. */
import t, { type Test } from 'tap'
import type { Gone, LogEntry } from '../../broker/store/logs.js'
import { retainOp } from '../../broker/store/queue-ops.js'
import {
  fillRandomly,
  levelPlace,
  type MovePlace,
  moveBetween,
  redisPlace,
  stateAt,
  summaryOf,
} from '../helpers/move-places.js'
import { Random } from '../helpers/random.js'
import { startRedis } from '../helpers/redis-server.js'
import { LIMITS } from '../helpers/store-programs.js'
import { all, append, commit, draft, drop } from './store-suite.js'

const random = Random.from('STORE_SEED')
t.comment(`STORE_SEED=${random.seed}`)

const PROGRAMS = 2
const WAYS = [
  ['level', 'redis', 'level'],
  ['redis', 'level', 'redis'],
  ['level', 'level', 'redis'],
  ['redis', 'redis', 'level', 'level', 'redis'],
] as const
const HOUR = 3_600_000

const server = await startRedis(t, { aof: 'off' })
const { url } = server

function placeOf(t: Test, kind: MovePlace['kind'], limits?: typeof LIMITS): Promise<MovePlace> | MovePlace {
  return kind === 'level' ? levelPlace(t, limits) : redisPlace(t, url, limits)
}

t.test('random states, through both adapters and back', async (t) => {
  for (let i = 0; i < PROGRAMS; i++)
    for (const [w, way] of WAYS.entries())
      await t.test(`program ${i}: ${way.join(' to ')}`, async (t) => {
        let place = await placeOf(t, way[0], LIMITS)
        const state = await fillRandomly(place, random.part(WAYS.length * i + w))
        const summary = await summaryOf(place)
        for (const kind of way.slice(1)) {
          const next = await placeOf(t, kind, LIMITS)
          t.same(await moveBetween(place, next), summary, `to ${kind}: what was moved`)
          t.same(await summaryOf(next), summary, `to ${kind}: what is there`)
          t.same(await stateAt(next), state, `to ${kind}: what can be read`)
          t.same(await summaryOf(place), summary, 'the source is as it was')
          place = next
        }
      })
})

/** Moves a store along each way; `look` is called at each place, the first one included. */
async function along(
  t: Test,
  make: (place: MovePlace) => Promise<void>,
  look: (t: Test, place: MovePlace) => Promise<void>,
): Promise<void> {
  for (const way of WAYS)
    await t.test(way.join(' to '), async (t) => {
      let place = await placeOf(t, way[0])
      await make(place)
      for (const kind of way.slice(1)) {
        const next = await placeOf(t, kind)
        await moveBetween(place, next)
        await t.test(kind, (t) => look(t, next))
        place = next
      }
    })
}

t.test('a client-chosen id is known after the move', async (t) => {
  const make = async (place: MovePlace): Promise<void> => {
    const store = await place.open()
    await append(store, draft('m:a', 'one', { cid: 'c1' }), draft('m:b', 'one', { cid: 'c1' }), draft('m:a', 'two'))
    await drop(store, 'm:b')
    await store.close()
  }
  const look = async (t: Test, place: MovePlace): Promise<void> => {
    const store = await place.open()
    const retry = draft('m:a', 'one', { cid: 'c1' })
    t.equal(await append(store, { ...retry, id: 'another' }), 'duplicate 1')
    const [result] = await commit(store, [{ ...retry, id: 'another', ts: 5 }])
    t.match(result, { id: 'id-one', ts: 1_700_000_000_000 }, 'answered as the first time')
    t.equal(await append(store, draft('m:a', 'other', { cid: 'c1', hash: 'another' })), 'conflict 1')
    t.equal(await append(store, draft('m:a', 'else', { cid: 'c2', retryOnly: true })), 'absent 0')
    t.equal(
      await append(store, draft('m:b', 'one', { cid: 'c1', retryOnly: true })),
      'absent 0',
      'not of a log that was dropped',
    )
    await store.close()
  }
  await along(t, make, look)
})

t.test('client-chosen ids are found without the right to see the names of all keys', async (t) => {
  await server.command('ACL', 'SETUSER', 'limited', 'on', '>word', '~*', '&*', '+@all', '-dbsize', '-scan')
  const place = redisPlace(t, url, undefined, 'limited')
  const store = await place.open()
  for (let i = 0; i < 20; i++) await append(store, draft('m:a', `${i}`, { cid: `c${i}` }))
  await store.close()
  const limited = redisPlace(t, url.replace('//', '//limited:word@'), undefined, 'limited')
  const summary = await summaryOf(place)
  t.equal(summary.find(({ kind }) => kind === 'cid')!.count, 20)
  t.same(await summaryOf(limited), summary)
})

t.test('an id of a log that is dropped after the move is forgotten with it', async (t) => {
  for (const way of ['level', 'redis'] as const) {
    const from = redisPlace(t, url)
    const to = await placeOf(t, way)
    const before = await from.open()
    await append(before, draft('m:a', 'one', { cid: 'c1' }))
    await before.close()
    await moveBetween(from, to)
    const store = await to.open()
    await drop(store, 'm:a')
    t.equal(await append(store, draft('m:a', 'anew', { cid: 'c1' })), 'appended 1', way)
    await store.close()
  }
})

t.test('logs go on: numbers, tails within a block, incarnations', async (t) => {
  // Chunks of the embedded store end by their bytes, not at multiples of the blocks in Redis.
  const long = 'x'.repeat(3000)
  const incarnations: number[] = []
  const make = async (place: MovePlace): Promise<void> => {
    let store = await place.open()
    for (let i = 0; i < 600; i++) await append(store, draft('m:a', `${long}${i}`))
    await store.close()
    // Being read, it has everything in chunks.
    await (await place.contents()).close()
    store = await place.open()
    await store.log.trim('m:a', 100)
    await append(store, draft('m:dropped', 'one'))
    await drop(store, 'm:dropped')
    incarnations.push((await store.log.open('m:a')).incarnation)
    await store.close()
  }
  let appended = 0
  const look = async (t: Test, place: MovePlace): Promise<void> => {
    const store = await place.open()
    const { head, tail, incarnation } = await store.log.open('m:a')
    t.equal(incarnation, incarnations.at(-1), 'it is the same log')
    const seqs = (entries: readonly LogEntry[]): number[] => entries.map(({ seq }) => seq)
    const kept = Array.from({ length: head - tail + 1 }, (_, i) => tail + i)
    t.ok(tail > 1, `tail ${tail}`)
    t.same(seqs(await store.log.read('m:a', 0, 1000, 1e7)), kept)
    t.same(seqs(await store.log.readBefore('m:a', head + 1, 1000, 1e7)), kept)
    t.equal(await append(store, draft('m:a', `more ${appended++}`)), `appended ${head + 1}`)
    await append(store, draft('m:new', `${appended}`))
    t.ok((await store.log.open('m:new')).incarnation > incarnation, 'a new log is of a higher incarnation')
    await store.log.trim('m:a', tail + 64)
    const trimmed = await store.log.open('m:a')
    t.ok(trimmed.tail > tail, `trimmed to ${trimmed.tail}`)
    t.equal((await store.log.read('m:a', 0, 1, 1e7))[0]!.seq, trimmed.tail)
    await store.close()
  }
  await along(t, make, look)
})

t.test('what is to expire expires after the move', async (t) => {
  let now = Date.now()
  const extra = { properties: Buffer.alloc(0), expiresAt: now + HOUR }
  const make = async (place: MovePlace): Promise<void> => {
    const store = await place.open()
    await append(store, draft('m:a', 'short', { extra }), draft('m:a', 'long'))
    const message = {
      topic: 't',
      payload: Buffer.from('short'),
      qos: 1,
      retain: true,
      clientId: 'ann/1',
      extra,
    } as const
    await commit(store, [], [retainOp(message)])
    await store.close()
  }
  for (const [from, to] of [
    ['level', 'redis'],
    ['redis', 'level'],
  ] as const) {
    const [source, target] = [await placeOf(t, from), await placeOf(t, to)]
    await make(source)
    await moveBetween(source, target)
    now = Date.now() + 3 * HOUR
    const store = await target.open(() => now)
    await store.log.sweep()
    const entries = await store.log.read('m:a', 0, 10, 1e6, 'shown')
    t.match(entries, [{ seq: 1, gone: { why: 'expired' } satisfies Gone }, { seq: 2 }], `to ${to}`)
    t.same(await all(store.queue.retained(['#'])), [], `to ${to}: retained`)
    t.equal(store.queue.retainedBy('ann').messages, 0, `to ${to}: and counted`)
    await store.close()
    const kept = (await summaryOf(target)).find(({ kind }) => kind === 'entry')!
    t.ok(kept.bytes < 120, 'the payload is gone')
  }
})

t.test('an epoch stays: positions that clients know are valid', async (t) => {
  const from = await levelPlace(t)
  const first = await from.open()
  await append(first, draft('m:a', 'one'))
  await first.close()
  const [redis, back] = [redisPlace(t, url), await levelPlace(t)]
  await moveBetween(from, redis)
  await moveBetween(redis, back)
  for (const place of [redis, back]) {
    const store = await place.open()
    t.equal(store.epoch, first.epoch, place.kind)
    await store.close()
  }
})
