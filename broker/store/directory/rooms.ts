/** Rooms, also by their lower case. */
import { ROOM_DEFAULTS, type RoomRecord } from '../rooms.js'
import { ownerOf } from '../tables.js'
import { type MemoryTable, parse, type Value } from './memory-table.js'

export class RoomTable implements MemoryTable {
  readonly records = new Map<string, RoomRecord>()
  /** Ids by their lower case. */
  readonly #ids = new Map<string, readonly string[]>()

  like(id: string): readonly string[] {
    return this.#ids.get(id.toLowerCase()) ?? []
  }

  apply(key: string, value: Value | null): void {
    const id = ownerOf(key)
    if (value === null) return this.clear(id)
    if (!this.records.has(id)) this.#ids.set(id.toLowerCase(), [...this.like(id), id])
    this.records.set(id, { ...ROOM_DEFAULTS, ...parse<RoomRecord>(value) })
  }

  clear(id: string): void {
    const others = this.like(id).filter((other) => other !== id)
    if (others.length > 0) this.#ids.set(id.toLowerCase(), others)
    else this.#ids.delete(id.toLowerCase())
    this.records.delete(id)
  }
}
