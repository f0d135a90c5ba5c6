/**
 * Retained messages: on disk by topic; those of $SYS, which change every few seconds, in memory only. Whose they are and how large is known
 * from memory.
 */
import { filterMatches, parseTopic } from '../../../schemas/topics.js'
import { messageSize } from '../message-size.js'
import type { AedesPacketLike, Extra } from '../store.js'
import type { Database } from './database.js'
import { hourOf } from './gone.js'
import { type KeyRange, keys, partsOf, ranges } from './keys.js'
import type { StagedOp, WriteBatch } from './operation.js'
import { decodePacket, encodePacket, plainMessage } from './packet-codec.js'
import { RetainedCounts } from './retained-counts.js'

export class Retained {
  readonly counts = new RetainedCounts()
  readonly #database: Database
  readonly #sys = new Map<string, AedesPacketLike>()

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
      batch.put(keys.retained(topic), value)
      if (expiresAt > 0) batch.put(keys.dueRetained(hourOf(expiresAt), topic), '')
      release?.()
      if (owner === null) this.counts.delete(topic)
      else this.counts.set(topic, owner, bytes)
    }
    return release ? { type: 'staged', stage, abandoned: release } : { type: 'staged', stage }
  }

  /** Counts what is there by a scan; what it returns makes that what memory says, at once. */
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

  /** It has expired, and is off the disk. */
  expired(key: string): void {
    this.counts.delete(partsOf(key)[0]!)
  }

  /** Those that match any of the filters, each once. */
  async *matching(filters: readonly string[]): AsyncGenerator<AedesPacketLike> {
    for (const [topic, packet] of this.#sys) if (filters.some((filter) => filterMatches(filter, topic))) yield packet
    for (let i = 0; i < filters.length; i++) {
      const earlier = filters.slice(0, i)
      for await (const packet of this.#stored(filters[i]!))
        if (!earlier.some((filter) => filterMatches(filter, packet.topic!))) yield packet
    }
  }

  async *#stored(filter: string): AsyncGenerator<AedesPacketLike> {
    const range = rangeOf(filter)
    if (!range) {
      const value = await this.#database.get(keys.retained(filter))
      if (value) yield decodePacket(value)
      return
    }
    for await (const [, value] of this.#database.entries(range)) {
      const packet = decodePacket(value)
      if (filterMatches(filter, packet.topic!)) yield packet
    }
  }

  #sysOp(topic: string, packet: AedesPacketLike | null): StagedOp {
    const applied = (): void => {
      if (packet) this.#sys.set(topic, packet)
      else this.#sys.delete(topic)
    }
    return { type: 'staged', stage: () => undefined, applied }
  }
}

/** The keys that a filter with wildcards can match: those below its literal levels. */
function rangeOf(filter: string): KeyRange | null {
  const levels = filter.split('/')
  const wildcard = levels.findIndex((level) => level === '+' || level === '#')
  if (wildcard === -1) return null
  return wildcard === 0 ? ranges.allRetained : ranges.retainedBelow(levels.slice(0, wildcard).join('/'))
}

/** The name of who published it: session ids begin with it. Null: nobody, or the broker itself. */
function ownerOf({ clientId }: AedesPacketLike): string | null {
  const end = clientId?.indexOf('/') ?? -1
  return end > 0 ? clientId!.slice(0, end) : null
}

function sizeOf(packet: AedesPacketLike): number {
  return messageSize(plainMessage(packet))
}
