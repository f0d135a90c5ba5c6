/** Takes over what an Aedes kept: retained messages, sessions with what waits for them, and wills. */
import { isClientId, isUserId, SYSTEM } from '../../../schemas/ids.js'
import { parseFilter, parseTopic } from '../../../schemas/topics.js'
import type { Enqueued, StoreError } from '../changes.js'
import type { Op } from '../op.js'
import type { QoS } from '../qos.js'
import { enqueueOp, retainOp } from '../queue-ops.js'
import type { PlainMessage } from '../queues.js'
import type { SavedInflight, SessionRecord } from '../sessions.js'
import type { Store } from '../store.js'
import type { StoredSubscription } from '../subscription.js'
import { TopicTrie } from '../topic-trie.js'
import type { StockContents, StockLimits, StockMessage, StockSession, StockWill } from './stock.js'

/** What was taken over, and what was not and why, by the words of the report. */
export class TakenOver {
  readonly taken = new Map<string, number>()
  readonly left = new Map<string, number>()

  take(what: string, count = 1): void {
    if (count > 0) this.taken.set(what, (this.taken.get(what) ?? 0) + count)
  }

  leave(what: string, why: string, count = 1): void {
    const key = `${what}: ${why}`
    if (count > 0) this.left.set(key, (this.left.get(key) ?? 0) + count)
  }
}

export interface TakeOverOptions {
  /** The user that a client of the Aedes is from now on; null: none, and nothing of it is taken over. */
  readonly userOf: (clientId: string) => string | null
  /** Seconds for which sessions are kept. */
  readonly expiry: number
  /** Of a queue. */
  readonly limits: StockLimits
  /** Bytes of a client id. */
  readonly clientIdBytes: number
  readonly told: (result: TakenOver) => void
  /** Unix ms. */
  readonly now?: () => number
}

const THERE = 'there is one already'
const RESERVED = 'topics that begin with rooms, users, devices, broadcast or $ mean something else here'
const NO_USER = 'its client is no user, or has an id that cannot be used'

/** What is there already stays as it is, so it may be run again. */
export async function takeOver(from: StockContents, to: Store, options: TakeOverOptions): Promise<TakenOver> {
  const work = new TakeOver(to, options)
  for await (const session of from.sessions(options.limits)) await work.session(session)
  for await (const message of from.retained()) await work.retained(message)
  await to.persistence.setup({ id: 'aedes' })
  for await (const will of from.wills()) await work.will(will)
  return work.result
}

class TakeOver {
  readonly result = new TakenOver()
  readonly #store: Store
  readonly #options: TakeOverOptions

  constructor(store: Store, options: TakeOverOptions) {
    this.#store = store
    this.#options = options
  }

  /** With all that belongs to it, in one commit. */
  async session({ clientId, subscriptions, queue, beyond, releases, incoming }: StockSession): Promise<void> {
    const { result } = this
    const record = this.#recordOf(clientId)
    if (!record) return result.leave('session', NO_USER)
    if (await this.#store.sessions.isKept(record.id)) return result.leave('session', THERE)
    const wanted = subscriptions.filter(({ topic }) => isOurs(topic))
    const messages = queue.filter((message): message is StockMessage => message !== null && isPlain(message.topic))
    const { sessions } = this.#store
    const qosOf = grantedQos(wanted)
    const ops: Op[] = [
      sessions.recordOp(record),
      ...sessions.subscribeOps(record.id, wanted),
      ...sessions.inflightOps(record.id, releases.map(release)),
      ...incoming.map((packetId) => sessions.incomingOp(record.id, packetId)),
      ...messages.map((message) => enqueueOp(plain(message), [{ sessionId: record.id, qos: qosOf(message.topic) }])),
    ]
    const taken = (await this.#commit(ops)).filter(({ sessions }) => sessions.length > 0).length
    result.take('session')
    result.take('subscription', wanted.length)
    result.take('queued message', taken)
    result.take('PUBREL that is due', releases.length)
    result.take('PUBREL that is awaited', incoming.length)
    result.leave('subscription', RESERVED, subscriptions.length - wanted.length)
    const gone = queue.filter((message) => message === null).length
    result.leave('queued message', 'it had expired', gone)
    result.leave('queued message', RESERVED, queue.length - gone - messages.length)
    result.leave(
      'queued message',
      'the queue is full (limits.queueMessages, limits.queueBytes)',
      beyond + messages.length - taken,
    )
    this.#options.told(result)
  }

  async retained(message: StockMessage): Promise<void> {
    const { result } = this
    if (!isPlain(message.topic)) return result.leave('retained message', RESERVED)
    for await (const { topic } of this.#store.queue.retained([message.topic]))
      if (topic === message.topic) return result.leave('retained message', THERE)
    await this.#commit([retainOp({ ...plain(message), retain: true })])
    result.take('retained message')
    this.#options.told(result)
  }

  /** Its broker is gone, so it is published when a broker starts. */
  async will({ clientId, message }: StockWill): Promise<void> {
    const { result } = this
    const record = this.#recordOf(clientId)
    if (!record) return result.leave('will', NO_USER)
    if (!isPlain(message.topic)) return result.leave('will', RESERVED)
    const { persistence } = this.#store
    if (await persistence.getWill(record)) return result.leave('will', THERE)
    const { id, user } = record
    await this.#commit([persistence.putWillOp({ id }, { cmd: 'publish', ...message, user, roles: [] })])
    result.take('will')
  }

  #recordOf(clientId: string): SessionRecord | null {
    const { userOf, expiry, clientIdBytes, now = Date.now } = this.#options
    const user = userOf(clientId)
    const isUsable = clientId !== '' && isClientId(clientId) && Buffer.byteLength(clientId) <= clientIdBytes
    if (user === null || user === SYSTEM || !isUserId(user) || !isUsable) return null
    const at = now()
    return { id: `${user}/${clientId}`, user, clientId, createdAt: at, disconnectedAt: at, expiry, login: null }
  }

  #commit(ops: readonly Op[]): Promise<readonly Enqueued[]> {
    return new Promise((resolve, reject) => {
      const settled = (error: StoreError | null, _: unknown, enqueued: readonly Enqueued[] = []): void =>
        error ? reject(error) : resolve(enqueued)
      this.#store.commit({ drafts: [], ops, settled })
    })
  }
}

/** Of the broker itself: whoever published it is not known. */
function plain({ topic, payload, qos }: StockMessage): PlainMessage {
  return { topic, payload, qos, retain: false, clientId: null }
}

/** By topic: the highest QoS of the filters that match. What they do not match was queued by one that is not there any more. */
function grantedQos(subscriptions: readonly StoredSubscription[]): (topic: string) => QoS {
  const filters = new TopicTrie<QoS>()
  for (const { topic, qos } of subscriptions) filters.add(topic, qos)
  return (topic) => {
    const granted = filters.match(topic)
    return granted.length === 0 ? 1 : (Math.max(...granted) as QoS)
  }
}

function release(packetId: number): SavedInflight {
  return { packetId, source: '', seq: 0, qos: 2, released: true }
}

function isPlain(topic: string): boolean {
  return parseTopic(topic).kind === 'plain'
}

function isOurs(filter: StoredSubscription['topic']): boolean {
  const parsed = parseFilter(filter)
  return (parsed.kind === 'shared' ? parsed.of : parsed).kind === 'plain'
}
