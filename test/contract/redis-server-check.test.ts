/** A Redis that is not set for what acknowledgements promise is noticed. */
import t, { type Test } from 'tap'
import { type Connection, Link } from '../../broker/store/redis/link.js'
import { checkServer, findingsOf, type Needs } from '../../broker/store/redis/server-check.js'
import { until } from '../helpers/patience.js'
import { startRedis } from '../helpers/redis-server.js'

const SYNCED: Needs = { acks: 'synced', replicas: 1, assume: [] }
const WRITTEN: Needs = { ...SYNCED, acks: 'written' }

async function connect(t: Test, url: string): Promise<Connection> {
  const link = new Link({
    url,
    hashTag: 'test',
    timeoutMs: 5000,
    name: 'test',
    onFault: (error) => t.fail(String(error)),
  })
  t.teardown(() => link.close())
  await link.start()
  return link.connection!
}

/** That exactly these lines are found. */
async function finds(
  t: Test,
  connection: Connection,
  needs: Needs,
  lines: readonly RegExp[],
  fatal = true,
): Promise<void> {
  const found = await checkServer(connection, needs)
  t.equal(found.length, lines.length, found.map(({ text }) => text).join(' | ') || 'nothing is wrong')
  for (const [i, line] of lines.entries()) t.match(found[i], { fatal, text: line })
  for (const { text } of found) t.notMatch(text, '\n')
}

t.test('the append-only file is synced as acknowledgements need it', async (t) => {
  const redis = await startRedis(t)
  const connection = await connect(t, redis.url)
  const set = (...words: string[]): Promise<string> => redis.command('CONFIG', 'SET', ...words)
  await finds(t, connection, SYNCED, [])
  await set('no-appendfsync-on-rewrite', 'yes')
  await finds(t, connection, SYNCED, [/^no-appendfsync-on-rewrite is yes/])
  await finds(t, connection, WRITTEN, [])
  await set('appendfsync', 'everysec')
  await finds(t, connection, SYNCED, [/^appendfsync is everysec, but store.redis.acks is synced/])
  await finds(t, connection, WRITTEN, [])
  await finds(t, connection, { ...SYNCED, assume: ['appendfsync'] }, [])
  await set('appendfsync', 'no')
  await finds(t, connection, WRITTEN, [/^appendfsync is no/])
  await set('appendonly', 'no')
  for (const needs of [SYNCED, WRITTEN]) await finds(t, connection, needs, [/^appendonly is no/])
  await finds(t, connection, { ...WRITTEN, assume: ['appendonly'] }, [])
})

t.test('nothing is evicted', async (t) => {
  const connection = await connect(t, (await startRedis(t, { config: { 'maxmemory-policy': 'allkeys-lru' } })).url)
  await finds(t, connection, SYNCED, [/^maxmemory-policy is allkeys-lru.* set it to noeviction/])
  await finds(t, connection, { ...SYNCED, assume: ['maxmemory-policy'] }, [])
})

t.test('as many replicas follow as have to have a write', async (t) => {
  const master = await startRedis(t)
  const connection = await connect(t, master.url)
  const replicated: Needs = { ...SYNCED, acks: 'replicated' }
  await finds(t, connection, replicated, [/replicated with 1 replicas, but 0 follow/])
  await startRedis(t, { config: { replicaof: `127.0.0.1 ${master.port}` } })
  await until('the replica follows', async () => /state=online/.test(await master.command('INFO', 'replication')))
  await finds(t, connection, replicated, [])
  await finds(t, connection, { ...replicated, replicas: 2 }, [/with 2 replicas, but 1 follow/])
})

t.test('where CONFIG is forbidden, the operator vouches for what cannot be read', async (t) => {
  const config = { user: 'managed on >secret ~* &* +@all -config', 'maxmemory-policy': 'volatile-lru' }
  const forbidden = await connect(t, (await startRedis(t, { config })).url.replace('//', '//managed:secret@'))
  await finds(t, forbidden, SYNCED, [
    /^maxmemory-policy is volatile-lru/,
    /^appendfsync cannot be read; if you know that it is always, add it to store.redis.assume/,
  ])
  await finds(t, forbidden, WRITTEN, [/maxmemory-policy/, /that it is everysec or always/])
  const renamed = await connect(t, (await startRedis(t, { config: { 'rename-command': 'CONFIG ' } })).url)
  await finds(t, renamed, { ...SYNCED, assume: ['appendfsync'] }, [])
})

t.test('clocks that differ are told of, or refused', async (t) => {
  const connection = await connect(t, (await startRedis(t)).url)
  const off = (by: number): Needs => ({ ...SYNCED, now: () => Date.now() + by })
  await finds(t, connection, off(-2000), [/the clock of Redis is \d+ ms ahead of the clock of this node/], false)
  await finds(t, connection, off(2000), [/\d+ ms behind/], false)
  await finds(t, connection, off(6000), [/\d+ ms behind/])
  await finds(t, connection, off(-6000), [/\d+ ms ahead/])
})

t.test('a server before Redis 7 is too old, and one that says nothing is not trusted', async (t) => {
  const state = { version: '6.2.14', evicting: null, aof: null, fsync: null, fsyncPaused: null, replicas: 0, ahead: 0 }
  const texts = findingsOf(state, SYNCED).map(({ text }) => text)
  t.match(texts, [/^Redis 6.2.14 is too old/, /^maxmemory-policy cannot/, /^appendonly cannot/, /^appendfsync cannot/])
  t.equal(texts.length, 4)
})
