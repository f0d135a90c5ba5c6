/** Retained messages: on disk by topic; those of $SYS, which change every few seconds, in memory only. */
import { filterMatches, parseTopic } from '../../../schemas/topics.js'
import type { AedesPacketLike, Extra } from '../store.js'
import type { Database } from './database.js'
import { hourOf } from './gone.js'
import { type KeyRange, keys, ranges } from './keys.js'
import { del, type LevelOp, put, type StagedOp, type WriteBatch } from './operation.js'
import { decodePacket, encodePacket } from './packet-codec.js'

export class Retained {
  readonly #database: Database
  readonly #sys = new Map<string, AedesPacketLike>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Sets the retained message of a topic; an empty payload clears it [MQTT-3.3.1-10]. */
  op(packet: AedesPacketLike): LevelOp {
    const topic = packet.topic ?? ''
    const empty = !packet.payload || packet.payload.length === 0
    if (parseTopic(topic).kind === 'sys') return this.#sysOp(topic, empty ? null : { ...packet })
    if (empty) return del(keys.retained(topic))
    const { expiresAt = 0 } = (packet.extra ?? {}) as Partial<Extra>
    const value = encodePacket(packet)
    return expiresAt > 0 ? this.#expiringOp(topic, value, expiresAt) : put(keys.retained(topic), value)
  }

  #expiringOp(topic: string, value: Buffer, expiresAt: number): StagedOp {
    const stage = (batch: WriteBatch): void => {
      batch.put(keys.retained(topic), value)
      batch.put(keys.dueRetained(hourOf(expiresAt), topic), '')
    }
    return { type: 'staged', stage }
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
