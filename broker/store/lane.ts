import type { AppendResult, Change, Draft, Enqueued, StoreError } from './changes.js'
import type { Guards } from './guards.js'
import type { Op } from './op.js'
import type { Store } from './store.js'
import type { Submission, Transaction } from './transaction.js'

/**
 * Commits the changes of one source, such as a connection. They settle in the order of the calls, whatever logs they
 * touch, and in whatever order the store settles them: acknowledgements leave in the order of the publishes.
 */
export class Lane implements Pick<Store, 'commit' | 'submit'> {
  readonly #store: Pick<Store, 'commit' | 'submit'>
  /** Changes whose `settled` was not called yet, as a linked list: one object per change and no array. Hot path. */
  #first: Pending | null = null
  #last: Pending | null = null

  constructor(store: Pick<Store, 'commit' | 'submit'>) {
    this.#store = store
  }

  commit(change: Change): void {
    const pending = new Pending(this, change)
    this.#append(pending)
    this.#store.commit(pending)
  }

  /** As `submit` of the store. The change has its place in the lane from when it is first queued, also if it is decided again. */
  submit(key: string, decide: (tx: Transaction) => Submission | Promise<Submission>): Promise<void> {
    let pending: Pending | null = null
    return this.#store.submit(key, async (tx) => {
      const submission = await decide(tx)
      const first = pending === null
      const place = (pending ??= new Pending(this, submission))
      if (first) this.#append(place)
      place.change = submission
      return {
        drafts: submission.drafts,
        ops: submission.ops,
        settled: (error, results, enqueued) => place.settled(error, results, enqueued),
        refused: (refusal) => {
          place.change = { ...NOTHING, settled: () => submission.refused(refusal) }
          place.settled(null, [])
        },
      }
    })
  }

  /** Calls back once all earlier changes of the lane have settled, with success or not: at once if none is pending. */
  after(callback: () => void): void {
    if (!this.#first) return callback()
    const pending = new Pending(this, { ...NOTHING, settled: callback })
    pending.results = []
    this.#append(pending)
  }

  /** All changes have settled. */
  get isIdle(): boolean {
    return this.#first === null
  }

  /** Resolves once all earlier changes of the lane have settled. */
  idle(): Promise<void> {
    return new Promise((resolve) => this.after(resolve))
  }

  /** Tells the outcomes that are known, up to the first change that is still in the store. */
  advance(): void {
    let fault: { error: unknown } | null = null
    for (let next = this.#first; next?.results; next = this.#first) {
      this.#first = next.next
      if (!this.#first) this.#last = null
      // One that the garbage collector holds for old would keep all behind it.
      next.next = null
      try {
        next.change.settled(next.error, next.results, next.enqueued)
      } catch (error) {
        // A bug, which the store reports; the changes behind it are told nevertheless.
        fault ??= { error }
      }
    }
    if (fault) throw fault.error
  }

  #append(pending: Pending): void {
    if (this.#last) this.#last.next = pending
    else this.#first = pending
    this.#last = pending
  }
}

const NOTHING = { drafts: [], ops: [] }

/** A change in a lane: keeps its outcome until those before it are told theirs. */
class Pending implements Change {
  change: Change
  next: Pending | null = null
  error: StoreError | null = null
  /** Null: the store has not settled it. */
  results: readonly AppendResult[] | null = null
  enqueued: readonly Enqueued[] | undefined = undefined
  readonly #lane: Lane

  constructor(lane: Lane, change: Change) {
    this.#lane = lane
    this.change = change
  }

  get drafts(): readonly Draft[] {
    return this.change.drafts
  }

  get ops(): readonly Op[] {
    return this.change.ops
  }

  get guards(): Guards | null {
    return this.change.guards ?? null
  }

  get asOf(): number | undefined {
    return this.change.asOf
  }

  get lazy(): boolean {
    return this.change.lazy ?? false
  }

  settled(error: StoreError | null, results: readonly AppendResult[], enqueued?: readonly Enqueued[]): void {
    this.error = error
    this.results = results
    this.enqueued = enqueued
    this.#lane.advance()
  }
}
