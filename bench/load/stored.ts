/** What a store keeps, made by the changes that a broker would commit: for suites about what records take. */
import { randomUUID } from 'node:crypto'
import { body } from '../../broker/store/body.js'
import type { Change, Draft } from '../../broker/store/changes.js'
import { commit } from '../../broker/store/commit.js'
import { enqueueOp, retainOp } from '../../broker/store/queue-ops.js'
import type { PlainMessage } from '../../broker/store/queues.js'
import type { Store } from '../../broker/store/store.js'
import { uuid7 } from '../../broker/util/uuid7.js'

const ROOMS = 100
const USERS = 1000
const STARTED = 1_700_000_000_000
/** Changes under way at a time. */
const AT_ONCE = 1000

export type Making = (store: Store, i: number) => Partial<Pick<Change, 'drafts' | 'ops'>>

export interface Stored {
  readonly name: string
  /** Makes the change with the number `i`. */
  readonly make: Making
  /** Records of a change. */
  readonly records: number
}

/** Sessions in whose queues a message waits. */
const QUEUES = 100

export const MESSAGE: Stored = {
  name: 'message of 100 characters',
  make: (_, i) => ({ drafts: [message(i, null)] }),
  records: 1,
}
export const MESSAGE_WITH_CID: Stored = {
  name: 'the same, with a cid',
  make: (_, i) => ({ drafts: [message(i, randomUUID())] }),
  records: 1,
}
export const MEMBER: Stored = {
  name: 'member of a room',
  make: ({ directory }, i) => ({
    ops: [
      directory.memberOp({
        ...{ room: `room${i % ROOMS}`, user: `user${i}`, role: 'member', since: i },
        joined: { messages: 0, events: 0 },
      }),
    ],
  }),
  records: 1,
}
export const SESSION: Stored = {
  name: 'persistent session with three subscriptions',
  make: ({ sessions }, i) => {
    const [user, clientId] = [`user${i}`, `phone-${i}`]
    const id = `${user}/${clientId}`
    const topics = ['rooms/+/messages', `users/${user}/messages`, `users/${user}/events`]
    const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const }))
    return {
      ops: [
        sessions.recordOp({ id, user, clientId, createdAt: 1, disconnectedAt: 1, expiry: 86_400 }),
        ...sessions.subscribeOps(id, subscriptions),
      ],
    }
  },
  records: 1,
}
export const RETAINED: Stored = {
  name: 'retained message of 4 bytes',
  make: (_, i) => ({ ops: [retainOp(reading(i, true))] }),
  records: 1,
}
export const REFERENCE: Stored = {
  name: 'place in a queue',
  make: (_, i) => {
    const targets = Array.from({ length: QUEUES }, (_, j) => ({ sessionId: `user${j}/phone-${j}`, qos: 1 as const }))
    return { ops: [enqueueOp(reading(i, false), targets)] }
  },
  records: QUEUES,
}

function message(i: number, cid: string | null): Draft {
  const id = uuid7()
  const [room, from] = [`room${i % ROOMS}`, `user${i % USERS}`]
  const rest = `"ts":${STARTED},"id":"${id}","room":"${room}","from":"${from}","type":"text","text":"${'x'.repeat(100)}"}`
  return {
    ...{ log: `m:${room}`, id, ts: Date.now(), from, qos: 1, body: body('{"seq":', `,${rest}`) },
    dedupe: cid === null ? null : { cid, hash: 'h'.repeat(22) },
  }
}

function reading(i: number, retain: boolean): PlainMessage {
  const topic = `sensors/room${i}/temperature`
  return { topic, payload: Buffer.from('21.5'), qos: 1, retain, clientId: `user${i % USERS}/phone` }
}

/** Resolves when so many records are stored. */
export async function storeMany(store: Store, { make, records }: Stored, count: number): Promise<void> {
  const changes = Math.ceil(count / records)
  for (let i = 0; i < changes; i += AT_ONCE) {
    const many = Array.from({ length: Math.min(AT_ONCE, changes - i) }, (_, j) => commit(store, make(store, i + j)))
    await Promise.all(many)
  }
}
