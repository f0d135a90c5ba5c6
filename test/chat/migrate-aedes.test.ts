/** `topictalk migrate --from aedes-redis`: what a real Aedes left in a real Redis is there for its clients. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { runMigrate } from '../helpers/migrate-command.js'
import { acknowledge, message } from '../helpers/mqtt5.js'
import { OPEN_ACL, publish, subscribe, take, told, untilPong } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'
import { anonymousConnect, StockAedes } from '../helpers/stock-aedes.js'
import { onRedis } from '../helpers/test-store.js'

const BOTH = { skip: onRedis && 'it has stores of both adapters' }

async function directory(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'topictalk-aedes-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

/** The Aedes acknowledges before it has written. */
async function written(redis: RedisServer, expected: string, ...words: string[]): Promise<void> {
  while ((await redis.command(...words)) !== expected) await new Promise((resolve) => setImmediate(resolve))
}

/**
 * Sessions, queues, retained messages, QoS 2 exchanges on both ways, and a will; then the Aedes is killed. Returns the packet id whose PUBREL the
 * client `release` has not answered.
 */
async function fill(t: Test, redis: RedisServer): Promise<number> {
  const aedes = await StockAedes.start(t, redis.url)
  const sensor = await aedes.client('sensor')
  // It does not answer a SUBSCRIBE with several filters.
  const filters = [
    ['plant/+', 1],
    ['deep/#', 2],
    ['rooms/den/messages', 1],
    ['devices/a/#', 0],
  ] as const
  for (const [filter, qos] of filters) await subscribe(sensor, [filter, qos])
  sensor.stream.destroy()
  const strange = await aedes.client('a client/with ü')
  await subscribe(strange, ['plant/1', 1])
  strange.stream.destroy()

  const release = await aedes.client('release')
  await subscribe(release, ['release', 2])
  const other = await aedes.client('other')
  await publish(other, 'release', 'have it', { qos: 2 })
  const { messageId } = await take(release, 'publish')
  release.send({ cmd: 'pubrec', messageId: messageId! })
  await take(release, 'pubrel')

  const half = await aedes.client('half')
  await subscribe(half, ['nothing', 1])
  half.send(message('plant/half', 'not released', { qos: 2, messageId: 7 }))
  await take(half, 'pubrec')

  await aedes.client('ill', { will: { topic: 'plant/will', payload: Buffer.from('gone'), qos: 1, retain: false } })
  await publish(other, 'plant/kept', 'kept', { retain: true })
  await publish(other, 'devices/a/kept', 'kept', { retain: true })
  await publish(other, 'plant/1', 'one')
  await publish(other, 'deep/a', 'two', { qos: 2 })
  await publish(other, 'rooms/den/messages', 'no message here')
  await written(redis, '5', 'LLEN', 'outgoing:sensor')
  await written(redis, '1', 'EXISTS', 'incoming:half:7')
  await written(redis, '1', 'LLEN', 'will')
  await written(redis, '2', 'HLEN', 'retained')
  await aedes.kill9()
  return messageId!
}

async function come(broker: TestBroker, id: string): Promise<{ client: RawClient; sessionPresent: boolean }> {
  const client = new RawClient(broker)
  client.send(anonymousConnect(id))
  const { sessionPresent } = await take(client, 'connack')
  return { client, sessionPresent }
}

/** The clients come to our broker with the ids that they had. */
async function comeBack(t: Test, broker: TestBroker, released: number): Promise<void> {
  const sensor = await come(broker, 'sensor')
  t.ok(sensor.sessionPresent, 'the session is there')
  const texts: string[] = []
  while (texts.length < 4) {
    const packet = (await sensor.client.next())!
    if (packet.cmd === 'pubrel') sensor.client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
    if (packet.cmd !== 'publish') continue
    texts.push(told(packet))
    acknowledge(sensor.client, packet)
  }
  const waited = ['deep/a two q2', 'plant/1 one q1', 'plant/half not released q1', 'plant/kept kept q1']
  t.same(texts.sort(), waited, 'what waited for it')

  const publisher = await come(broker, 'half')
  publisher.client.send(message('plant/half', 'not released', { qos: 2, messageId: 7, dup: true }))
  await take(publisher.client, 'pubrec')
  publisher.client.send({ cmd: 'pubrel', messageId: 7 })
  await take(publisher.client, 'pubcomp')
  const again = (await untilPong(sensor.client)).filter(({ cmd }) => cmd === 'publish')
  t.same(again, [], 'it is not published again')

  const release = await come(broker, 'release')
  t.match(await take(release.client, 'pubrel'), { messageId: released }, 'QoS 2 goes on where it was')
  release.client.send({ cmd: 'pubcomp', messageId: released })
  t.same(await untilPong(release.client), [], 'without the message')

  const reader = await come(broker, 'reader')
  await subscribe(reader.client, ['plant/+', 1])
  t.equal(told(await take(reader.client, 'publish')), 'plant/kept kept q1 retain')
  const will = await broker.running.store.persistence.getWill({ id: 'anonymous/ill' })
  t.match(will, { topic: 'plant/will', qos: 1, user: 'anonymous' }, 'the will is there')
}

const REPORT = {
  session: 4,
  subscription: 5,
  'queued message': 5,
  'PUBREL that is due': 1,
  'PUBREL that is awaited': 1,
  'retained message': 1,
  will: 1,
}

function counts(stdout: string, from: string): Record<string, number> {
  const [, part = ''] = stdout.split(`${from}\n`)
  const rows = /^(?: +\d+ {2}.*\n)+/.exec(part)?.[0] ?? ''
  return Object.fromEntries([...rows.matchAll(/^ +(\d+) {2}(.*)$/gm)].map(([, count, what]) => [what!, Number(count)]))
}

t.test('sessions, queues, retained messages, QoS 2 exchanges and wills of an Aedes', BOTH, async (t) => {
  const redis = await startRedis(t)
  const released = await fill(t, redis)
  const cwd = await directory(t)
  const data = join(cwd, 'data')
  const secret = 'a secret of nodes that is long enough'
  const stored = { driver: 'redis', redis: { url: redis.url, prefix: 'ours' } }
  const targets: [string, string[], Overrides][] = [
    ['level', ['--set', `node.dataDir=${data}`], { node: { dataDir: data } }],
    [
      'redis',
      [
        ...['--set', 'store.driver=redis', '--set', `store.redis.url=${redis.url}`],
        ...['--set', 'store.redis.prefix=ours', '--set', `auth.jwt.secret=${secret}`],
      ],
      { store: stored },
    ],
  ]
  for (const [kind, flags, overrides] of targets)
    await t.test(kind, async (t) => {
      const options = ['--from', 'aedes-redis', '--url', redis.url, ...flags]
      const first = await runMigrate(cwd, ...options)
      t.match(first, { code: 0, stderr: '', stdout: /set auth\.anonymous: true/ })
      t.same(counts(first.stdout, 'taken over:'), REPORT)
      const left = counts(first.stdout, 'not taken over:')
      t.match(Object.keys(left), [
        /^subscription: topics that begin with rooms/,
        /^queued message: topics/,
        /^retained message: topics/,
      ])
      t.same(Object.values(left), [2, 1, 1])
      const again = await runMigrate(cwd, ...options)
      t.match(again, { code: 0, stdout: /taken over:\nnothing\n/ }, 'run again it takes nothing over a second time')
      const auth = { anonymous: true, ...(kind === 'redis' ? { jwt: { secret } } : {}) }
      await comeBack(t, await startTestBroker(t, { acl: OPEN_ACL, auth, ...overrides }), released)
    })
})

t.test('what awaits PUBREL as version 12 of the persistence keeps it', BOTH, async (t) => {
  const redis = await startRedis(t)
  const released = await fill(t, redis)
  const asHash =
    "redis.call('HSET', 'incoming:half', '7', redis.call('GET', KEYS[1])) return redis.call('DEL', KEYS[1])"
  t.equal(await redis.command('EVAL', asHash, '1', 'incoming:half:7'), '1')
  const cwd = await directory(t)
  const data = join(cwd, 'data')
  const moved = await runMigrate(cwd, '--from', 'aedes-redis', '--url', redis.url, '--set', `node.dataDir=${data}`)
  t.same(counts(moved.stdout, 'taken over:'), REPORT)
  const node = { dataDir: data }
  await comeBack(t, await startTestBroker(t, { acl: OPEN_ACL, auth: { anonymous: true }, node }), released)
})

t.test('whose a session is', BOTH, async (t) => {
  const redis = await startRedis(t)
  await fill(t, redis)
  const cwd = await directory(t)
  const run = (rule: string) =>
    runMigrate(
      cwd,
      '--from',
      'aedes-redis',
      '--url',
      redis.url,
      '--user-from',
      rule,
      '--set',
      `node.dataDir=${rule.replace(/\W/g, '')}`,
    )
  const byId = await run('client-id')
  t.match(byId, { code: 0, stdout: /the user of the name of their client id/ })
  t.match(counts(byId.stdout, 'taken over:'), { session: 3 })
  t.match(byId.stdout, /^ +1 {2}session: its client is no user, or has an id that cannot be used$/m)
  const small = await runMigrate(
    cwd,
    ...['--from', 'aedes-redis', '--url', redis.url, '--set', 'node.dataDir=small', '--set', 'limits.queueMessages=2'],
  )
  t.match(counts(small.stdout, 'taken over:'), { 'queued message': 3 })
  t.match(small.stdout, /^ +2 {2}queued message: the queue is full/m)
  await writeFile(join(cwd, 'users.json'), JSON.stringify({ sensor: 'ann', 'a client/with ü': 'ann' }))
  const byFile = await run('file:users.json')
  t.match(counts(byFile.stdout, 'taken over:'), { session: 2 })
  const broker = await startTestBroker(t, { acl: OPEN_ACL, node: { dataDir: join(cwd, 'fileusersjson') } })
  const sessions = broker.running.store.sessions
  t.same((await sessions.ofUser('ann')).map(({ clientId }) => clientId).sort(), ['a client/with ü', 'sensor'])
  t.match(await run('file:nothing.json'), {
    code: 1,
    stderr: /^topictalk: --user-from: there is no file nothing\.json\n$/,
  })
  t.match(await run('somebody'), {
    code: 1,
    stderr: /^topictalk: --user-from: expected anonymous, client-id or file:PATH/,
  })
  t.match(await runMigrate(cwd, '--from', 'aedes-redis'), { code: 1, stderr: /^topictalk: --url: needed with/ })
})
