/**
 * Retained messages: on disk by topic; those of $SYS, which change every few seconds, in memory only. Publisher and
 * size are known from memory.
 */
import { parseTopic } from '../../../schemas/topics.js'
import type { Extra } from '../logs.js'
import { messageSize } from '../message-size.js'
import type { Op } from '../op.js'
import type { AedesPacketLike } from '../persistence.js'
import type { RetainedCut } from '../queues.js'
import { TopicTrie } from '../topic-trie.js'
import type { Database } from './database.js'
import { hourOf } from './gone.js'
import { type KeyRange, keys, partsOf, ranges } from './keys.js'
import type { StagedOp, WriteBatch } from './operation.js'
import { decodePacket, encodePacket, plainMessage } from './packet-codec.js'
import { RetainedCounts } from './retained-counts.js'
import { RetainedCuts } from './retained-cuts.js'

/** Keys read at once; between pages the reader yields to the event loop. */
const PAGE = 256

export class Retained {
  readonly counts = new RetainedCounts()
  readonly #database: Database
  readonly #sys = new Map<string, AedesPacketLike>()
  readonly #cuts = new RetainedCuts()

  constructor(database: Database) {
    this.#database = database
  }

  /** Sets the retained message of a topic; an empty payload clears it [MQTT-3.3.1-10]. */
  op(packet: AedesPacketLike): StagedOp {
    const topic = packet.topic ?? ''
    const empty = !packet.payload || packet.payload.length === 0
    if (parseTopic(topic).kind === 'sys') return this.#sysOp(topic, empty ? null : { ...packet })
    return empty ? this.#clearingOp(topic) : this.#settingOp(topic, packet)
  }

  #clearingOp(topic: string): StagedOp {
    const stage = (batch: WriteBatch): void => {
      this.#cuts.note(topic)
      batch.del(keys.retained(topic))
      this.counts.delete(topic)
    }
    return { type: 'staged', stage }
  }

  #settingOp(topic: string, packet: AedesPacketLike): StagedOp {
    const { expiresAt = 0 } = (packet.extra ?? {}) as Partial<Extra>
    const value = encodePacket(packet)
    const owner = ownerOf(packet)
    const bytes = sizeOf(packet)
    const release = owner === null ? null : this.counts.reserve(topic, owner, bytes)
    const stage = (batch: WriteBatch): void => {
      this.#cuts.note(topic)
      batch.put(keys.retained(topic), value)
      if (expiresAt > 0) batch.put(keys.dueRetained(hourOf(expiresAt), topic), '')
      release?.()
      if (owner === null) this.counts.delete(topic)
      else this.counts.set(topic, owner, bytes)
    }
    return release ? { type: 'staged', stage, abandoned: release } : { type: 'staged', stage }
  }

  /** Counts by a scan; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const found: [topic: string, owner: string, bytes: number][] = []
    await this.#database.scan(ranges.allRetained, (_key, value) => {
      const packet = decodePacket(value)
      const owner = ownerOf(packet)
      if (owner !== null) found.push([packet.topic!, owner, sizeOf(packet)])
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

  cut(): { op: Op; cut: RetainedCut } {
    const { cut, begin } = this.#cuts.cut()
    const op: StagedOp = { type: 'staged', stage: begin }
    return { op, cut }
  }

  /** Messages that match any of the filters, each once, each as it is when reached: one pass for all filters. */
  async *matching(filters: readonly string[]): AsyncGenerator<AedesPacketLike> {
    const wide = new TopicTrie<string>({ cacheWeight: 0 })
    const narrow = new Set<string>()
    for (const filter of filters)
      if (literalLevels(filter) === filter) narrow.add(filter)
      else wide.add(filter, filter)
    const isWanted = (topic: string): boolean => wide.match(topic).length > 0
    for (const [topic, packet] of this.#sys) if (narrow.has(topic) || isWanted(topic)) yield packet
    for (const range of rangesOf(filters.filter((filter) => !narrow.has(filter))))
      for await (const key of this.#keys(range)) if (isWanted(partsOf(key)[0]!)) yield* this.#at(key)
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

  async *#at(key: string): AsyncGenerator<AedesPacketLike> {
    const value = await this.#database.get(key)
    if (value) yield decodePacket(value)
  }

  #sysOp(topic: string, packet: AedesPacketLike | null): StagedOp {
    const applied = (): void => {
      if (packet) this.#sys.set(topic, packet)
      else this.#sys.delete(topic)
    }
    return { type: 'staged', stage: () => this.#cuts.note(topic), applied }
  }
}

/** The levels of a filter before the first wildcard. */
function literalLevels(filter: string): string {
  const levels = filter.split('/')
  const wildcard = levels.findIndex((level) => level === '+' || level === '#')
  return wildcard === -1 ? filter : levels.slice(0, wildcard).join('/')
}

/** Disjoint key ranges that cover all filters with wildcards: the topics below their literal levels. */
function rangesOf(filters: readonly string[]): KeyRange[] {
  const found: KeyRange[] = []
  let last: string | null = null
  for (const levels of [...new Set(filters.map(literalLevels))].sort(bySlash)) {
    if (levels === '') return [ranges.allRetained]
    if (last !== null && levels.startsWith(`${last}/`)) continue
    last = levels
    found.push(ranges.retainedBelow(levels))
  }
  return found
}

/** Sorts such that a topic is directly followed by those below it. */
function bySlash(one: string, other: string): number {
  const [a, b] = [one.replaceAll('/', '\0'), other.replaceAll('/', '\0')]
  return a < b ? -1 : a > b ? 1 : 0
}

/** The publishing user, with which session ids begin. Null: the broker itself. */
function ownerOf({ clientId }: AedesPacketLike): string | null {
  const end = clientId?.indexOf('/') ?? -1
  return end > 0 ? clientId!.slice(0, end) : null
}

function sizeOf(packet: AedesPacketLike): number {
  return messageSize(plainMessage(packet))
}
