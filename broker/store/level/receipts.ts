/**
 * Receipts: one small key per user and room, loaded at the start and kept in memory, which is updated after the disk.
 */
import type { Op } from '../op.js'
import type { ReceiptRecord, ReceiptStore } from '../receipts.js'
import type { Database } from './database.js'
import { keys, partsOf, ranges } from './keys.js'
import { NestedMap } from './nested-map.js'
import { put, type WriteBatch } from './operation.js'

/** since, read, sharedRead, delivered, at; threads if there are any. */
type Stored = [number, number, number, number, number, ReceiptRecord['threads']?]

export class LevelReceipts implements ReceiptStore {
  readonly #database: Database
  /** By room and user. */
  #receipts = new NestedMap<ReceiptRecord>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Reads everything; the function returned replaces what is in memory, synchronously. */
  async load(): Promise<() => void> {
    const receipts = new NestedMap<ReceiptRecord>()
    await this.#database.scan(ranges.allReceipts, (key, value) => {
      const [room, user] = partsOf(key) as [string, string]
      const [since, read, sharedRead, delivered, at, threads] = JSON.parse(value.toString()) as Stored
      const more = threads ? { threads } : {}
      receipts.set(room, user, { room, user, since, read, sharedRead, delivered, at, ...more })
    })
    return () => {
      this.#receipts = receipts
    }
  }

  get(room: string, user: string): ReceiptRecord | undefined {
    return this.#receipts.get(room, user)
  }

  putOp(record: ReceiptRecord): Op {
    const { room, user, since, read, sharedRead, delivered, at, threads } = record
    const places: Stored = [since, read, sharedRead, delivered, at]
    const value = JSON.stringify(threads ? [...places, threads] : places)
    return put(keys.receipt(room, user), value, () => this.#receipts.set(room, user, record))
  }

  /** A receipt is deleted with its membership, in the same batch. */
  stageDelete(batch: WriteBatch, room: string, user: string): void {
    batch.del(keys.receipt(room, user))
  }

  deleted(room: string, user: string): void {
    this.#receipts.delete(room, user)
  }

  deletedAll(room: string): void {
    this.#receipts.deleteAll(room)
  }
}
