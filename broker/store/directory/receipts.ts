/** Receipts: one small record per user and room. */
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

  putOp({ room, user, since, read, sharedRead, delivered, at, threads }: ReceiptRecord): Op {
    const places: Stored = [since, read, sharedRead, delivered, at]
    return put('receipt', keyOf(room, user), JSON.stringify(threads ? [...places, threads] : places))
  }
}

function read(value: Value, room: string, user: string): ReceiptRecord {
  const [since, read, sharedRead, delivered, at, threads] = parse<Stored>(value)
  const record = { room, user, since, read, sharedRead, delivered, at }
  return threads ? { ...record, threads } : record
}
