/** Receipts: one small record per user and room. */
import type { SameRecord } from '../guards.js'
import { type Op, put } from '../op.js'
import type { ReceiptRecord, ReceiptStore } from '../receipts.js'
import { keyOf } from '../tables.js'
import { PairTable, parse, type Value } from './memory-table.js'
import type { TableSlot, TableSlots } from './table-slots.js'

/** since, read, sharedRead, delivered, at; threads if there are any. */
type Stored = [number, number, number, number, number, ReceiptRecord['threads']?]

export class Receipts implements ReceiptStore {
  readonly #table: TableSlot<PairTable<ReceiptRecord>>

  constructor(slots: TableSlots) {
    this.#table = slots.of('receipt', () => new PairTable(read))
  }

  get(room: string, user: string): ReceiptRecord | undefined {
    return this.#table.now.byOwner.get(room, user)
  }

  putOp(record: ReceiptRecord): Op {
    return put('receipt', keyOf(record.room, record.user), stored(record))
  }

  same(room: string, user: string): SameRecord {
    const record = this.get(room, user)
    return { table: 'receipt', key: keyOf(room, user), value: record ? stored(record) : null }
  }
}

function stored({ since, read, sharedRead, delivered, at, threads }: ReceiptRecord): string {
  const places: Stored = [since, read, sharedRead, delivered, at]
  return JSON.stringify(threads ? [...places, threads] : places)
}

function read(value: Value, room: string, user: string): ReceiptRecord {
  const [since, read, sharedRead, delivered, at, threads] = parse<Stored>(value)
  const record = { room, user, since, read, sharedRead, delivered, at }
  return threads ? { ...record, threads } : record
}
