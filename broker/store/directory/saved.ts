import { clear, type Op, put, wipe } from '../op.js'
import type { SavedRecord, SavedStore } from '../saved.js'
import { keyOf, numberPart, type Tables } from '../tables.js'
import { readRange, readRecord } from './on-demand.js'

const TABLE = 'saved'
/** In place of a room. */
const COUNT = ''

export class Saved implements SavedStore {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
  }

  get(user: string, room: string, seq: number): Promise<SavedRecord | null> {
    return readRecord(this.#tables, TABLE, recordKey(user, room, seq))
  }

  list(user: string, room: string | null): Promise<SavedRecord[]> {
    if (room !== null) return readRange(this.#tables, TABLE, { prefix: keyOf(user, room, '') })
    return readRange(this.#tables, TABLE, { owner: user, after: keyOf(user, COUNT) })
  }

  async count(user: string): Promise<number> {
    return (await readRecord(this.#tables, TABLE, keyOf(user, COUNT))) ?? 0
  }

  countOp(user: string, count: number): Op {
    return put(TABLE, keyOf(user, COUNT), String(count))
  }

  putOp(user: string, record: SavedRecord): Op {
    return { ...put(TABLE, recordKey(user, record.room, record.seq), JSON.stringify(record)), wipe: true }
  }

  deleteOp(user: string, room: string, seq: number): Op {
    return wipe(TABLE, recordKey(user, room, seq))
  }

  clearOp(user: string): Op {
    return { ...clear(TABLE, user), wipe: true }
  }
}

function recordKey(user: string, room: string, seq: number): string {
  return keyOf(user, room, numberPart(seq))
}
