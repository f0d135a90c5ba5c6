/**
 * Counts of attempts, in the store: all nodes count together, and a restart forgets nothing. What cannot be stored is counted in the memory
 * of this process, so that a full disk neither ends the limits nor locks anybody out.
 */
import { Refusal } from '../../schemas/errors.js'
import type { Expiring, ExpiringStore } from '../store/expiring.js'
import { guardOfTopic } from '../store/guards.js'
import type { Op } from '../store/op.js'
import type { Store } from '../store/store.js'
import type { Counter, CountRecord } from './attempt-counters.js'

/** Most counts that are kept here; the oldest is dropped. */
const MOST_UNSTORED = 20_000

export type CountingStore = Pick<Store, 'transact' | 'expiring'>

type Read = (counter: Counter) => CountRecord | null

/** Null: nothing is counted any more. */
type CountChange = readonly [counter: Counter, record: CountRecord | null]

export class AttemptCounts {
  readonly #store: CountingStore
  readonly #now: () => number
  /** The last one last. */
  readonly #unstored = new Map<string, Expiring>()
  readonly #read: Read

  constructor(store: CountingStore, now: () => number) {
    this.#store = store
    this.#now = now
    this.#read = this.#readFrom(store.expiring)
  }

  /** From memory, as is the next one. */
  isCounted(counters: readonly Counter[]): boolean {
    return counters.some((counter) => this.#read(counter) !== null)
  }

  /** Seconds until an attempt is allowed; 0: now. */
  waitOf(counters: readonly Counter[], read = this.#read): number {
    const now = this.#now()
    return Math.ceil(Math.max(...counters.map((counter) => counter.waitOf(read(counter), now))) / 1000)
  }

  /**
   * Counts an attempt. Resolves with 0, or, if none is allowed any more, with the seconds until one is.
   * @param key Decisions with the same key are made one after another in this process
   */
  take(key: string, counters: readonly Counter[]): Promise<number> {
    return this.#decide(key, counters, (read) => counters.map((one) => [one, one.after(read(one), this.#now())]))
  }

  /** Forgets what is counted in one of them. Resolves with 0, or, if no attempt is allowed any more, with the seconds until one is. */
  clear(key: string, counters: readonly Counter[], cleared: Counter): Promise<number> {
    return this.#decide(key, counters, (read) => (read(cleared) ? [[cleared, null]] : []))
  }

  /** A crash may forget the last changes: they cause no fsync. */
  async #decide(
    key: string,
    counters: readonly Counter[],
    changesOf: (read: Read) => readonly CountChange[],
  ): Promise<number> {
    try {
      const { value } = await this.#store.transact(key, ({ expiring }) => {
        const read = this.#readFrom(expiring)
        const wait = this.waitOf(counters, read)
        if (wait > 0) return { value: { wait, changes: [] } }
        const changes = changesOf(read)
        return { ops: [decidedOp(key), ...changes.flatMap(opsIn(expiring))], lazy: true, value: { wait, changes } }
      })
      for (const [counter] of value.changes) this.#unstored.delete(keyOf(counter))
      return value.wait
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const wait = this.waitOf(counters)
      if (wait === 0) for (const change of changesOf(this.#read)) this.#keep(change)
      return wait
    }
  }

  /** Of what is stored and what could not be, the one that counts for longer. */
  #readFrom(expiring: ExpiringStore): Read {
    return (counter) => {
      const now = this.#now()
      const stored = expiring.count(counter.kind, counter.name, now)
      const unstored = this.#unstored.get(keyOf(counter))
      if (!unstored || unstored.until <= now || (stored && stored.until > unstored.until)) return stored
      return unstored as CountRecord
    }
  }

  #keep([counter, record]: CountChange): void {
    const key = keyOf(counter)
    this.#unstored.delete(key)
    if (record) this.#unstored.set(key, record)
    if (this.#unstored.size > MOST_UNSTORED) this.#unstored.delete(this.#unstored.keys().next().value!)
  }
}

/** Writes nothing, but makes a decision that changes nothing wait for its place among the others. */
function decidedOp(key: string): Op {
  return { type: 'touch', guard: guardOfTopic(key) }
}

function opsIn(expiring: ExpiringStore): (change: CountChange) => readonly Op[] {
  return ([{ kind, name }, record]) =>
    record ? expiring.countOps(kind, name, record) : [expiring.deleteOp(kind, name)]
}

function keyOf({ kind, name }: Counter): string {
  return `${kind} ${typeof name === 'string' ? name : name.join(' ')}`
}
