/** Bots, by their owner and by their slash commands. */
import type { BotRecord, BotRecords } from '../bots.js'
import { type Op, put, wipe } from '../op.js'
import { keyOf, ownerOf } from '../tables.js'
import { type MemoryTable, parse, type Value } from './memory-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

class BotTable implements MemoryTable {
  readonly records = new Map<string, BotRecord>()
  readonly owned = new Map<string, BotRecord[]>()
  readonly byCommand = new Map<string, BotRecord[]>()

  apply(key: string, value: Value | null): void {
    this.clear(ownerOf(key))
    if (value === null) return
    const record = parse<BotRecord>(value)
    this.records.set(record.bot, record)
    insert(this.owned, record.owner, record)
    for (const { name } of record.commands) insert(this.byCommand, name, record)
  }

  clear(bot: string): void {
    const record = this.records.get(bot)
    if (!record) return
    this.records.delete(bot)
    remove(this.owned, record.owner, record)
    for (const { name } of record.commands) remove(this.byCommand, name, record)
  }
}

export class Bots implements BotRecords {
  readonly #table: TableSlot<BotTable>
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(slots: TableSlots, reads: Reads | null) {
    this.#reads = reads
    this.#table = slots.of('bot', () => new BotTable())
  }

  get(bot: string): BotRecord | undefined {
    this.#reads?.record('bot', keyOf(bot))
    return this.#table.now.records.get(bot)
  }

  ofOwner(owner: string): readonly BotRecord[] {
    return this.#table.now.owned.get(owner) ?? []
  }

  byCommand(command: string): readonly BotRecord[] {
    return this.#table.now.byCommand.get(command) ?? []
  }

  putOp(record: BotRecord): Op {
    return put('bot', keyOf(record.bot), JSON.stringify(record))
  }

  deleteOp(bot: string): Op {
    return wipe('bot', keyOf(bot))
  }
}

/** In the order of creation. */
function insert(map: Map<string, BotRecord[]>, key: string, record: BotRecord): void {
  const all = [...(map.get(key) ?? []), record]
  map.set(
    key,
    all.sort((a, b) => a.createdAt - b.createdAt || (a.bot < b.bot ? -1 : 1)),
  )
}

function remove(map: Map<string, BotRecord[]>, key: string, record: BotRecord): void {
  const rest = (map.get(key) ?? []).filter((other) => other !== record)
  if (rest.length > 0) map.set(key, rest)
  else map.delete(key)
}
