/**
 * Retained messages: a hash, and an index of their topics. Publisher and size are in memory; those of $SYS, which each node publishes of itself, are in the
 * memory of the node only.
 */
import { setImmediate as turn } from 'node:timers/promises'
import { isSysTopic } from '../../../schemas/topics.js'
import type { CutOp, RetainOp } from '../op.js'
import { decodeMessage } from '../packet-codec.js'
import type { PlainMessage, RetainedCut } from '../queues.js'
import { RetainedCounts } from '../retained-counts.js'
import { RetainedCuts } from '../retained-cuts.js'
import { retainedSearch } from '../retained-search.js'
import type { QueueEvent } from './events.js'
import type { Keys } from './keys.js'
import type { Reader } from './reader.js'

/** Ms to wait for what is on its way. */
const PATIENCE = 5000

type RetainedEvent = Extract<QueueEvent, { topic: string }>

export class Retained {
  readonly counts = new RetainedCounts()
  readonly #reader: Reader
  readonly #keys: Keys
  readonly #sys = new Map<string, PlainMessage>()
  readonly #cuts = new RetainedCuts()
  /** Position of the last message that was retained or cleared, as memory has it. */
  #reached = 0
  /** By cut: its position in the store. */
  readonly #positions = new Map<number, number>()

  constructor(reader: Reader, keys: Keys) {
    this.#reader = reader
    this.#keys = keys
  }

  /** Reads the counts; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const found: [topic: string, owner: string, bytes: number][] = []
    let newest = 0
    for await (const page of this.#reader.hashPages(this.#keys.retainedFacts))
      for (const [topic, value] of page) {
        const [owner, bytes, position] = value.toString().split('\0') as [string, string, string]
        newest = Math.max(newest, Number(position))
        if (owner !== '') found.push([topic, owner, Number(bytes)])
      }
    return () => {
      this.#reached = newest
      this.counts.clear()
      for (const one of found) this.counts.set(...one)
    }
  }

  apply(event: RetainedEvent): void {
    this.#cuts.note(event.topic)
    this.#reached = Math.max(this.#reached, event.at)
    if (event.type === 'retained' && event.owner !== '') this.counts.set(event.topic, event.owner, event.bytes)
    else this.counts.delete(event.topic)
  }

  /** A retained message of $SYS was set or cleared here. */
  applySys({ topic, packet }: RetainOp): void {
    if (!isSysTopic(topic)) return
    this.#cuts.note(topic)
    if (packet) this.#sys.set(topic, decodeMessage(packet))
    else this.#sys.delete(topic)
  }

  cut(): { op: CutOp; cut: RetainedCut } {
    const cut = this.#cuts.cut()
    const { id } = cut
    const end = (): void => {
      this.#positions.delete(id)
      cut.end()
    }
    const ending: RetainedCut = {
      id,
      replaced: (topic) => cut.replaced(topic),
      get complete() {
        return cut.complete
      },
      end,
    }
    return { op: { type: 'cut', cut: id }, cut: ending }
  }

  /** The cut takes this position, between the events before and behind it. */
  begin(id: number, position: number): void {
    this.#cuts.begin(id)
    if (this.#cuts.get(id)) this.#positions.set(id, position)
  }

  /** See WordSources.cutAt. A topic of $SYS is known here only. */
  cutAt(topic: string, cuts: readonly number[]): number | null {
    const positions = cuts.map((cut) => this.#positions.get(cut))
    if (isSysTopic(topic) || positions.length === 0 || positions.includes(undefined)) return null
    return Math.max(...(positions as number[]))
  }

  isReplacedHere(topic: string, cuts: readonly number[]): boolean {
    return isSysTopic(topic) && cuts.length > 0 && cuts.every((cut) => this.#cuts.get(cut)?.replaced(topic) ?? false)
  }

  async *matching(filters: readonly string[]): AsyncGenerator<PlainMessage> {
    const { isWanted, narrow, prefixes } = retainedSearch(filters)
    for (const [topic, message] of this.#sys) if (narrow.has(topic) || isWanted(topic)) yield message
    for (const prefix of prefixes) for await (const page of this.#topics(prefix)) yield* this.#at(page.filter(isWanted))
    yield* this.#at([...narrow].filter((topic) => !isWanted(topic)))
  }

  /** Topics that are, or are below, these levels. */
  async *#topics(levels: string): AsyncGenerator<string[]> {
    if (levels === '') return yield* this.#reader.sortedPages(this.#keys.retainedTopics, {})
    yield [levels]
    yield* this.#reader.sortedPages(this.#keys.retainedTopics, { gte: `${levels}/`, lt: `${levels}0` })
  }

  async *#at(topics: readonly string[]): AsyncGenerator<PlainMessage> {
    for (const topic of topics) {
      const value = await this.#reader.hashField(this.#keys.retained, topic)
      if (!value) continue
      const { position, packet } = readRetained(value)
      // Until memory has it, no cut says that it was replaced.
      const deadline = performance.now() + PATIENCE
      while (position > this.#reached && performance.now() < deadline) await turn()
      yield decodeMessage(packet)
    }
  }
}

export function readRetained(value: Buffer): { readonly position: number; readonly packet: Buffer } {
  const end = value.indexOf(0)
  return { position: Number(value.toString('latin1', 0, end)), packet: value.subarray(end + 1) }
}
