/** Queues of plain topics: references in sorted sets, payloads in a hash; what waits is in memory too. */
import { StoreError } from '../changes.js'
import { HeldQueues } from '../directory/held-queues.js'
import type { QueueLimits, QueueSize } from '../directory/queue-memory.js'
import type { Subscriptions } from '../directory/subscriptions.js'
import type { EnqueueOp, QueueTarget } from '../op.js'
import { decodeMessage } from '../packet-codec.js'
import type { QoS } from '../qos.js'
import type { Allowance, QueuedMessage, QueueReceiver } from '../queues.js'
import type { TableChange } from '../tables.js'
import type { Receivers, WordSources } from './commit-words.js'
import type { LocalStep, QueueEvent } from './events.js'
import type { Keys } from './keys.js'
import { PAGE, type Reader } from './reader.js'
import type { Retained } from './retained.js'

export class RedisQueue extends HeldQueues<Retained> {
  readonly #reader: Reader
  readonly #keys: Keys
  /** Of receivers that are connected here: to be told of what they may have missed. */
  readonly #receivers = new Map<string, QueueReceiver>()
  /** Highest number that another node queued for them, by session: since the last interval, and in it. */
  #queued = new Map<string, number>()
  #due: ReadonlyMap<string, number> = new Map()

  constructor(reader: Reader, keys: Keys, subscriptions: Subscriptions, retained: Retained, limits: QueueLimits) {
    super(subscriptions, retained, limits)
    this.#reader = reader
    this.#keys = keys
  }

  /** Reads what waits; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const found: [session: string, number: number, bytes: number][] = []
    const sessions: string[] = []
    for await (const page of this.#reader.hashPages(this.#keys.queuedBytes)) for (const [id] of page) sessions.push(id)
    for (let i = 0; i < sessions.length; i += PAGE)
      await Promise.all(
        sessions.slice(i, i + PAGE).map(async (id) => {
          for (const { number, bytes } of await this.#references(id, 0, -1)) found.push([id, number, bytes])
        }),
      )
    return () => {
      this.memory.clear()
      for (const [id, number, bytes] of found) {
        this.memory.add(id, number, bytes)
        // In their order.
        if (this.#receivers.has(id)) this.#queued.set(id, number)
      }
    }
  }

  /** Follows a commit. @param local Of one of this node, else null */
  apply(events: readonly QueueEvent[], steps: readonly LocalStep[] | null): void {
    const isOwn = steps !== null
    const local = steps ?? []
    let next = 0
    for (const event of events) {
      while (next < local.length && isBefore(local[next]!, event)) this.#step(local[next++]!)
      this.#apply(event, isOwn)
    }
    while (next < local.length) this.#step(local[next++]!)
  }

  #step(step: LocalStep): void {
    if ('retain' in step) this.kept.applySys(step.retain)
    else this.kept.begin(step.cut, step.at)
  }

  #apply(event: QueueEvent, isOwn: boolean): void {
    // What was loaded may have it already.
    if (event.type === 'queued') {
      for (const session of event.sessions) {
        if (!this.memory.has(session, event.number)) this.memory.add(session, event.number, event.bytes)
        const receiver = this.#receivers.get(session)
        if (receiver && !isOwn) this.#queued.set(session, event.number)
        receiver?.queued(event.number)
      }
    } else if (event.type === 'dequeued') this.memory.remove(event.session, event.number)
    else this.kept.apply(event)
  }

  /** For whom the messages of one request are queued if it were committed now; asked of each, in their order. */
  receivers(): WordSources['receivers'] {
    const ahead = new Map<string, QueueSize>()
    return (op, before) => this.#receiversOf(op, before, ahead)
  }

  /** @param ahead What the request queues before, by session */
  #receiversOf(op: EnqueueOp, before: readonly TableChange[], ahead: Map<string, QueueSize>): Receivers {
    const { targets, topic, publisher, bytes, copyAt } = op
    const matched = targets === null
    const match = (): readonly QueueTarget[] =>
      before.length === 0
        ? this.subscriptions.targetsOf(topic, publisher)
        : this.subscriptions.targetsAfter(before, topic, publisher)
    const found = targets ?? match()
    if (copyAt && this.kept.isReplacedHere(topic, copyAt)) return { sessions: [], qos: [], forced: [], matched }
    const sessions = found.map(({ sessionId }) => sessionId)
    const forced = sessions.map((id) => this.#takesBeyond(id, bytes, ahead) || copyAt !== undefined)
    return { sessions, qos: found.map(({ qos }) => qos), forced, matched }
  }

  /** Whether a queue has no room for a message, and its receiver may hold it all the same. */
  #takesBeyond(id: string, bytes: number, ahead: Map<string, QueueSize>): boolean {
    let before = ahead.get(id)
    if (!before) ahead.set(id, (before = { messages: 0, bytes: 0 }))
    const isWithin = this.memory.isWithin(id, bytes, before)
    const isTaken = isWithin || this.memory.takes(id, bytes, before)
    if (isTaken) {
      before.messages++
      before.bytes += bytes
    }
    return isTaken && !isWithin
  }

  override setAllowance(id: string, allowance: Allowance, receiver?: QueueReceiver): () => void {
    const remove = super.setAllowance(id, allowance)
    if (receiver) {
      this.#receivers.set(id, receiver)
      receiver.ordered()
    }
    return () => {
      remove()
      if (this.#receivers.get(id) === receiver) this.#receivers.delete(id)
    }
  }

  /** Called at intervals: reminds receivers of what others had queued for them by the time of the last call. */
  remind(): void {
    for (const [id, number] of this.#due) this.#receivers.get(id)?.missed(number)
    this.#due = this.#queued
    this.#queued = new Map()
  }

  async read(sessionId: string, after: number, limit: number, maxBytes: number): Promise<QueuedMessage[]> {
    const numbers = new Set(this.memory.after(sessionId, after, limit, maxBytes))
    if (numbers.size === 0) return []
    const references = await this.#references(sessionId, Math.min(...numbers), Math.max(...numbers))
    const wanted = references.filter(({ number }) => numbers.has(number))
    const packets = await this.#reader.hashFields(
      this.#keys.packets,
      wanted.map(({ number }) => String(number)),
    )
    const messages: QueuedMessage[] = []
    for (const [i, { number, qos }] of wanted.entries()) {
      const packet = packets[i]
      if (packet) messages.push({ number, message: decodeMessage(packet), qos })
      // Acknowledged in between, perhaps on another node.
      else if ((await this.#references(sessionId, number, number)).length > 0)
        throw new StoreError(`the queue is damaged: message ${number} is missing`)
    }
    return messages
  }

  /** @param to Negative: all */
  async #references(id: string, from: number, to: number): Promise<{ number: number; qos: QoS; bytes: number }[]> {
    const args = [this.#keys.queue(id), from, to < 0 ? '+inf' : to]
    const found = (await this.#reader.call('ZRANGEBYSCORE', args)) as Buffer[]
    return found.map((reference) => {
      const [number, qos, bytes] = reference.toString().split(' ').map(Number) as [number, QoS, number]
      return { number, qos, bytes }
    })
  }
}

function isBefore(step: LocalStep, event: QueueEvent): boolean {
  return 'retain' in step || ('at' in event && step.at < event.at)
}
