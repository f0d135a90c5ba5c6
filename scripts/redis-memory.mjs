// Says how many bytes of Redis a record of each kind takes: node scripts/redis-memory.mjs redis://127.0.0.1:6379, of a server that is used for nothing else.
import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { body } from '../dist/broker/store/body.js'
import { enqueueOp, retainOp } from '../dist/broker/store/queue-ops.js'
import { openRedisStore } from '../dist/broker/store/redis/redis-store.js'

const COUNT = 50_000
const ROOMS = 100
const url = process.argv[2]
if (!url) throw new Error('usage: node scripts/redis-memory.mjs redis://127.0.0.1:6379')
const redis = new Redis(url)
const limits = { queueMessages: COUNT, queueBytes: 1e9 }
const { store } = await openRedisStore({ url, prefix: `memory-${randomUUID()}`, limits, onFault: console.error })

const kinds = {
  'message of 100 characters': (i) => ({ drafts: [message(i, null)] }),
  'the same, with a cid': (i) => ({ drafts: [message(i, randomUUID())] }),
  'member of a room': (i) => ({
    ops: [
      store.directory.memberOp({
        room: `room${i % ROOMS}`,
        user: `user${i}`,
        role: 'member',
        since: i,
        joined: { messages: 0, events: 0 },
      }),
    ],
  }),
  'persistent session with three subscriptions': (i) => ({ ops: session(i) }),
  'retained message of 4 bytes': (i) => ({ ops: [retainOp(reading(i, true))] }),
  'reference in a queue': (i) => ({ ops: [queued(i, 100)], records: 100 }),
}

function message(i, cid) {
  const id = randomUUID()
  const text = 'x'.repeat(100)
  const rest = `"ts":1700000000000,"id":"${id}","room":"room${i % ROOMS}","from":"user${i % 1000}","type":"text","text":"${text}"}`
  const dedupe = cid === null ? null : { cid, hash: 'h'.repeat(22) }
  return {
    log: `m:room${i % ROOMS}`,
    id,
    ts: Date.now(),
    from: `user${i % 1000}`,
    qos: 1,
    body: body('{"seq":', `,${rest}`),
    dedupe,
  }
}

function session(i) {
  const id = `user${i}/phone-${i}`
  const record = { id, user: `user${i}`, clientId: `phone-${i}`, createdAt: 1, disconnectedAt: 1, expiry: 86_400 }
  const topics = ['rooms/+/messages', `users/user${i}/messages`, `users/user${i}/events`]
  return [
    store.sessions.recordOp(record),
    ...store.sessions.subscribeOps(
      id,
      topics.map((topic) => ({ topic, qos: 1 })),
    ),
  ]
}

function queued(i, sessions) {
  const targets = Array.from({ length: sessions }, (_, j) => ({ sessionId: `user${j}/phone-${j}`, qos: 1 }))
  return enqueueOp(reading(i, false), targets)
}

function reading(i, retain) {
  const topic = `sensors/room${i}/temperature`
  return { topic, payload: Buffer.from('21.5'), qos: 1, retain, clientId: `user${i % 1000}/phone` }
}

function commit({ drafts = [], ops = [] }) {
  return new Promise((resolve, reject) => {
    store.commit({ drafts, ops, settled: (error) => (error ? reject(error) : resolve()) })
  })
}

async function usedMemory() {
  return Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1])
}

for (const [kind, make] of Object.entries(kinds)) {
  const records = make(0).records ?? 1
  const before = await usedMemory()
  for (let i = 0; i < COUNT / records; i += 1000)
    await Promise.all(Array.from({ length: Math.min(1000, COUNT / records - i) }, (_, j) => commit(make(i + j))))
  console.log(`${kind}: ${Math.round(((await usedMemory()) - before) / COUNT)} bytes`)
}
await store.close()
redis.disconnect()
