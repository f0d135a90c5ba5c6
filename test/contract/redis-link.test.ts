/** The link to Redis: connections that are lost, in every way, and made again. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { StoreError } from '../../broker/store/changes.js'
import { type Connection, Link, type LinkOptions, type RedisTls, type Script } from '../../broker/store/redis/link.js'
import { certificateFiles } from '../helpers/certificate.js'
import { freePort } from '../helpers/free-port.js'
import { until } from '../helpers/patience.js'
import { startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'

/** A link, closed with the test, whose connections can be waited for. */
function linkTo(t: Test, url: string, options: Partial<LinkOptions> = {}) {
  const faults: Error[] = []
  const onFault = (error: unknown): void => void faults.push(error as Error)
  const link = new Link({ url, hashTag: 'test', timeoutMs: 5000, name: 'test', onFault, ...options })
  t.teardown(() => link.close())
  const lost: string[] = []
  link.onLost = () => void lost.push('lost')
  return { link, faults, lost }
}

/** Resolves with the connection that takes the place of the present one, before anybody else uses it. */
function next(link: Link): Promise<Connection> {
  return new Promise((resolve) => {
    link.onConnect = async (connection) => resolve(connection)
  })
}

function script(text: string): Script {
  return { sha: createHash('sha1').update(text).digest('hex'), text }
}

const SET = script("return redis.call('SET', KEYS[1], ARGV[1])")

t.test('commands take and give bytes', async (t) => {
  const { link } = linkTo(t, (await startRedis(t)).url)
  await link.start()
  const bytes = Buffer.from([0, 255, 13, 10, 128])
  await link.connection!.call('SET', ['key', bytes])
  t.strictSame(await link.connection!.call('GET', ['key']), bytes)
  t.strictSame(await link.connection!.call('HGETALL', ['nothing']), [])
  t.strictSame(await link.connection!.call('STRLEN', ['key']), 5)
})

t.test('a server that is stopped and started again is connected to again', async (t) => {
  const redis = await startRedis(t)
  const { link, lost } = linkTo(t, redis.url)
  await link.start()
  await link.connection!.call('SET', ['key', 'value'])
  for (const end of [() => redis.stop(), () => redis.kill9()]) {
    const again = next(link)
    await end()
    await redis.restart()
    t.strictSame(await (await again).call('GET', ['key']), Buffer.from('value'))
  }
  t.equal(lost.length, 2)
})

t.test('what is pending when the server dies rejects, and is not sent again', async (t) => {
  const redis = await startRedis(t)
  const { link } = linkTo(t, redis.url)
  await link.start()
  const connection = link.connection!
  await connection.call('SET', ['count', 0])
  redis.pause()
  const pending = Promise.allSettled(Array.from({ length: 100 }, () => connection.call('INCR', ['count'])))
  const again = next(link)
  await redis.kill9()
  const outcomes = await pending
  t.ok(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason instanceof StoreError))
  t.ok(connection.ended)
  await t.rejects(connection.call('PING', []), { name: 'StoreError' }, 'nor is it used after its end')
  await redis.restart()
  t.strictSame(await (await again).call('GET', ['count']), Buffer.from('0'))
})

t.test('a server that does not answer in time is not waited for, nor believed later', async (t) => {
  const redis = await startRedis(t)
  const { link, lost } = linkTo(t, redis.url, { timeoutMs: 300 })
  await link.start()
  const connection = link.connection!
  redis.pause()
  const again = next(link)
  const pending = [connection.call('SET', ['key', 'late']), connection.call('GET', ['key'])]
  const outcomes = await Promise.allSettled(pending)
  for (const outcome of outcomes)
    t.match(outcome, { reason: { message: /^Redis at 127.0.0.1:\d+: it did not answer within 0.3 s$/ } })
  t.strictSame([link.connection, connection.ended, lost.length], [null, true, 1])
  redis.resume()
  t.ok(await (await again).call('PING', []), 'and it is tried again until it does')
})

t.test('scripts run from their first use on, also when the server has forgotten them', async (t) => {
  const redis = await startRedis(t)
  const { link } = linkTo(t, redis.url)
  await link.start()
  const connection = link.connection!
  const set = async (value: string): Promise<void> => {
    await connection.script(SET, ['key'], [value])
    t.equal(await redis.command('GET', 'key'), value)
  }
  await set('first')
  await set('second')
  await redis.command('SCRIPT', 'FLUSH')
  await set('third')
  const calls = await redis.command('INFO', 'commandstats')
  t.match(calls, /cmdstat_evalsha:calls=2,/)
  t.match(calls, /cmdstat_eval:calls=2,/, 'the text is sent no more often than needed')
  const fails = script("return redis.error_reply('ODD it is')")
  await t.rejects(connection.script(fails, [], []), { name: 'StoreError', message: /^ODD it is/ })
  t.notOk(connection.ended, 'an error is an answer')
})

t.test('replies and messages are heard in the order in which the server sent them', async (t) => {
  const { link } = linkTo(t, (await startRedis(t)).url)
  await link.start()
  const connection = link.connection!
  const heard: string[] = []
  await connection.subscribe('channel', (message) => void heard.push(`message ${message}`))
  const publish = script("redis.call('PUBLISH', 'channel', ARGV[1]); return ARGV[1]")
  const note = (reply: unknown): void => void heard.push(`reply ${reply}`)
  const calls = Array.from({ length: 50 }, (_, i) => [
    connection.script(publish, [], [String(i)], note),
    connection.call('ECHO', [`echo ${i}`], note),
  ])
  await Promise.all(calls.flat())
  const expected = Array.from({ length: 50 }, (_, i) => [
    ...[`message ${i}`, `reply ${i}`].sort((a, b) => heard.indexOf(a) - heard.indexOf(b)),
    `reply echo ${i}`,
  ])
  t.strictSame(heard, expected.flat())
})

t.test('what is done when connecting is done each time, before the connection is given out', async (t) => {
  const redis = await startRedis(t)
  const { link, faults } = linkTo(t, redis.url)
  let tries = 0
  const up = new Promise<void>((resolve) => {
    link.onConnect = async (connection) => {
      t.equal(link.connection, null)
      await connection.call('INCR', ['connected'])
      if (++tries === 2) throw new StoreError('not yet')
      if (tries === 3) resolve()
    }
  })
  await link.start()
  t.not(link.connection, null)
  await redis.kill9()
  await redis.restart()
  await up
  t.equal(await redis.command('GET', 'connected'), '3')
  t.ok(faults.some(({ message }) => message === 'not yet'))
})

t.test('a link that is closed ends what is under way', async (t) => {
  const redis = await startRedis(t)
  const { link } = linkTo(t, redis.url)
  await link.start()
  redis.pause()
  const pending = link.connection!.call('PING', [])
  await Promise.all([link.close(), t.rejects(pending, { name: 'StoreError' })])
  t.equal(link.connection, null)
  const starting = linkTo(t, redis.url).link
  await Promise.all([t.rejects(starting.start(), /not needed any more/), starting.close()])
  redis.resume()
  const preparing = linkTo(t, redis.url, { timeoutMs: 60_000 }).link
  const asked = new Promise<void>((resolve) => {
    preparing.onConnect = async (connection) => {
      redis.pause()
      const reply = connection.call('PING', [])
      resolve()
      await reply
    }
  })
  const started = t.rejects(preparing.start(), /not needed any more/)
  await asked
  await Promise.all([started, preparing.close()])
  redis.resume()
})

t.test('the first attempt says in one line what is wrong', async (t) => {
  const config = { requirepass: 'hunter2', user: 'bot on >swordfish ~* &* +@all' }
  const { port } = await startRedis(t, { config })
  const fails = async (url: string, why: RegExp): Promise<void> => {
    const error = await linkTo(t, url)
      .link.start()
      .then(
        () => t.fail(`${url} works`),
        (error: Error) => error,
      )
    t.match(error, { name: 'StoreError', message: why })
    const all = JSON.stringify(error, Object.getOwnPropertyNames(error))
    t.notMatch(all, /hunter|wrong!/, 'no password is told')
  }
  await fails('redis://127.0.0.1:1', /^Redis at 127.0.0.1:1: connect ECONNREFUSED/)
  await fails(`redis://:wrong!@127.0.0.1:${port}`, /WRONGPASS/)
  await fails(`redis://127.0.0.1:${port}`, /NOAUTH/)
  await fails(`redis://:hunter2@127.0.0.1:${port}/99`, /DB index is out of range/)
  await fails(`rediss://:hunter2@127.0.0.1:${port}`, /127.0.0.1/)
  await fails('redis://:hunter%2@x', /^the address of Redis: a % that is no percent-encoding/)
  const { link } = linkTo(t, `redis://bot:swordfish@127.0.0.1:${port}/3`)
  await link.start()
  t.match(String(await link.connection!.call('CLIENT', ['INFO'])), /name=test.*db=3.*user=bot/)
})

t.test('a replica is no server to write to, and one that becomes it is left', async (t) => {
  const master = await startRedis(t)
  const replica = await startRedis(t, { config: { replicaof: `127.0.0.1 ${master.port}` } })
  await t.rejects(linkTo(t, replica.url).link.start(), /is a replica/)
  const { link, faults, lost } = linkTo(t, master.url)
  await link.start()
  await master.command('REPLICAOF', '127.0.0.1', String(replica.port))
  const again = next(link)
  await t.rejects(link.connection!.call('SET', ['key', 'value']), /READONLY/)
  t.equal(lost.length, 1)
  await master.command('REPLICAOF', 'NO', 'ONE')
  t.equal((await again).server.role, 'master')
  for (const { message } of faults) t.match(message, /is a replica|MASTERDOWN/)
})

t.test('a reply that is lost with the connection leaves the command done, and is not asked for again', async (t) => {
  const redis = await startRedis(t)
  const proxy = await TcpProxy.start(t, redis)
  const { link } = linkTo(t, proxy.url)
  await link.start()
  const connection = link.connection!
  const again = next(link)
  const cut = proxy.cutReply((request) => request.includes('INCR'))
  await t.rejects(connection.call('INCR', ['count']), { name: 'StoreError' })
  await cut
  t.strictSame(await (await again).call('GET', ['count']), Buffer.from('1'))
})

t.test('bytes that are no reply end the connection, and another one takes its place', async (t) => {
  const redis = await startRedis(t)
  const proxy = await TcpProxy.start(t, redis)
  const { link, faults, lost } = linkTo(t, proxy.url)
  await link.start()
  const connection = link.connection!
  const again = next(link)
  proxy.changes = (frame) => (frame.includes('strange') ? Buffer.concat([Buffer.from('X'), frame.subarray(1)]) : null)
  const why = /^Redis at 127.0.0.1:\d+: what it sends cannot be read \(Unknown RESP type 88 "X"\): is it a Redis server/
  const pending = ['plain', 'strange', 'behind it'].map((text) => connection.call('ECHO', [text]))
  t.match(await Promise.allSettled(pending), [
    { value: Buffer.from('plain') },
    { reason: { name: 'StoreError', message: why } },
    { reason: { name: 'StoreError', message: why } },
  ])
  t.strictSame(await (await again).call('ECHO', ['plain']), Buffer.from('plain'))
  t.match(faults, [{ message: why }], 'it is told once')
  t.equal(lost.length, 1)
})

t.test('a reply or message that cannot be read ends the connection, and nothing behind it is heard', async (t) => {
  const { link, faults } = linkTo(t, (await startRedis(t)).url)
  await link.start()
  const why = /what it sends cannot be read \(it is odd\)/
  const heard: string[] = []
  const hear = (bytes: unknown): void => {
    if (String(bytes) === 'odd') throw new TypeError('it is odd')
    heard.push(String(bytes))
  }
  const replied = next(link)
  const echo = (text: string): Promise<unknown> => link.connection!.call('ECHO', [text], hear)
  t.match(await Promise.allSettled(['one', 'odd', 'two'].map(echo)), [
    { status: 'fulfilled' },
    { reason: { message: why } },
    { reason: { message: why } },
  ])
  await replied
  await until('it is given out', async () => link.connection !== null)
  const told = next(link)
  await link.connection!.subscribe('channel', hear)
  const published = ['three', 'odd', 'four'].map((text) => link.connection!.call('PUBLISH', ['channel', text]))
  await Promise.allSettled(published)
  await told
  t.strictSame(heard, ['one', 'three'])
  t.match(faults, [{ message: why }, { message: why }])
})

t.test('a server that is none of Redis is named in one line', async (t) => {
  const web = createServer((_, response) => response.end())
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.teardown(() => web.close())
  const { port } = web.address() as AddressInfo
  const { link } = linkTo(t, `redis://127.0.0.1:${port}`)
  await t.rejects(link.start(), {
    name: 'StoreError',
    message: /^Redis at 127.0.0.1:\d+: what it sends cannot be read \(Unknown RESP type 72 "H"\): is it a Redis server/,
  })
})

t.test('a network that is silent is noticed, and what it held back is nothing that is waited for', async (t) => {
  const redis = await startRedis(t)
  const proxy = await TcpProxy.start(t, redis)
  const { link, lost } = linkTo(t, proxy.url, { timeoutMs: 300 })
  await link.start()
  proxy.blackhole()
  const again = next(link)
  await t.rejects(link.connection!.call('SET', ['key', 'late']), /did not answer within 0.3 s/)
  t.strictSame([link.connection, lost.length], [null, 1])
  proxy.heal()
  const connection = await again
  t.strictSame(await connection.call('ECHO', ['now']), Buffer.from('now'))
  await until('the late command runs', async () => (await redis.command('GET', 'key')) === 'late')
})

t.test('messages may be lost where replies are not', async (t) => {
  const redis = await startRedis(t)
  const proxy = await TcpProxy.start(t, redis)
  const { link } = linkTo(t, proxy.url)
  await link.start()
  const connection = link.connection!
  const heard: string[] = []
  await connection.subscribe('channel', (message) => void heard.push(String(message)))
  proxy.loses = (channel, message) => channel === 'channel' && message === '2'
  proxy.delay = 20
  const replies = await Promise.all(['1', '2', '3'].map((text) => connection.call('PUBLISH', ['channel', text])))
  t.strictSame(replies, [1, 1, 1])
  t.strictSame(heard, ['1', '3'])
  t.equal(proxy.lost, 1)
})

t.test('a connection is encrypted where the address says so, by certificates that are read each time', async (t) => {
  const { cert, key } = certificateFiles(t)
  const files = { 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': cert }
  const tlsPort = await freePort()
  await startRedis(t, { config: { ...files, 'tls-port': String(tlsPort) } })
  const url = `rediss://localhost:${tlsPort}`
  const none = { ca: null, cert: null, key: null, serverName: null }
  const { link } = linkTo(t, url, { tls: { ...none, ca: cert, cert, key } })
  await link.start()
  t.strictSame(await link.connection!.call('ECHO', ['secret']), Buffer.from('secret'))
  const byAddress = linkTo(t, url.replace('localhost', '127.0.0.1'), { tls: { ...none, ca: cert, cert, key } })
  await byAddress.link.start()
  const fails = async (tls: RedisTls, why: RegExp): Promise<void> => {
    await t.rejects(linkTo(t, url, { tls }).link.start(), { name: 'StoreError', message: why })
  }
  await fails(none, /self.signed certificate/)
  await fails({ ...none, ca: cert }, /certificate required|ECONNRESET|EPIPE|closed/)
  await fails({ ...none, ca: cert, cert, key, serverName: 'redis.example' }, /does not match certificate/)
  await fails({ ...none, ca: join(t.testdirName, 'none.pem') }, /^store.redis.tls.ca: cannot be read: ENOENT/)
})
