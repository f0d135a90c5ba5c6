/**
 * Writes receipts such that none is taken back. Among nodes that share a store each receipt is a change of its own, made on condition that the stored
 * one is as this node knows it; else it goes on from what is stored by then. The node whose change moved a receipt is the one that tells of it.
 */
import { Refusal } from '../../../schemas/errors.js'
import { GuardConflict } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import { guardOf } from '../../store/guards.js'
import { furthest, isCovered, type ReceiptRecord } from '../../store/receipts.js'
import type { Store } from '../../store/store.js'
import { keyOf } from '../../store/tables.js'

/** How often other nodes may get in between. */
const MOST_ATTEMPTS = 10

/** What was stored, and what is now: the same if nothing was written. */
export interface MovedReceipt {
  readonly before: ReceiptRecord
  readonly after: ReceiptRecord
}

export class ReceiptWriter {
  readonly #store: Store
  readonly #isShared: boolean

  /** @param isShared Other nodes write receipts, too */
  constructor(store: Store, isShared: boolean) {
    this.#store = store
    this.#isShared = isShared
  }

  /** The outcomes are parallel to the receipts. */
  async write(records: readonly ReceiptRecord[]): Promise<PromiseSettledResult<MovedReceipt>[]> {
    if (this.#isShared) return Promise.allSettled(records.map((record) => this.#move(record)))
    const { receipts } = this.#store
    const moved = records.map((after) => ({ before: this.#stored(after), after }))
    await commit(this.#store, { ops: records.map((record) => receipts.putOp(record)) })
    return moved.map((value) => ({ status: 'fulfilled', value }))
  }

  async #move(record: ReceiptRecord): Promise<MovedReceipt> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const moved = await this.#tryToMove(record)
      if (moved) return moved
      await this.#store.catchUp()
    }
    throw new Refusal('unavailable', 'other nodes changed the same receipt at the same time')
  }

  /** Null: it is not as this node knows it. */
  async #tryToMove(record: ReceiptRecord): Promise<MovedReceipt | null> {
    const { directory, receipts } = this.#store
    const { room, user, since } = record
    const before = this.#stored(record)
    if (directory.member(room, user)?.since !== since || isCovered(record, before)) return { before, after: before }
    const after = furthest(record, before)
    const isMember = guardOf('member', keyOf(room, user))
    const guards = { at: this.#store.asOf(), keys: [isMember], same: [receipts.same(room, user)] }
    try {
      await commit(this.#store, { ops: [receipts.putOp(after)], guards })
      return { before, after }
    } catch (error) {
      if ((error as Refusal).cause instanceof GuardConflict) return null
      throw error
    }
  }

  #stored({ room, user, since }: ReceiptRecord): ReceiptRecord {
    const stored = this.#store.receipts.get(room, user)
    return stored?.since === since ? stored : noReceipt(room, user, since)
  }
}

export function noReceipt(room: string, user: string, since: number): ReceiptRecord {
  return { room, user, since, read: 0, sharedRead: 0, delivered: 0, at: 0 }
}
