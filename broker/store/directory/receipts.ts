/** Receipts: one small record per user and room. */
import type { SameRecord } from '../guards.js'
import { type Op, put } from '../op.js'
import type { ReceiptRecord, ReceiptStore } from '../receipts.js'
import { keyOf } from '../tables.js'
import { PairTable, parse, type Value } from './memory-table.js'
import type { TableSlot, TableSlots } from './table-slots.js'

/** since, read, sharedRead, delivered, at; threads, or null; movedAt if that is later than `at`. */
type Stored = [number, number, number, number, number, (ReceiptRecord['threads'] | null)?, number?]

class ReceiptTable extends PairTable<ReceiptRecord> {
  /** By room: the latest `at` of its receipts since they were loaded. */
  readonly latest = new Map<string, number>()

  constructor() {
    super(read)
  }

  protected override applyTo(room: string, user: string, value: Value | null): void {
    super.applyTo(room, user, value)
    const at = this.byOwner.get(room, user)?.at ?? 0
    if (at > (this.latest.get(room) ?? 0)) this.latest.set(room, at)
  }

  override clear(room: string): void {
    super.clear(room)
    this.latest.delete(room)
  }
}

export class Receipts implements ReceiptStore {
  readonly #table: TableSlot<ReceiptTable>

  constructor(slots: TableSlots) {
    this.#table = slots.of('receipt', () => new ReceiptTable())
  }

  latest(room: string): number {
    return this.#table.now.latest.get(room) ?? 0
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

function stored({ since, read, sharedRead, delivered, at, threads, movedAt = 0 }: ReceiptRecord): string {
  const places: Stored = [since, read, sharedRead, delivered, at]
  if (movedAt > at) places.push(threads ?? null, movedAt)
  else if (threads) places.push(threads)
  return JSON.stringify(places)
}

function read(value: Value, room: string, user: string): ReceiptRecord {
  const [since, read, sharedRead, delivered, at, threads, movedAt] = parse<Stored>(value)
  const record = { room, user, since, read, sharedRead, delivered, at }
  return { ...record, ...(threads ? { threads } : {}), ...(movedAt ? { movedAt } : {}) }
}
