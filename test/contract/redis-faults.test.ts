/** What a node on Redis does when the network, the server or another node fails it. */
import t, { type Test } from 'tap'
import { GuardConflict } from '../../broker/store/changes.js'
import { guardsOf } from '../../broker/store/fence.js'
import { enqueueOp } from '../../broker/store/queue-ops.js'
import type { RedisCounts } from '../../broker/store/redis/counts.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import { sessionClaim } from '../../broker/store/session-owners.js'
import type { Store } from '../../broker/store/store.js'
import { keyOf } from '../../broker/store/tables.js'
import { heldIntervals } from '../helpers/clock.js'
import { until as untilSaid } from '../helpers/patience.js'
import { type RedisServer, type RedisSettings, startRedis } from '../helpers/redis-server.js'
import { pushOf } from '../helpers/resp-frames.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'
import { append, commit, draft, texts } from './store-suite.js'

const LIMITS = { queueMessages: 100, queueBytes: 100_000 }

/** Two nodes on one server; the first one behind a proxy. */
async function setup(t: Test, settings: RedisSettings = { aof: 'always' }, timeoutMs = 5000) {
  const server = await startRedis(t, settings)
  const proxy = await TcpProxy.start(t, server)
  const faults: string[] = []
  const open = async (url: string): Promise<Store> => {
    const onFault = (error: unknown): void => void faults.push((error as Error).message)
    const { store } = await openRedisStore({ url, prefix: 'tt', limits: LIMITS, timeoutMs, onFault })
    t.teardown(() => store.close().catch(() => {}))
    return store
  }
  return {
    server,
    proxy,
    faults,
    near: await open(server.url),
    far: await open(proxy.url),
    open: () => open(server.url),
  }
}

const member = (store: Store, user: string) =>
  store.directory.memberOp({ room: 'r', user, role: 'member', since: 1, joined: { messages: 0, events: 0 } })

const members = (store: Store): string[] => [...store.directory.members('r').keys()].sort()

async function membersNow(store: Store): Promise<string[]> {
  await caughtUp(store)
  return members(store)
}

async function all(store: Store, log = 'm:a'): Promise<string[]> {
  await caughtUp(store)
  return texts(await store.log.read(log, 0, 1000, 1e6))
}

/** Says what did not come in the words of the test. */
function until(check: () => boolean | Promise<boolean>): Promise<void> {
  return untilSaid(String(check), async () => check())
}

/** It has a connection, and what others did. */
function caughtUp(store: Store): Promise<void> {
  return until(async () => {
    try {
      await store.catchUp()
      return true
    } catch {
      return false
    }
  })
}

async function commitsOf(server: RedisServer): Promise<number> {
  return Number(await server.command('HGET', '{tt}meta', 'commit'))
}

t.test('an answer that is lost: what was committed is not committed again', async (t) => {
  const { proxy, far, near } = await setup(t)
  for (const cid of [undefined, 'c']) {
    const cut = proxy.cutReply((request) => request.includes('lost'))
    t.match(await append(far, draft('m:a', `lost ${cid}`, cid ? { cid } : {})), /^appended/)
    await cut
    await commit(far, [], [member(far, `after ${cid}`)])
  }
  t.same(await all(near), ['lost undefined', 'lost c'])
  t.match(far.counts, { repeats: 2, reconnects: 2, gaps: 0, lastGap: 0 })
  t.same(members(far), ['after c', 'after undefined'])
  t.same(await membersNow(near), members(far))
})

t.test('a node alone: what it committed is in its memory, also if the answer is lost', async (t) => {
  const server = await startRedis(t, { aof: 'off' })
  const proxy = await TcpProxy.start(t, server)
  const onFault = (error: unknown): void => void t.fail(String(error))
  const { store } = await openRedisStore({ url: proxy.url, prefix: 'tt', limits: LIMITS, onFault })
  for (const user of ['ann', 'bob', 'eve']) {
    const cut = proxy.cutReply((request) => request.includes(user))
    await Promise.all([commit(store, [], [member(store, user)]), cut])
    await caughtUp(store)
    t.ok(members(store).includes(user), user)
  }
  t.match(store.counts, { gaps: 0 })
  await store.close()
})

/** The first word of what a script answered, or of what nodes are told, says that it is longer than all there is. */
function spoiled(frame: Buffer): Buffer {
  const changed = Buffer.from(frame)
  changed.writeUInt32BE(0x7fffffff, changed.indexOf('\0\0\0'))
  return changed
}

/** Its entry, which is of `from`, says that this name is longer than all there is, and that more stands behind it. */
function overlong(frame: Buffer, from: string): Buffer {
  const changed = Buffer.from(frame)
  const name = changed.indexOf(from)
  changed[name - 11]! |= 8
  changed.writeUInt16BE(0xffff, name - 4)
  return changed
}

t.test('an answer that cannot be read: what was committed is not committed again, and the next one can', async (t) => {
  const { proxy, far, near, faults } = await setup(t)
  let left = 1
  // The answer is the only large text that is no push.
  proxy.changes = (frame) => (frame[0] === 0x24 && frame.length > 40 && left-- > 0 ? spoiled(frame) : null)
  t.match(await append(far, draft('m:a', 'once')), /^appended 1/)
  t.equal(left < 1, true, 'an answer was changed')
  await commit(far, [], [member(far, 'after')])
  t.same(await all(near), ['once'])
  t.same(await membersNow(near), await membersNow(far))
  t.match(far.counts, { repeats: 1, reconnects: 1 })
  t.match(faults, [/what it sends cannot be read/])
})

t.test('a commit of another node that cannot be read as it is told is read from the store', async (t) => {
  const { proxy, far, near, faults } = await setup(t)
  let left = 1
  proxy.changes = (frame) =>
    pushOf(frame)?.[1]?.startsWith('{tt}node:') && frame.includes('strange') && left-- > 0 ? spoiled(frame) : null
  await commit(near, [], [member(near, 'strange')])
  await until(() => members(far).includes('strange'))
  await commit(near, [], [member(near, 'plain')])
  await until(() => members(far).includes('plain'))
  t.match(far.counts, { reconnects: 1 })
  t.match(faults, [/what it sends cannot be read/])
})

t.test('entries that cannot be read end the connection, and all that is in memory is loaded anew', async (t) => {
  const { proxy, far, near, faults } = await setup(t)
  const told: string[] = []
  await far.log.follow('m:a', ({ entries }) => void told.push(...texts(entries)))
  let left = 1
  // Its entries are decoded as late as they are followed.
  proxy.changes = (frame) => (pushOf(frame) && frame.includes('strange') && left-- > 0 ? overlong(frame, 'ann') : null)
  await append(near, draft('m:a', 'strange'))
  await append(near, draft('m:a', 'plain'))
  await until(() => told.includes('plain'))
  t.same(told, ['strange', 'plain'])
  t.same(await all(far), ['strange', 'plain'])
  t.match(far.counts, { reconnects: 1 })
  t.match(faults, [/what it sends cannot be read/])
})

t.test('what is told of a commit and does not arrive is read', async (t) => {
  const { proxy, far, near } = await setup(t)
  const told: string[] = []
  await far.log.follow('m:a', ({ entries }) => void told.push(...texts(entries)))
  await commit(near, [], [member(near, 'heard')])
  await until(() => members(far).includes('heard'))
  proxy.loses = (channel) => channel.startsWith('{tt}node:')
  await append(near, draft('m:a', 'unheard'))
  await commit(near, [], [member(near, 'unheard')])
  await commit(
    near,
    [],
    [
      enqueueOp({ topic: 't', payload: Buffer.from('q'), qos: 1, retain: false, clientId: null }, [
        { sessionId: 's', qos: 1 },
      ]),
    ],
  )
  // Nothing comes after it.
  await until(() => proxy.lost === 3)
  await until(() => told.length > 0)
  await until(() => members(far).includes('unheard'))
  await until(() => far.queue.size('s').messages === 1)
  proxy.loses = () => false
  const { gaps, lastGap, reconnects } = far.counts as RedisCounts
  t.ok(gaps > 0 && lastGap > 0 && reconnects === 0)
  await append(near, draft('m:a', 'heard again'))
  await until(() => told.length === 2)
  t.same(told, ['unheard', 'heard again'])
})

t.test('a server that is killed and comes back', async (t) => {
  const { server, near, far } = await setup(t)
  await append(near, draft('m:a', 'before'))
  await server.kill9()
  const during = append(far, draft('m:a', 'during', { cid: 'c' }))
  await server.restart()
  t.match(await during, /^appended 2/)
  await append(near, draft('m:a', 'after'))
  t.same(await all(far), ['before', 'during', 'after'])
  t.same(await all(near), await all(far))
  t.equal(near.epoch, far.epoch)
})

t.test('scripts that the server has forgotten are sent again', async (t) => {
  const { server, near } = await setup(t)
  await append(near, draft('m:a', '1'))
  await server.command('SCRIPT', 'FLUSH')
  t.equal(await append(near, draft('m:a', '2')), 'appended 2')
})

t.test('without an answer a change settles with an error, and what became of it is seen later', async (t) => {
  const { proxy, far, near } = await setup(t, { aof: 'off' }, 1000)
  await append(far, draft('m:a', '1'))
  proxy.blackhole()
  await t.rejects(append(far, draft('m:a', '2')), { name: /StoreError|Unanswered/ })
  t.notOk(far.healthy)
  await commit(near, [], [member(near, 'meanwhile')])
  proxy.heal()
  await until(async () => (await append(far, draft('m:a', '3')).catch(() => '')) !== '')
  t.ok(far.healthy)
  await until(() => members(far).includes('meanwhile'))
  t.same(await all(far), await all(near))
})

t.test('a server without memory for it refuses, and goes on when there is some', async (t) => {
  const { server, near } = await setup(t, { aof: 'off' })
  await append(near, draft('m:a', '1'))
  await server.command('CONFIG', 'SET', 'maxmemory', '1')
  await t.rejects(append(near, draft('m:a', '2')), { name: 'StoreError', full: true })
  await server.command('CONFIG', 'SET', 'maxmemory', '0')
  t.equal(await append(near, draft('m:a', '3')), 'appended 2')
  t.same(await all(near), ['1', '3'])
})

t.test('a node that was taken for dead begins anew, with what others did meanwhile', async (t) => {
  // It finds out by what it writes, and not before by saying that it is there.
  heldIntervals(t)
  const { server, near, far } = await setup(t, { aof: 'off' })
  const nodes = (await server.command('HKEYS', '{tt}nodes')).split('\n').sort((a, b) => Number(a) - Number(b))
  t.equal(nodes.length, 2)
  await server.command('HDEL', '{tt}nodes', nodes[1]!)
  await commit(near, [], [member(near, 'meanwhile')])
  await t.rejects(append(far, draft('m:a', 'of the dead')), { name: 'StoreError', message: /FENCED/ })
  await until(async () => (await append(far, draft('m:a', 'of the new one')).catch(() => '')) !== '')
  t.same(await all(near), ['of the new one'])
  await until(() => members(far).includes('meanwhile'))
  t.match([far.counts, near.counts], [{ fences: 1 }, { fences: 0 }])
  await commit(near, [], [member(near, 'later')])
  await until(() => members(far).includes('later'))
})

t.test(
  'what nodes still have to write of their sessions when commits are lost was decided on what is gone',
  async (t) => {
    const { server, near, far } = await setup(t, { aof: 'off' })
    const session = 'phone'
    const claim = sessionClaim(2, 1, Date.now())
    await commit(near, [], [near.sessionOwners.ownerOp(session, claim)])
    await server.command('SAVE')
    await append(near, draft('m:a', 'lost'))
    await caughtUp(far)
    await server.kill9()
    // Where it was sent to, in numbers of messages that are lost.
    const guards = guardsOf([
      { same: { table: 'owner', key: keyOf(session), value: claim }, lost: false, refused: async () => {} },
    ])
    const saved = far.sessions.writeLazily([far.sessions.cursorOp(session, 'm:a', 1)], guards)
    await server.restart()
    await t.rejects(saved, GuardConflict)
    t.equal(await append(near, draft('m:a', 'new')), 'appended 1')
    await caughtUp(far)
    t.equal(far.sessionOwners.owner(session), undefined, 'it can be claimed')
    t.equal((await far.sessions.progress(session)).cursors.get('m:a'), undefined)
  },
)

t.test('commits that the server had acknowledged and lost: another epoch, and no number is used twice', async (t) => {
  const { server, near, far, faults, open } = await setup(t, { aof: 'off' })
  const { epoch } = near
  for (const text of ['1', '2']) await append(near, draft('m:a', text, { cid: text }))
  await append(near, draft('m:whole', 'w'))
  const { incarnation } = await near.log.open('m:a')
  const whole = await near.log.open('m:whole')
  await server.command('SAVE')
  await far.log.follow('m:a', () => {})
  for (const text of ['3', '4']) await append(near, draft('m:a', text))
  await commit(near, [], [member(near, 'lost')])
  await caughtUp(far)
  await server.kill9()
  await server.restart()
  await until(async () => (await append(near, draft('m:a', 'other 3')).catch(() => '')) !== '')
  await until(() => far.epoch === near.epoch)
  t.not(near.epoch, epoch)
  t.ok(
    faults.some((fault) => /lost at least 3 of its last commits/.test(fault)),
    faults.join('\n'),
  )
  t.same(await all(near), ['1', '2', 'other 3'])
  const now = await near.log.open('m:a')
  t.ok(now.incarnation > incarnation, 'its numbers are of another life')
  t.equal((await near.log.open('m:whole')).incarnation, whole.incarnation, 'one that has lost nothing goes on')
  t.equal(await append(near, draft('m:a', '1', { cid: '1' })), 'duplicate 1', 'a retry of what is still there')
  t.same([await membersNow(near), await membersNow(far)], [[], []])
  const third = await open()
  t.same(await all(third), await all(far))
  t.equal(third.epoch, near.epoch)
  t.ok((await commitsOf(server)) > 0)
})

t.test(
  'what a process hears when it goes on after it was stopped counts as old until the store was asked',
  async (t) => {
    const clock = heldIntervals(t)
    const { near, far } = await setup(t, { aof: 'off' })
    await until(() => {
      clock.turn(1)
      return far.fresh
    })
    const told: boolean[] = []
    await far.log.follow('m:a', () => void told.push(far.fresh))
    await append(near, draft('m:a', 'before'))
    await until(() => told.length === 1)
    const now = performance.now.bind(performance)
    performance.now = () => now() + 3000
    t.teardown(() => void Reflect.deleteProperty(performance, 'now'))
    await append(near, draft('m:a', 'what came while it was stopped'))
    await until(() => told.length === 2)
    t.same(told, [true, false])
    await until(() => {
      clock.turn(1)
      return far.fresh
    })
  },
)
