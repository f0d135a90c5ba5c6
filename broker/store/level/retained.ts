/**
 * Retained messages: on disk by topic; those of $SYS, which change every few seconds, in memory only. Publisher and
 * size are known from memory.
 */
import { isSysTopic } from '../../../schemas/topics.js'
import { numbered } from '../body.js'
import type { Draft } from '../changes.js'
import { hourOf } from '../gone.js'
import { messageSize } from '../message-size.js'
import type { CutOp, RetainOp } from '../op.js'
import { decodeMessage } from '../packet-codec.js'
import { publisherOf, retainOp } from '../queue-ops.js'
import type { PlainMessage, RetainedCut } from '../queues.js'
import { RetainedCounts } from '../retained-counts.js'
import { RetainedCuts } from '../retained-cuts.js'
import { retainedSearch } from '../retained-search.js'
import type { Database } from './database.js'
import { type KeyRange, keys, partsOf, ranges } from './keys.js'
import type { WriteBatch } from './operation.js'

/** Keys read at once; between pages the reader yields to the event loop. */
const PAGE = 256

export class Retained {
  readonly counts = new RetainedCounts()
  readonly #database: Database
  readonly #sys = new Map<string, PlainMessage>()
  readonly #cuts = new RetainedCuts()

  constructor(database: Database) {
    this.#database = database
  }

  stage(op: RetainOp | CutOp, batch: WriteBatch): void {
    if (op.type === 'cut') return this.#cuts.begin(op.cut)
    const { topic, packet, owner, bytes, expiresAt } = op
    this.#cuts.note(topic)
    if (isSysTopic(topic)) return
    if (packet) batch.put(keys.retained(topic), packet)
    else batch.del(keys.retained(topic))
    if (packet && expiresAt > 0) batch.put(keys.dueRetained(hourOf(expiresAt), topic), '')
    if (owner === null) this.counts.delete(topic)
    else this.counts.set(topic, owner, bytes)
  }

  /** Sets the retained message of a topic to the entry that a draft becomes. */
  stageEntry(topic: string, { body, extra = null }: Draft, seq: number, batch: WriteBatch): void {
    const message = { topic, payload: numbered(body, seq), qos: 1, retain: true, clientId: null, extra } as const
    this.stage(retainOp(message), batch)
  }

  applied({ topic, packet }: RetainOp): void {
    if (!isSysTopic(topic)) return
    if (packet) this.#sys.set(topic, decodeMessage(packet))
    else this.#sys.delete(topic)
  }

  /** Whether a retained message was replaced after all of the cuts, in commits or in the one that is being built. */
  wasReplaced(topic: string, cuts: readonly number[]): boolean {
    return cuts.length > 0 && cuts.every((cut) => this.#cuts.get(cut)?.replaced(topic) ?? false)
  }

  /** Counts by a scan; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const found: [topic: string, owner: string, bytes: number][] = []
    await this.#database.scan(ranges.allRetained, (_key, value) => {
      const message = decodeMessage(value)
      const owner = publisherOf(message)
      if (owner !== null) found.push([message.topic, owner, messageSize(message)])
    })
    return () => {
      this.counts.clear()
      for (const kept of found) this.counts.set(...kept)
    }
  }

  /** The message has expired and is off the disk. */
  expired(key: string): void {
    this.counts.delete(partsOf(key)[0]!)
  }

  cut(): { op: CutOp; cut: RetainedCut } {
    const cut = this.#cuts.cut()
    return { op: { type: 'cut', cut: cut.id }, cut }
  }

  /** Messages that match any of the filters, each once, each as it is when reached: one pass for all filters. */
  async *matching(filters: readonly string[]): AsyncGenerator<PlainMessage> {
    const { isWanted, narrow, prefixes } = retainedSearch(filters)
    for (const [topic, message] of this.#sys) if (narrow.has(topic) || isWanted(topic)) yield message
    for (const prefix of prefixes) {
      const range = prefix === '' ? ranges.allRetained : ranges.retainedBelow(prefix)
      for await (const key of this.#keys(range)) if (isWanted(partsOf(key)[0]!)) yield* this.#at(key)
    }
    for (const topic of narrow) if (!isWanted(topic)) yield* this.#at(keys.retained(topic))
  }

  /** Each page is read with an iterator of its own, so that a slow reader holds no snapshot. */
  async *#keys(range: KeyRange): AsyncGenerator<string> {
    for (let { gte } = range; ; ) {
      const page = await this.#database.someKeys({ gte, lt: range.lt }, PAGE)
      if (page.length === 0) return
      yield* page
      gte = keys.behind(page[page.length - 1]!)
    }
  }

  async *#at(key: string): AsyncGenerator<PlainMessage> {
    const value = await this.#database.get(key)
    if (value) yield decodeMessage(value)
  }
}
