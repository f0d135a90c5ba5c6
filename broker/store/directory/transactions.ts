/**
 * Decides on what is stored and writes the decision, such that nobody got in between: what is read becomes guards of what is written. If
 * something read has changed when the change is committed, the decision is made again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { asRefusal } from '../../../schemas/errors.js'
import { KeyedMutex } from '../../util/keyed-mutex.js'
import { type Change, GuardConflict, type StoreError } from '../changes.js'
import { storeRefusal } from '../commit.js'
import { guardOfOwner } from '../guards.js'
import type { Op } from '../op.js'
import type { Store, StorePort } from '../store.js'
import {
  type Committed,
  type Decide,
  type Decision,
  Overtaken,
  type Submission,
  type Transaction,
} from '../transaction.js'
import { Reads } from './reads.js'
import { RecordingNotes } from './recording-notes.js'
import type { Records } from './records.js'

/** How often a decision is made before its request is refused. */
const MOST_ATTEMPTS = 6
/** After so many attempts, the others of this process wait until it is made: one that depends on much would else fail for as long as they go on. */
const MOST_BESIDE_OTHERS = 3
/** Ms: the longest pause before the second attempt, twice as long before each further one. */
const FIRST_PAUSE = 4

/** What decisions read through, kept for the next ones. */
const MOST_RECORDERS = 64

interface Recorder {
  readonly reads: Reads
  readonly tx: Transaction
}

export class Transactions {
  readonly #port: Pick<StorePort, 'commit' | 'notes' | 'position'>
  readonly #records: Records
  readonly #catchUp: Store['catchUp']
  readonly #locks = new KeyedMutex()
  /** Not in use. */
  readonly #recorders: Recorder[] = []
  /** The last of the decisions that are made alone; null: there is none. */
  #alone: Promise<unknown> | null = null

  constructor(port: Pick<StorePort, 'commit' | 'notes' | 'position'>, records: Records, catchUp: Store['catchUp']) {
    this.#port = port
    this.#records = records
    this.#catchUp = catchUp
  }

  /**
   * @param key Decisions with the same key are made one after another in this process, so that they do not fail each other's guards
   * @throws Refusal what `decide` throws; `unavailable` if the store failed, or if others got in between every time
   */
  run<T>(key: string, decide: Decide<T>): Promise<Committed<T>> {
    return this.#locks.runExclusive(key, () => this.#run(decide))
  }

  /** See `Store`. */
  submit(key: string, decide: (tx: Transaction) => Submission | Promise<Submission>): Promise<void> {
    return new Promise((resolve, reject) => {
      let queued: Submission | null = null
      const work = this.#locks.runExclusive(key, () =>
        this.#run(
          async (tx) => {
            const change = await decide(tx)
            return { drafts: change.drafts, ops: change.ops, value: change }
          },
          (change) => {
            queued = change
            resolve()
            return change
          },
        ),
      )
      work.catch((error: unknown) => {
        if (queued) queued.refused(asRefusal(error))
        else reject(error)
      })
    })
  }

  /** @param queued Called whenever a decision is in the queue; what it returns is told the outcome, instead of the promise */
  async #run<T>(decide: Decide<T>, queued?: (value: T) => Pick<Change, 'settled'>): Promise<Committed<T>> {
    while (this.#alone) await this.#alone
    for (let attempt = 1; attempt <= MOST_BESIDE_OTHERS; attempt++) {
      const outcome = await this.#attempt(decide, attempt, queued)
      if (outcome) return outcome
      while (this.#alone) await this.#alone
    }
    return this.#runAlone(async () => {
      for (let attempt = MOST_BESIDE_OTHERS + 1; attempt <= MOST_ATTEMPTS; attempt++) {
        const outcome = await this.#attempt(decide, attempt, queued)
        if (outcome) return outcome
      }
      throw new Overtaken()
    })
  }

  #runAlone<T>(work: () => Promise<T>): Promise<T> {
    const done = (this.#alone ?? Promise.resolve()).then(work)
    const over = (): void => {
      if (this.#alone === settled) this.#alone = null
    }
    const settled = done.then(over, over)
    this.#alone = settled
    return done
  }

  /** Resolves with null if others got in between. */
  async #attempt<T>(
    decide: Decide<T>,
    attempt: number,
    queued?: (value: T) => Pick<Change, 'settled'>,
  ): Promise<Committed<T> | null> {
    const recorder = this.#recorders.pop() ?? this.#newRecorder()
    const at = this.#records.position
    let committing: Promise<Committed<T> | GuardConflict>
    try {
      const decision = await decide(recorder.tx)
      committing = this.#commit(decision, recorder.reads, at, queued)
    } catch (error) {
      if (attempt >= MOST_ATTEMPTS) throw error
      committing = this.#confirm(error, recorder.reads, at)
    } finally {
      recorder.reads.clear()
      if (this.#recorders.length < MOST_RECORDERS) this.#recorders.push(recorder)
    }
    const outcome = await committing
    if (!(outcome instanceof GuardConflict)) return outcome
    await this.#records.reached(outcome.position)
    if (attempt > 1) await sleep(Math.random() * FIRST_PAUSE * 2 ** attempt)
    return null
  }

  #newRecorder(): Recorder {
    const reads = new Reads()
    const tx: Transaction = {
      ...this.#records.recording(reads),
      notes: new RecordingNotes(this.#port.notes, reads),
      topic: (name) => reads.topic(name),
      readTopic: (name) => reads.readTopic(name),
      limit: (limit) => void reads.limits.push(limit),
      same: (record) => void reads.same.push(record),
    }
    return { reads, tx }
  }

  /** A refusal may be about what is not so any more. @throws the error, if it is so */
  async #confirm(error: unknown, reads: Reads, at: number): Promise<GuardConflict> {
    // Whether a limit was reached depends on all records that it counts.
    const counted = reads.limits.map(({ table, owner }) => guardOfOwner(table, owner))
    const guards = { at, keys: [...reads.guards, ...counted] }
    if (this.#port.position === at) await this.#catchUp()
    if (this.#port.position === at) throw error
    const failed = await new Promise<StoreError | null>((settled) =>
      this.#port.commit({ drafts: [], ops: [], guards, settled }),
    )
    if (failed instanceof GuardConflict) return failed
    throw error
  }

  #commit<T>(
    { drafts = [], ops = [], lazy = false, value }: Decision<T>,
    reads: Reads,
    at: number,
    queued?: (value: T) => Pick<Change, 'settled'>,
  ): Promise<Committed<T> | GuardConflict> {
    if (!queued && drafts.length === 0 && ops.length === 0) return Promise.resolve({ value, results: [] })
    const touches: Op[] = [...reads.touched].map((guard) => ({ type: 'touch', guard }))
    return new Promise((resolve, reject) => {
      let told: Pick<Change, 'settled'> | undefined
      const settled: Change['settled'] = (error, results, enqueued) => {
        if (error instanceof GuardConflict) return resolve(error)
        told?.settled(error, results, enqueued)
        if (error && !told) reject(storeRefusal(error))
        else resolve({ value, results })
      }
      const guards = { at, keys: [...reads.guards], limits: [...reads.limits], same: [...reads.same] }
      const change: Change = { drafts, ops: [...ops, ...touches], guards, lazy, settled }
      told = queued?.(value)
      this.#port.commit(change)
    })
  }
}
