/** `topictalk migrate`: a broker is stopped, everything is moved to another store, and clients that come back to a broker there notice nothing of it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { append, draft } from '../contract/store-suite.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { runMigrate, startMigrate } from '../helpers/migrate-command.js'
import { acknowledge, connect5, message, subscribe5 } from '../helpers/mqtt5.js'
import { Person } from '../helpers/people.js'
import { cut, leave, OPEN_ACL, open, publish, take, takePublishes, untilPong } from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'
import { Receiver } from '../helpers/receiver.js'
import { startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'
import { onRedis } from '../helpers/test-store.js'

const BOTH = { skip: onRedis && 'it has stores of both adapters' }
const LOG = 'rooms/den/messages'
const JOBS = '$share/workers/jobs/+'
const PHONE = { id: 'phone', clean: false, expiry: 3600 }

async function directory(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'topictalk-move-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

function said({ topic, payload }: IPublishPacket): string {
  const text = payload.toString()
  return topic.startsWith('rooms/') ? JSON.parse(text).text : text
}

/** What a client got and did not acknowledge, and what waits for it. */
async function leaveMuch(broker: TestBroker, round: string): Promise<number[]> {
  const [bob] = [await open(broker, { user: 'bob', id: 'bob' })]
  const [phone] = await connect5(broker, PHONE)
  await subscribe5(phone, [LOG, 'plain/#'], { qos: 2, rh: 2 })
  const [worker] = await connect5(broker, { user: 'eve', id: 'worker', clean: false, expiry: 3600 })
  await subscribe5(worker, JOBS)
  await publish(bob, LOG, JSON.stringify({ text: `${round} one` }))
  await publish(bob, LOG, JSON.stringify({ text: `${round} two` }), { qos: 2 })
  const [first, second] = await takePublishes(phone, 2)
  phone.send({ cmd: 'pubrec', messageId: second!.messageId! })
  await take(phone, 'pubrel')
  phone.send(message('jobs/mine', `${round} mine`, { qos: 2, messageId: 9 }))
  await take(phone, 'pubrec')
  await leave(broker, worker)
  await cut(broker, phone)
  await publish(bob, LOG, JSON.stringify({ text: `${round} three` }))
  await publish(bob, 'plain/x', `${round} queued`)
  await publish(bob, 'plain/kept', `${round} kept`, { retain: true })
  for (const n of [1, 2]) await publish(bob, 'jobs/a', `${round} job ${n}`)
  await leave(broker, bob)
  return [first!.messageId!, second!.messageId!]
}

/** What comes until there are so many messages, and whatever comes behind them; QoS 2 is completed. */
async function drain(client: RawClient, count: number): Promise<string[]> {
  const texts: string[] = []
  const heard = (packet: Packet): void => {
    if (packet.cmd === 'pubrel') client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
    if (packet.cmd !== 'publish') return
    texts.push(said(packet))
    acknowledge(client, packet)
  }
  while (texts.length < count) heard((await client.next())!)
  for (let more = true; more; ) {
    const packets = await untilPong(client)
    more = packets.length > 0
    for (const packet of packets) heard(packet)
  }
  return texts.sort()
}

/** The clients come back: everything is there, once. */
async function takeUp(t: Test, broker: TestBroker, round: string, [first, second]: readonly number[]): Promise<void> {
  const [phone, { sessionPresent }] = await connect5(broker, PHONE)
  t.ok(sessionPresent, 'the session is there')
  const again = await take(phone, 'publish')
  t.match([again.messageId, again.dup, said(again)], [first, true, `${round} one`], 'QoS 1: again, under its packet id')
  acknowledge(phone, again)
  t.match(await take(phone, 'pubrel'), { messageId: second }, 'QoS 2: it goes on where it was')
  phone.send({ cmd: 'pubcomp', messageId: second! })
  phone.send(message('jobs/mine', `${round} mine`, { qos: 2, messageId: 9, dup: true }))
  const texts = await drain(phone, 3)
  t.same(texts, [`${round} kept`, `${round} queued`, `${round} three`], 'what was missed, and no more')
  phone.send({ cmd: 'pubrel', messageId: 9 })
  await take(phone, 'pubcomp')
  const [worker] = await connect5(broker, { user: 'eve', id: 'worker', clean: false, expiry: 3600 })
  const jobs = [`${round} job 1`, `${round} job 2`, `${round} mine`]
  t.same(await drain(worker, 3), jobs, 'each job once, the one that was sent twice too')
  const [reader] = await connect5(broker, { user: 'bob', id: 'reader' })
  await subscribe5(reader, 'plain/+')
  t.same(await drain(reader, 1), [`${round} kept`], 'what is retained')
  for (const client of [phone, worker, reader]) await leave(broker, client)
}

/** Clients that come back to a broker on another store. */
async function look(t: Test, broker: TestBroker, receiver: Receiver, round: string): Promise<void> {
  const alice = await Person.connect(t, broker, 'alice', { roles: ['admin'], clientId: 'look' })
  const { room, seq } = (await alice.send(LOG, { cid: 'first', text: 'the first' })).result
  t.same([room, seq], ['den', 1], 'a retry is answered as the first time')
  const carol = await Person.connect(t, broker, 'carol', { password: 'a password of carol' })
  await carol.client.endAsync()
  t.match(await alice.get('history', { room: 'den' }), { messages: [{ seq: 1, text: 'the first' }] })
  const { epoch } = await alice.get('sync')
  t.equal(epoch, epochs[0] ?? epoch, 'positions that clients know are valid')
  epochs.push(epoch)
  receiver.answer = () => ({})
  await receiver.wait(1, ({ json }) => json.data.text === `${round} three`)
  const told = receiver.received.map(({ json }) => json.data.text).filter((text) => text.startsWith(round))
  t.same([...new Set(told)], [`${round} one`, `${round} two`, `${round} three`], 'the webhook goes on where it was')
  await alice.client.endAsync()
}

const epochs: string[] = []

t.test('a broker moves to Redis and back, and clients lose nothing', BOTH, async (t) => {
  const redis = await startRedis(t)
  const receiver = await Receiver.start(t)
  const cwd = await directory(t)
  const webhook = {
    id: 'crm',
    url: receiver.url,
    secret: `whsec_${Buffer.from('s'.repeat(32)).toString('base64')}`,
    events: ['message.*'],
  }
  const common: Overrides = {
    acl: OPEN_ACL,
    rooms: { list: [{ id: 'den', access: 'public' }] },
    webhooks: [webhook],
    webhookDelivery: { backoff: 0.01, maxBackoff: 0.2, attempts: 100 },
  } as object
  const [one, two] = [join(cwd, 'one'), join(cwd, 'two')]
  const start = (more: Overrides): Promise<TestBroker> => startTestBroker(t, { ...common, ...more })
  const stop = async (broker: TestBroker, round: string): Promise<number[]> => {
    receiver.answer = () => ({ status: 500 })
    const ids = await leaveMuch(broker, round)
    await broker.running.close()
    return ids
  }

  const embedded = await start({ node: { dataDir: one } })
  const alice = await Person.connect(t, embedded, 'alice', { roles: ['admin'] })
  await alice.get('accounts.create', { user: 'carol', password: 'a password of carol' })
  t.equal((await alice.send(LOG, { cid: 'first', text: 'the first' })).result.seq, 1)
  await receiver.wait(1)
  await alice.client.endAsync()
  const first = await stop(embedded, 'first')

  const secret = (await readFile(join(one, 'secret'), 'utf8')).trim()
  const to = await runMigrate(cwd, '--set', `node.dataDir=${one}`, '--to', redis.url, '--to-prefix', 'moved')
  t.match(to, { code: 0, stderr: '' })
  t.match(to.stdout, /^log entry +\d+ +\d+ +[0-9a-f]{36}$/m)
  t.match(to.stdout, /both ends were read and are the same/)
  t.match(to.stdout, /on all nodes set auth\.jwt\.secret to what is in .*one\/secret/)
  const store = { driver: 'redis', redis: { url: redis.url, prefix: 'moved' } }
  await t.rejects(start({ store, auth: { jwt: { secret: 'another secret, also long enough' } } }), {
    message: /^auth\.jwt\.secret is not the one/,
  })
  const shared = await start({ store, auth: { jwt: { secret } } })
  await look(t, shared, receiver, 'first')
  await takeUp(t, shared, 'first', first)
  const second = await stop(shared, 'second')

  const redisFlags = ['--from', redis.url, '--from-prefix', 'moved', '--to', two]
  t.match(await runMigrate(cwd, ...redisFlags), { code: 1, stderr: /^topictalk: auth\.jwt\.secret is needed/ })
  const back = await runMigrate(cwd, ...redisFlags, '--set', `auth.jwt.secret=${secret}`)
  t.match(back, { code: 0, stderr: '', stdout: /store\.driver: level and node\.dataDir: .*two/ })
  const again = await start({ node: { dataDir: two }, auth: { jwt: { secret } } })
  await look(t, again, receiver, 'second')
  await takeUp(t, again, 'second', second)
})

t.test('killed at any moment and run again, it ends right', BOTH, async (t) => {
  const redis = await startRedis(t, { aof: 'everysec' })
  const proxy = await TcpProxy.start(t, redis)
  const cwd = await directory(t)
  const store = await openLevelStore({
    location: join(cwd, 'data', 'store'),
    ...{ sync: false, limits: { queueMessages: 1, queueBytes: 1 } },
  })
  const COUNT = 60_000
  for (let i = 0; i < COUNT; i += 1000)
    await append(store, ...Array.from({ length: 1000 }, (_, k) => draft(`m:${k % 3}`, `${i + k} ${'x'.repeat(200)}`)))
  await store.close()
  const options = ['--set', 'store.redis.acks=written', '--to', proxy.url]
  // A write takes so long that there are some left.
  proxy.delay = 100
  for (let kills = 0, seen = ''; kills < 4; kills++) {
    const { child, outcome } = startMigrate(cwd, ...options)
    // It has written more than the one before.
    for (let reached = seen; child.exitCode === null && (reached === seen || reached === ''); )
      reached = await redis.command('HGET', '{topictalk}meta', 'reached')
    child.kill('SIGKILL')
    t.match(await outcome, { code: null }, 'killed while it ran')
    seen = await redis.command('HGET', '{topictalk}meta', 'reached')
  }
  proxy.delay = 0
  const last = await runMigrate(cwd, ...options)
  t.match(last, { code: 0, stdout: /, on from \d+ records/ })
  t.match(last.stdout, new RegExp(`^log entry +${COUNT} `, 'm'))
  t.match(await runMigrate(cwd, ...options), { code: 1, stderr: /there is a store in Redis already/ })
})

t.test('what it asks for, and what it refuses in one line', BOTH, async (t) => {
  const cwd = await directory(t)
  t.match(await runMigrate(cwd), {
    code: 1,
    stderr: /^topictalk: needs --from or --to: the other end is the configured store\n$/,
  })
  t.match(await runMigrate(cwd, '--to', './data'), {
    code: 1,
    stderr: /^topictalk: --from and --to are the same store: .*data\n$/,
  })
  t.match(await runMigrate(cwd, '--to', 'other'), {
    code: 1,
    stderr: /^topictalk: there is no store in .*data\/store\n$/,
  })
  const broker = await startTestBroker(t)
  const busy = await runMigrate(cwd, '--from', broker.dataDir, '--to', 'other')
  t.match(busy, { code: 1, stderr: /^topictalk: .*: the store is already in use by another process; stop that.*\n$/ })
  await broker.running.close()
  await writeFile(join(cwd, 'wrong'), '')
  const other = await runMigrate(cwd, '--from', broker.dataDir, '--to', 'wrong')
  t.match(other, { code: 1, stderr: /^topictalk: .*wrong/ })
})
