/** Rooms, also by their lower case. */
import { ROOM_DEFAULTS, type RoomRecord } from '../rooms.js'
import { ownerOf } from '../tables.js'
import { type MemoryTable, parse, type Value } from './memory-table.js'

const DEFAULTS = Object.entries(ROOM_DEFAULTS)

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
    this.records.set(id, read(value))
  }

  clear(id: string): void {
    const others = this.like(id).filter((other) => other !== id)
    if (others.length > 0) this.#ids.set(id.toLowerCase(), others)
    else this.#ids.delete(id.toLowerCase())
    this.records.delete(id)
  }
}

/** What a record of an earlier version lacks is filled in: a copy of so many properties would take more than twice the memory, and five times as long. */
function read(value: Value): RoomRecord {
  const record = parse<RoomRecord>(value)
  for (const [name, preset] of DEFAULTS) if (!(name in record)) Object.assign(record, { [name]: preset })
  return record
}
