/** Random changes of a store, as data that several stores can be given, and what can be read of a store afterwards. */
import { body } from '../../broker/store/body.js'
import { type Change, type Draft, type Enqueued, GuardConflict } from '../../broker/store/changes.js'
import type { Effect } from '../../broker/store/effect.js'
import {
  type Guards,
  guardOf,
  guardOfAllNotes,
  guardOfName,
  guardOfNotes,
  guardOfOwner,
  guardOfTopic,
} from '../../broker/store/guards.js'
import type { NoteKind, NoteWrite } from '../../broker/store/notes.js'
import { clear, del, dropLog, effectOp, type Op, put } from '../../broker/store/op.js'
import { copyOp, dequeueOp, enqueueOp, retainOp } from '../../broker/store/queue-ops.js'
import type { PlainMessage, RetainedCut } from '../../broker/store/queues.js'
import { readLogOp } from '../../broker/store/reader-cursors.js'
import type { Store } from '../../broker/store/store.js'
import { keyOf } from '../../broker/store/tables.js'
import { all } from '../contract/store-suite.js'
import type { Random } from './random.js'

export const LIMITS = { queueMessages: 3, queueBytes: 60 }
export const LOGS = ['m:a', 'e:a', 'm:b\0!']
const USERS = ['ann', 'bob', 'eve']
const ROOMS = ['a', 'b\x01']
export const SESSIONS = ['ann/1', 'bob/1', 'eve/1']
const FILTERS = ['t/1', 't/+', '#', 'u/#', '+/x', '$share/g/t/#', 'rooms/a/messages']
const TOPICS = ['t/1', 't/2', 'u/x', 'x']
const KINDS: readonly NoteKind[] = ['state', 'reaction', 'edit', 'pin', 'mention']

/** A store with what the program remembers of it: positions, numbers and cuts are its own. */
export class Side {
  readonly store: Store
  readonly positions: number[] = []
  readonly numbers: number[] = []
  readonly cuts: RetainedCut[] = []
  /** How many cuts there were as the step began. */
  begun = 0

  constructor(store: Store) {
    this.store = store
  }
}

/** A change, made for each side with its own numbers. */
type Recipe = (side: Side) => Omit<Change, 'settled'>

type Outcome = { readonly results: readonly object[]; readonly queued: readonly (readonly string[])[] } | 'conflict'

export function commit(side: Side, change: Omit<Change, 'settled'>): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    side.store.commit({
      ...change,
      settled: (error, results, enqueued: readonly Enqueued[] = []) => {
        if (error instanceof GuardConflict) return resolve('conflict')
        if (error) return reject(error)
        for (const { number } of enqueued) side.numbers.push(number)
        resolve({ results, queued: enqueued.map(({ sessions }) => [...sessions].sort()) })
      },
    })
  })
}

export class Program {
  readonly #random: Random
  readonly #copies: boolean
  #texts = 0
  /** As the step begins: heads of logs, and topics with a retained message. What is noted, erased or copied is there. */
  readonly #heads = new Map<string, number>()
  #retained: readonly string[] = []

  /** @param copies Whether retained messages are copied: cuts are of one node */
  constructor(random: Random, copies: boolean) {
    this.#random = random
    this.#copies = copies
  }

  async changes(step: number, { store }: Side): Promise<Recipe[]> {
    for (const log of LOGS) this.#heads.set(log, (await store.log.open(log)).head)
    this.#retained = (await all(store.queue.retained(['#']))).map(({ topic }) => topic)
    const changes = Array.from({ length: this.#random.between(1, 4) }, () => this.#change(step))
    // Behind it nothing is known of the log.
    const log = this.#pick(LOGS)
    if (this.#random.chance(0.1))
      changes.push(() => ({ drafts: [], ops: [put('readerCursor', keyOf(log, 'w'), '1'), dropLog(log)] }))
    return changes
  }

  #change(step: number): Recipe {
    const drafts = this.#some(2, () => this.#draft())
    const ops = this.#some(3, () => this.#op(drafts.length))
    const conditions = this.#conditions(step)
    return (side) => ({ drafts, ops: ops.map((op) => op(side)), ...conditions(side) })
  }

  #some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.#random.below(most + 1) }, make)
  }

  #pick<T>(list: readonly T[]): T {
    return this.#random.pick(list)
  }

  #draft(): Draft {
    const text = `${++this.#texts}`
    const cid = this.#random.chance(0.4) ? this.#pick(['c1', 'c2']) : null
    const log = this.#pick(LOGS)
    const effect = this.#random.chance(0.3) ? this.#effect(log, true) : null
    const expiresAt = this.#random.chance(0.5) ? 0 : 10 ** 13
    return {
      log,
      id: this.#random.chance(0.5)
        ? `id-${text}`
        : `01890000-0000-7000-8000-0000000000${text.padStart(2, '0').slice(-2)}`,
      ts: 1000 + this.#texts,
      from: this.#pick(USERS),
      origin: this.#pick(['', 'phone']),
      qos: this.#pick([0, 1, 2]),
      extra: this.#random.chance(0.2) ? { properties: Buffer.from([8, 0, 1, 0x74]), expiresAt } : null,
      body: body(`{"ü":"${text}","seq":`, '}'),
      dedupe: cid === null ? null : { cid, hash: this.#pick(['h1', 'h2']) },
      ...(effect ? { effect } : {}),
      ...(this.#random.chance(0.2) ? { isChange: true } : {}),
      ...(this.#random.chance(0.1) ? { retryOnly: true } : {}),
    }
  }

  #effect(log: string, inEntry: boolean): Effect {
    const head = this.#heads.get(log)!
    if (head === 0) return {}
    const notes = this.#some(2, (): NoteWrite => {
      const target = inEntry && this.#random.chance(0.3) ? null : this.#random.between(1, head)
      const name = inEntry && this.#random.chance(0.3) ? null : this.#pick(['', 'x', 'ann/ü'])
      const value = this.#random.chance(0.2)
        ? null
        : this.#random.chance(0.3) && inEntry
          ? (['<', '>'] as const)
          : `v${this.#texts}`
      return { kind: this.#pick(KINDS), target, name, value }
    })
    const by = this.#random.chance(0.5) ? 'eve' : null
    const erase = { seqs: [this.#random.between(1, head)], gone: { why: 'deleted', by, at: 5 } } as const
    return this.#random.chance(0.4) ? { notes, erase } : { notes }
  }

  #op(drafts: number): (side: Side) => Op {
    const one = (op: Op) => () => op
    const [room, user, session, topic] = [
      this.#pick(ROOMS),
      this.#pick(USERS),
      this.#pick(SESSIONS),
      this.#pick(TOPICS),
    ]
    const value = JSON.stringify({ role: 'member', since: ++this.#texts, joined: { messages: 0, events: 0 } })
    const plain = (more: Partial<PlainMessage> = {}): PlainMessage => ({
      ...{ topic, payload: Buffer.from(`${++this.#texts}`), qos: 1, retain: false, clientId: session },
      ...more,
    })
    const kinds: (() => (side: Side) => Op)[] = [
      () => one(put('member', keyOf(room, user), value)),
      () => one(del('member', keyOf(room, user))),
      () => one(clear('member', room)),
      () => one(put('receipt', keyOf(room, user), `[${this.#texts},0,0,0,0]`)),
      () =>
        one(
          put('user', keyOf(user), JSON.stringify({ id: user, roles: [], passwordHash: null, createdAt: this.#texts })),
        ),
      () => one({ ...del('user', keyOf(user)), wipe: true }),
      () => one({ type: 'touch', guard: guardOfTopic(user) }),
      () =>
        one(
          put(
            'subscription',
            keyOf(session, this.#pick(FILTERS)),
            JSON.stringify({ qos: this.#pick([0, 1, 2]), nl: this.#random.chance(0.3) }),
          ),
        ),
      () => one(del('subscription', keyOf(session, this.#pick(FILTERS)))),
      () => one(clear('subscription', session)),
      () => one(enqueueOp(plain())),
      () => one(enqueueOp(plain())),
      () => one(enqueueOp(plain(), [{ sessionId: session, qos: 2 }])),
      () => this.#dequeue(session),
      () => one({ type: 'discardQueue', sessionId: session }),
      () => one(retainOp(plain({ retain: true, clientId: this.#random.chance(0.2) ? null : session }))),
      () => one(retainOp(plain({ retain: true, payload: Buffer.alloc(0) }))),
      () =>
        drafts > 0
          ? one({ type: 'retainEntry', topic, draft: this.#random.below(drafts) })
          : one(del('member', keyOf(room, user))),
      () => this.#cut(),
      () => this.#copy(plain({ retain: true, clientId: null }), session),
      () => this.#onLog(),
      () => this.#read(),
      () => one(put('readerCursor', keyOf(this.#pick(LOGS), 'w'), '1')),
    ]
    return this.#pick(kinds)()
  }

  #dequeue(session: string): (side: Side) => Op {
    const place = this.#random.next()
    return ({ numbers }) => dequeueOp(session, numbers[Math.floor(place * numbers.length)] ?? 0)
  }

  #onLog(): (side: Side) => Op {
    const log = this.#pick(LOGS)
    const effect = this.#effect(log, false)
    return () => effectOp(log, effect)
  }

  #read(): (side: Side) => Op {
    const log = this.#pick(LOGS)
    const seq = this.#random.below(this.#heads.get(log)! + 1)
    return () => readLogOp(log, seq)
  }

  #cut(): (side: Side) => Op {
    return (side) => {
      const { op, cut } = side.store.queue.cut()
      side.cuts.push(cut)
      return op
    }
  }

  /** Of a message that is retained, read behind one of the cuts before. */
  #copy(message: PlainMessage, session: string): (side: Side) => Op {
    const place = this.#random.next()
    if (this.#retained.length === 0 || !this.#copies) return () => enqueueOp(message, [])
    const copied = { ...message, topic: this.#pick(this.#retained) }
    return ({ cuts, begun }) => {
      // A node knows the place of a cut once the commit that takes it has settled: none of this step.
      const cut = begun > 0 && cuts[Math.floor(place * begun)]
      return cut ? copyOp(copied, { sessionId: session, qos: 1 }, [cut]) : enqueueOp(message, [])
    }
  }

  #conditions(step: number): (side: Side) => Partial<Pick<Change, 'guards' | 'asOf'>> {
    const back = Math.max(0, step - this.#random.below(4))
    if (this.#random.chance(0.3)) return ({ positions }) => ({ asOf: positions[back]! })
    if (this.#random.chance(0.5)) return () => ({})
    const keys = this.#some(2, () => this.#guard())
    const limits = this.#some(1, () => ({
      table: 'member' as const,
      owner: this.#pick(ROOMS),
      most: this.#random.between(1, 3),
    }))
    const most = { messages: this.#random.between(0, 3), bytes: this.#random.between(0, 20) }
    const owners = this.#some(2, () => this.#pick(USERS))
    const retained = this.#random.chance(0.2)
      ? { owners: [...new Set(owners)], topic: this.#pick(TOPICS), bytes: this.#random.below(9), most }
      : null
    return ({ positions }) => ({ guards: { at: positions[back]!, keys, limits, retained } satisfies Guards })
  }

  #guard(): string {
    const [room, user, log] = [this.#pick(ROOMS), this.#pick(USERS), this.#pick(LOGS)]
    return this.#pick([
      guardOf('member', keyOf(room, user)),
      guardOfOwner('member', room),
      guardOfName('member', user),
      guardOf('user', keyOf(user)),
      guardOf('receipt', keyOf(room, user)),
      guardOfNotes(log, this.#random.between(1, 9)),
      guardOfAllNotes(log),
      guardOfTopic(user),
    ])
  }
}

/** What can be read of a store. */
export async function stateOf({ store }: Side): Promise<object> {
  const logs: Record<string, unknown> = {}
  for (const log of LOGS) {
    const { head, incarnation } = await store.log.open(log)
    const entries = await store.log.read(log, 0, 1000, 1e6, 'shown')
    const notes = await Promise.all(
      KINDS.map((kind) => store.notes.list(log, { kind, targets: [0, 1000], limit: 1000 })),
    )
    const readable = entries.map(({ payload, extra, ...entry }) => ({
      ...entry,
      payload: payload.toString(),
      extra: extra && { ...extra, properties: extra.properties.toString('hex') },
    }))
    logs[log] = { head, lives: incarnation > 0, readable, notes }
  }
  const tables: Record<string, unknown> = {}
  for (const table of ['member', 'receipt', 'user', 'subscription', 'readerCursor'] as const)
    tables[table] = (await store.tables.list(table, {}))
      .filter(([key]) => !key.endsWith('\0'))
      .map(([key, value]) => [key, value.toString()])
  const queues: Record<string, unknown> = {}
  for (const id of SESSIONS) {
    const waiting = await store.queue.read(id, 0, 1000, 1e6)
    queues[id] = [
      store.queue.size(id),
      waiting.map(({ message, qos }) => [message.topic, message.payload.toString(), qos]),
    ]
  }
  const retained: string[] = []
  for await (const { topic, payload } of store.queue.retained(['#'])) retained.push(`${topic} ${payload}`)
  const { directory, subscriptions } = store
  return {
    logs,
    tables,
    queues,
    retained: retained.sort(),
    names: (await all(store.log.names())).sort(),
    marked: [...store.outbox.marked()].sort(),
    retainedBy: USERS.map((user) => store.queue.retainedBy(user)),
    members: ROOMS.map((room) => [...directory.members(room)].map(([user, { since }]) => `${user} ${since}`).sort()),
    users: await Promise.all(USERS.map(async (user) => await directory.user(user))),
    matching: TOPICS.map((topic) =>
      subscriptions
        .matching(topic)
        .map(({ clientId, topic, qos }) => `${clientId} ${topic} ${qos}`)
        .sort(),
    ),
    nonEmpty: [...store.queue.nonEmptyQueues()].sort(),
  }
}
