/** The batch that a commit is written in, and how ops of tables are staged. */
import type { Enqueued } from '../changes.js'
import type { Guard } from '../guards.js'
import type { LogName } from '../log-name.js'
import type { ClearOp, TableOp } from '../op.js'
import type { TableChange } from '../tables.js'
import { type KeyRange, keys } from './keys.js'
import { recordKey, recordRange } from './record-keys.js'

/** Ordered writes of one atomic step; a later one on the same key wins. */
export class WriteBatch {
  readonly #keys: string[] = []
  /** Parallel to the keys; null deletes. */
  readonly #values: (Buffer | string | null)[] = []
  /** Total size of the values. */
  bytes = 0

  get size(): number {
    return this.#keys.length
  }

  put(key: string, value: Buffer | string): void {
    this.#keys.push(key)
    this.#values.push(value)
    this.bytes += value.length
  }

  del(key: string): void {
    this.#keys.push(key)
    this.#values.push(null)
  }

  keyAt(index: number): string {
    return this.#keys[index]!
  }

  valueAt(index: number): Buffer | string | null {
    return this.#values[index]!
  }

  /** Turns earlier puts of this batch in a range into deletions. */
  delPuts(range: KeyRange): void {
    const end = this.#keys.length
    for (let i = 0; i < end; i++) {
      const key = this.#keys[i]!
      if (this.#values[i] !== null && key >= range.gte && key < range.lt) this.del(key)
    }
  }
}

/** What staging an op needs to know. */
export interface Staging {
  readonly batch: WriteBatch
  /** The changes of tables in this commit, in order. */
  readonly changes: TableChange[]
  /** Guards that fail from this commit on, beside those of the changes. */
  readonly touched: Guard[]
  /** Outcomes of the messages enqueued by the change that is being staged. */
  readonly enqueued: Enqueued[]
  /** The head of a log with what the changes so far add to it. */
  readonly headOf: (log: LogName) => number
  /** Logs that this commit drops. */
  readonly dropped: LogName[]
  /** Keys on disk in the ranges that this commit clears, by the beginning of the range. */
  readonly cleared: ReadonlyMap<string, readonly string[]>
  /** Unix ms. */
  readonly now: number
}

export function stageTableOp(op: TableOp, staging: Staging): void {
  if (op.type === 'clear') stageClear(op, staging)
  else stageRecord(op, staging)
}

function stageRecord(op: Exclude<TableOp, ClearOp>, { batch, changes, now }: Staging): void {
  const { table, key } = op
  const value = op.type === 'put' ? op.value : null
  const stored = recordKey(table, key)
  if (op.wipe) batch.put(keys.stale(stored), String(now))
  if (value === null) batch.del(stored)
  else batch.put(stored, value)
  changes.push({ table, key, value })
}

function stageClear({ table, owner, wipe }: ClearOp, { batch, changes, cleared, now }: Staging): void {
  const range = recordRange(table, owner)
  // Records that earlier changes of this commit set are not on disk yet.
  batch.delPuts(range)
  for (const key of cleared.get(range.gte) ?? []) {
    batch.del(key)
    if (wipe) batch.put(keys.stale(key), String(now))
  }
  changes.push({ table, owner })
}
