import { type AppendResult, type Change, type Draft, type Enqueued, StoreError } from './changes.js'
import { type Fence, type Writer, writerBehind } from './fence.js'
import type { Guards } from './guards.js'
import type { Op } from './op.js'
import type { Submission, Transaction } from './transaction.js'

interface Upcoming {
  isReady: boolean
  commit(): void
}

/**
 * Commits the changes of one source, such as a connection. They settle in the order of the calls, whatever logs they
 * touch, and in whatever order the store settles them: acknowledgements leave in the order of the publishes.
 */
export class Lane implements Writer {
  readonly #store: Writer
  readonly fence: Fence | null
  /** Changes whose `settled` was not called yet, as a linked list: one object per change and no array. Hot path. */
  #first: LaneChange | null = null
  #last: LaneChange | null = null
  /** Changes that are committed later, and what was given to `commit` behind them. */
  readonly #upcoming: Upcoming[] = []

  /** @param fence What it commits with ops belongs to what is behind it. */
  constructor(store: Writer, fence: Fence | null = null) {
    this.#store = writerBehind(store, fence)
    this.fence = fence
  }

  commit(change: Change): void {
    const placed = change instanceof LaneChange ? change : new Wrapped(change)
    this.#append(placed)
    if (this.#upcoming.length === 0) this.#store.commit(placed)
    else this.#upcoming.push({ isReady: true, commit: () => this.#store.commit(placed) })
  }

  /** As `submit` of the store. The change has its place in the lane from when it is first queued, also if it is decided again. */
  submit(key: string, decide: (tx: Transaction) => Submission | Promise<Submission>): Promise<void> {
    let wrapped: Wrapped | null = null
    return this.#store.submit(key, async (tx) => {
      const submission = await decide(tx)
      const first = wrapped === null
      const place = (wrapped ??= new Wrapped(submission))
      if (first) this.#append(place)
      place.change = submission
      return {
        drafts: submission.drafts,
        ops: submission.ops,
        settled: (error, results, enqueued) => place.settled(error, results, enqueued),
        refused: (refusal) => {
          place.change = { settled: () => submission.refused(refusal) }
          place.settled(null, [])
        },
      }
    })
  }

  /**
   * Commits what is decided when `ready` has resolved. It has its place in the lane from now on. What is given to `commit` behind it is not
   * committed before it; what is given to `submit` may be, and settles behind it all the same.
   * @param decide Also called if `ready` rejects: then the change settles with that error. Told whether all before it have settled. What it
   *   throws is a bug: nothing is committed then, and those behind it go on
   */
  commitLater(ready: Promise<void>, decide: (isFirst: boolean) => Change): void {
    const place = new Wrapped({ ...NOTHING, settled: () => {} })
    this.#append(place)
    let error: StoreError | null = null
    const commit = (): void => {
      const change = (place.change = this.#decided(place, decide))
      if (error) return place.settled(error, NO_RESULTS)
      this.#store.commit({ ...change, settled: (...outcome) => place.settled(...outcome) })
    }
    const upcoming = { isReady: false, commit }
    this.#upcoming.push(upcoming)
    const proceed = (): void => {
      upcoming.isReady = true
      this.#proceed()
    }
    void ready.then(proceed, (cause) => {
      error = new StoreError('memory could not be brought up to date', { cause })
      proceed()
    })
  }

  /** Commits what is ready, up to the first change that is not. */
  #proceed(): void {
    try {
      while (this.#upcoming[0]?.isReady) this.#upcoming.shift()!.commit()
    } finally {
      // What one has thrown does not keep those behind it.
      if (this.#upcoming[0]?.isReady) this.#proceed()
    }
  }

  /** If it throws, the place settles with that, so that those behind it are told theirs. */
  #decided(place: Wrapped, decide: (isFirst: boolean) => Change): Change {
    try {
      return decide(place === this.#first)
    } catch (cause) {
      place.settled(new StoreError('it could not be decided', { cause }), NO_RESULTS)
      throw cause
    }
  }

  /** Calls back once all earlier changes of the lane have settled, with success or not: at once if none is pending. */
  after(callback: () => void): void {
    if (!this.#first) return callback()
    const nothing = new Wrapped({ ...NOTHING, settled: callback })
    nothing.outcome = NO_RESULTS
    this.#append(nothing)
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
    for (let next = this.#first; next?.outcome; next = this.#first) {
      this.#first = next.next
      if (!this.#first) this.#last = null
      // One that the garbage collector holds for old would keep all behind it.
      next.next = null
      try {
        if (next.outcome instanceof StoreError) next.told(next.outcome, NO_RESULTS)
        else next.told(null, next.outcome)
      } catch (error) {
        // A bug, which the store reports; the changes behind it are told nevertheless.
        fault ??= { error }
      }
    }
    if (fault) throw fault.error
  }

  #append(change: LaneChange): void {
    change.lane = this
    if (this.#last) this.#last.next = change
    else this.#first = change
    this.#last = change
  }
}

const NOTHING = { drafts: [], ops: [] }
const NO_RESULTS: readonly AppendResult[] = []

/** A change that has its place in a lane: keeps its outcome until those before it are told theirs. Messages are such changes, one object for each. */
export abstract class LaneChange implements Change {
  abstract readonly drafts: readonly Draft[]
  abstract readonly ops: readonly Op[]
  next: LaneChange | null = null
  /** The results, or the error. Null: the store has not settled it. */
  outcome: readonly AppendResult[] | StoreError | null = null
  /** Null: it is in none, and told at once. */
  lane: Lane | null = null

  settled(error: StoreError | null, results: readonly AppendResult[], _enqueued?: readonly Enqueued[]): void {
    if (!this.lane) return this.told(error, results)
    this.outcome = error ?? results
    this.lane.advance()
  }

  /** As `settled` of any change, in the order of the lane. */
  abstract told(error: StoreError | null, results: readonly AppendResult[]): void
}

/** Any other change in a lane. */
class Wrapped extends LaneChange {
  readonly drafts: readonly Draft[]
  readonly ops: readonly Op[]
  readonly guards: Guards | null
  readonly asOf: number | undefined
  readonly lazy: boolean
  /** Told the outcome; another one if it is decided again. */
  change: Pick<Change, 'settled'>
  #enqueued: readonly Enqueued[] | undefined = undefined

  constructor(change: Change) {
    super()
    this.drafts = change.drafts
    this.ops = change.ops
    this.guards = change.guards ?? null
    this.asOf = change.asOf
    this.lazy = change.lazy ?? false
    this.change = change
  }

  override settled(
    error: StoreError | null,
    results: readonly AppendResult[],
    enqueued?: readonly Enqueued[] | undefined,
  ): void {
    this.#enqueued = enqueued
    super.settled(error, results)
  }

  told(error: StoreError | null, results: readonly AppendResult[]): void {
    this.change.settled(error, results, this.#enqueued)
  }
}
