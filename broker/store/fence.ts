/**
 * What belongs to one node is written on condition that it still does. The condition is part of each change, so that a node that was silent
 * while others took what it had can write nothing of it, whatever it believes.
 */
import { Refusal } from '../../schemas/errors.js'
import { type Change, GuardConflict, StoreError } from './changes.js'
import type { Guards, SameRecord } from './guards.js'
import type { Store } from './store.js'
import type { Submission, Transaction } from './transaction.js'

export interface Fence {
  /** Is so while it belongs to this node. */
  readonly same: SameRecord
  /** Others have taken it. */
  readonly lost: boolean
  /** A change was refused, perhaps because others have taken it: resolves when that is known. */
  refused(): Promise<void>
}

export type Writer = Pick<Store, 'commit' | 'submit'>

/** @param fence Null: there is nobody who could take it */
export function writerBehind(store: Writer, fence: Fence | null): Writer {
  return fence ? new FencedWriter(store, fence) : store
}

/** Of a change that nothing else is a condition of. */
export function guardsOf(fences: readonly Fence[]): Guards | null {
  return fences.length === 0 ? null : { at: ANY, keys: [], same: fences.map(({ same }) => same) }
}

/** Of a decision. @throws Refusal */
export function guardBy(fence: Fence | null, tx: Transaction): void {
  if (!fence) return
  if (fence.lost) throw new Refusal('unavailable', 'another node has taken this over')
  tx.same(fence.same)
}

/** Position of a reader of nothing that could be outdated. */
const ANY = Number.MAX_SAFE_INTEGER

/** Messages without ops need no fence: one that is sent again is known by its `cid`, or may come twice. */
class FencedWriter implements Writer {
  readonly #store: Writer
  readonly #fence: Fence

  constructor(store: Writer, fence: Fence) {
    this.#store = store
    this.#fence = fence
  }

  commit(change: Change): void {
    if (change.ops.length === 0) return this.#store.commit(change)
    const { drafts, ops, guards, asOf, lazy = false } = change
    this.#store.commit({
      ...{ drafts, ops, asOf, lazy },
      guards: { at: asOf ?? ANY, keys: [], ...guards, same: [this.#fence.same, ...(guards?.same ?? [])] },
      settled: (error, results, enqueued) => {
        if (error instanceof GuardConflict) void this.#refused(change, error)
        else change.settled(error, results, enqueued)
      },
    })
  }

  /** That another node has taken over is no reason to refuse anything for good. */
  async #refused(change: Change, cause: GuardConflict): Promise<void> {
    await this.#fence.refused()
    change.settled(new StoreError('another node may have taken this over', { cause }), [])
  }

  submit(key: string, decide: (tx: Transaction) => Submission | Promise<Submission>): Promise<void> {
    return this.#store.submit(key, async (tx) => {
      const submission = await decide(tx)
      if (submission.ops.length > 0) guardBy(this.#fence, tx)
      return submission
    })
  }
}
