/** The ops of this adapter, and the batch they are written in. */
import type { Op } from '../op.js'
import { type KeyRange, keys } from './keys.js'

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

export interface PutOp extends Op {
  readonly type: 'put'
  readonly key: string
  readonly value: Buffer | string
}

export interface DelOp extends Op {
  readonly type: 'del'
  readonly key: string
}

/**
 * An op that decides what to write only when its commit is built, when all earlier changes are known. `stage` may
 * change memory: after a failed commit the store reloads everything. `abandoned` is called instead if the change fails
 * before that.
 */
export interface StagedOp extends Op {
  readonly type: 'staged'
  stage(batch: WriteBatch): void
  abandoned?(): void
}

type LevelOp = PutOp | DelOp | StagedOp

export function put(key: string, value: Buffer | string, applied?: () => void): PutOp {
  return applied ? { type: 'put', key, value, applied } : { type: 'put', key, value }
}

export function del(key: string, applied?: () => void): DelOp {
  return applied ? { type: 'del', key, applied } : { type: 'del', key }
}

/** Deletes a key such that its old versions leave the disk within a day. @param at Unix ms: now */
export function wipe(key: string, at: number): StagedOp {
  const stage = (batch: WriteBatch): void => {
    batch.del(key)
    batch.put(keys.stale(key), String(at))
  }
  return { type: 'staged', stage }
}

export function stageOp(op: Op, batch: WriteBatch): void {
  const own = op as LevelOp
  if (own.type === 'put') batch.put(own.key, own.value)
  else if (own.type === 'del') batch.del(own.key)
  else if (own.type === 'staged') own.stage(batch)
  else throw new TypeError('an op that this store did not make')
}

export function abandonOp(op: Op): void {
  const own = op as LevelOp
  if (own.type === 'staged') own.abandoned?.()
}
