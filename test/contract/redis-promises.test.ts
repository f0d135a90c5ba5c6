/** A node on Redis keeps what acknowledgements promise, or says in one line why it cannot. */
import t, { type Test } from 'tap'
import type { Draft } from '../../broker/store/changes.js'
import type { RedisCounts } from '../../broker/store/redis/counts.js'
import { openRedisStore, type RedisStoreOptions } from '../../broker/store/redis/redis-store.js'
import type { Needs } from '../../broker/store/redis/server-check.js'
import type { Store } from '../../broker/store/store.js'
import { until } from '../helpers/patience.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'
import { append, draft } from './store-suite.js'

const SYNCED: Needs = { acks: 'synced', replicas: 1, assume: [] }
const REPLICATED: Needs = { ...SYNCED, acks: 'replicated' }

/** A node, closed with the test, and what it told. */
async function open(t: Test, url: string, more: Partial<RedisStoreOptions> = {}) {
  const warnings: string[] = []
  const faults: string[] = []
  const { store } = await openRedisStore({
    url,
    prefix: 'test',
    limits: { queueMessages: 1000, queueBytes: 1_000_000 },
    timeoutMs: 3000,
    onWarning: (text) => void warnings.push(text),
    onFault: (error) => void faults.push((error as Error).message),
    ...more,
  })
  t.teardown(() => store.close())
  return { store, warnings, faults }
}

t.test('a server that cannot keep them: no node starts, with a line for each setting', async (t) => {
  const { url } = await startRedis(t, { aof: 'off', config: { 'maxmemory-policy': 'allkeys-lru' } })
  await t.rejects(open(t, url, { needs: SYNCED }), {
    name: 'StoreError',
    message: /^maxmemory-policy is allkeys-lru.*\nappendonly is no.*$/,
  })
})

t.test('one that no longer can after a reconnect: nothing is stored until it can again', async (t) => {
  const redis = await startRedis(t)
  const { store, warnings } = await open(t, redis.url, { needs: SYNCED, timeoutMs: 60_000 })
  await append(store, draft('m:a', 'one'))
  t.ok(store.healthy)
  await redis.command('CONFIG', 'SET', 'appendfsync', 'everysec')
  await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('it is noticed', async () => !store.healthy)
  const stored = append(store, draft('m:a', 'two'))
  const keys = await redis.command('HGET', '{test}meta', 'commit')
  await redis.command('CONFIG', 'SET', 'appendfsync', 'always')
  t.equal(keys, '1', 'nothing was stored meanwhile')
  t.equal(await stored, 'appended 2')
  t.ok(store.healthy)
  t.equal(warnings.length, 2)
  t.match(warnings, [/^nothing is stored: appendfsync is everysec/, /^Redis is as it has to be again/])
})

t.test('one that an operator sets otherwise while it runs: the same, without a reconnect', async (t) => {
  const redis = await startRedis(t)
  const needs = { ...SYNCED, lookEvery: 100 }
  const { store, warnings } = await open(t, redis.url, { needs, timeoutMs: 60_000 })
  for (const [directive, wrong, right] of [
    ['appendfsync', 'everysec', 'always'],
    ['maxmemory-policy', 'allkeys-lru', 'noeviction'],
  ] as const) {
    await redis.command('CONFIG', 'SET', directive, wrong)
    await until('it is noticed', async () => !store.healthy)
    t.match(store.hindrance, /^Redis is not set for/)
    const stored = append(store, draft('m:a', directive))
    await redis.command('CONFIG', 'SET', directive, right)
    t.match(await stored, /^appended/)
    t.equal(store.hindrance, null)
    t.match(warnings.splice(0), [
      new RegExp(`^nothing is stored: ${directive} is ${wrong}`),
      /^Redis is as it has to be again/,
    ])
  }
  t.equal((store.counts as RedisCounts).reconnects, 0)
})

async function withReplica(t: Test): Promise<[master: RedisServer, replica: RedisServer]> {
  const master = await startRedis(t)
  const replica = await startRedis(t, { config: { replicaof: `127.0.0.1 ${master.port}` } })
  await until('the replica follows', async () => /state=online/.test(await master.command('INFO', 'replication')))
  return [master, replica]
}

/** Attempts it until a replica has it, which on a busy machine may not be in time. */
async function counts(store: Store, message: Draft): Promise<string> {
  let outcome = ''
  await until('a replica has it', async () => (outcome = await append(store, message).catch(() => '')) !== '')
  return outcome
}

/** That nothing counts while the replica is silent, and that it is stored all the same. */
async function isWithheld(t: Test, store: Store, replica: RedisServer, before: () => Promise<unknown>): Promise<void> {
  await counts(store, draft('m:a', 'zero', { cid: 'z' }))
  const { failures } = store.counts
  replica.pause()
  await before()
  await t.rejects(append(store, draft('m:a', 'one', { cid: 'c' })), /0 replicas of Redis have the write in time, not 1/)
  t.notOk(store.healthy)
  t.equal(store.counts.failures, failures + 1)
  replica.resume()
  t.equal(await counts(store, draft('m:a', 'one', { cid: 'c' })), 'duplicate 2')
  t.ok(store.healthy)
}

t.test('acks: replicated: what replicas have not taken over in time is not acknowledged', async (t) => {
  const [master, replica] = await withReplica(t)
  const { store } = await open(t, master.url, { needs: REPLICATED })
  await isWithheld(t, store, replica, async () => {})
})

t.test('nor where the server has to be sent the script once more', async (t) => {
  const [master, replica] = await withReplica(t)
  const { store } = await open(t, master.url, { needs: REPLICATED })
  const noneIsMissing = async (): Promise<boolean> => {
    const [, replicas, all] = /,offset=(\d+),.*master_repl_offset:(\d+)/s.exec(
      await master.command('INFO', 'replication'),
    )!
    return replicas === all
  }
  await isWithheld(t, store, replica, async () => {
    replica.resume()
    await until('the replica has said that it has all', noneIsMissing)
    replica.pause()
    await master.command('SCRIPT', 'FLUSH')
  })
})

t.test('nor where the answer comes on another connection', async (t) => {
  const [master, replica] = await withReplica(t)
  const proxy = await TcpProxy.start(t, master)
  const { store } = await open(t, proxy.url, { needs: REPLICATED, timeoutMs: 10_000 })
  await isWithheld(t, store, replica, async () => void proxy.cutReply((request) => request.includes('m:a')))
})

t.test('the clock of Redis is compared again and again', async (t) => {
  const redis = await startRedis(t)
  let ahead = 0
  const { warnings } = await open(t, redis.url, { needs: { ...SYNCED, now: () => Date.now() + ahead } })
  t.same(warnings, [])
  ahead = 7000
  await until('it is noticed', async () => warnings.length > 0)
  ahead = -7000
  await until('it is noticed', async () => warnings.length > 1)
  t.match(warnings, [/clock of Redis is \d+ ms behind/, /clock of Redis is \d+ ms ahead/])
  await t.rejects(
    open(t, redis.url, { needs: { ...SYNCED, now: () => Date.now() + 7000 } }),
    /^the clock of Redis is \d+ ms behind/,
  )
})

t.test('a node with another secret is refused', async (t) => {
  const { url } = await startRedis(t)
  const deployment = (secret: string) => ({ secret, settings: { name: secret, digests: {} } })
  await open(t, url, { deployment: deployment('one') })
  await open(t, url, { deployment: deployment('one') })
  await t.rejects(open(t, url, { deployment: deployment('two') }), {
    name: 'StoreError',
    message: /^auth.jwt.secret is not the one of the nodes .*store.redis.prefix each$/,
  })
  await open(t, url, { prefix: 'another', deployment: deployment('two') })
})

t.test('settings that other nodes have otherwise are named, once', async (t) => {
  const redis = await startRedis(t)
  const node = (name: string, digests: Record<string, string>) =>
    open(t, redis.url, { deployment: { secret: 'one', settings: { name, digests } } })
  const one = await node('a', { 'rooms.list': '1', 'limits.inflight': '1', 'acl.rules': '1' })
  const two = await node('b', { 'rooms.list': '1', 'limits.inflight': '2', 'auth.new': '1' })
  const again = await node('a', { 'rooms.list': '2', 'limits.inflight': '2', 'auth.new': '1' })
  await two.store.close()
  t.same(one.warnings, [])
  t.same(two.warnings, [
    'set differently on other nodes (a): acl.rules, auth.new, limits.inflight; clients see the one or the other',
  ])
  t.same(again.warnings, ['set differently on other nodes (b): rooms.list; clients see the one or the other'])
  t.same((await node('c', { 'rooms.list': '1', 'limits.inflight': '1', 'acl.rules': '1' })).warnings.length, 1)
  await one.store.close()
  await again.store.close()
  await until('they are forgotten', async () => (await redis.command('HLEN', '{test}settings')) === '1')
})
