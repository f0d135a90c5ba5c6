/** Bots: loaded at the start and kept in memory, which is updated after the disk. */

import type { BotRecord, BotRecords } from '../bots.js'
import type { Op } from '../op.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import { put, wipe } from './operation.js'

export class LevelBots implements BotRecords {
  readonly #database: Database
  #bots = new Map<string, BotRecord>()
  /** By owner, and by name of a slash command. */
  #owned = new Map<string, BotRecord[]>()
  #byCommand = new Map<string, BotRecord[]>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Reads everything; the function returned replaces what is in memory. */
  async load(): Promise<() => void> {
    const bots = new Map<string, BotRecord>()
    await this.#database.scan(ranges.bots, (_, value) => {
      const record = JSON.parse(value.toString()) as BotRecord
      bots.set(record.bot, record)
    })
    return () => {
      this.#bots = bots
      this.#index()
    }
  }

  get(bot: string): BotRecord | undefined {
    return this.#bots.get(bot)
  }

  ofOwner(owner: string): readonly BotRecord[] {
    return this.#owned.get(owner) ?? []
  }

  byCommand(command: string): readonly BotRecord[] {
    return this.#byCommand.get(command) ?? []
  }

  putOp(record: BotRecord): Op {
    const kept = structuredClone(record)
    return put(keys.bot(record.bot), JSON.stringify(kept), () => this.#changed(kept.bot, kept))
  }

  deleteOp(bot: string): Op {
    return { ...wipe(keys.bot(bot), Date.now()), applied: () => this.#changed(bot, null) }
  }

  #changed(bot: string, record: BotRecord | null): void {
    const before = this.#bots.get(bot)
    if (before) this.#forget(before)
    if (record) this.#keep(record)
  }

  #keep(record: BotRecord): void {
    this.#bots.set(record.bot, record)
    insert(this.#owned, record.owner, record)
    for (const { name } of record.commands) insert(this.#byCommand, name, record)
  }

  #forget(record: BotRecord): void {
    this.#bots.delete(record.bot)
    remove(this.#owned, record.owner, record)
    for (const { name } of record.commands) remove(this.#byCommand, name, record)
  }

  #index(): void {
    this.#owned = new Map()
    this.#byCommand = new Map()
    for (const record of this.#bots.values()) this.#keep(record)
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
