/**
 * The order in which this node follows what all nodes commit: commit by commit, without gaps. Messages of other nodes and replies to own commits come on one
 * connection, in the order in which the commits were made; after a gap the rest is read from the store.
 */
import { StoreError } from '../changes.js'
import type { Committed } from './events.js'

interface Waiting {
  readonly number: number
  readonly timer: NodeJS.Timeout
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

export class Sequence {
  /** The last commit in memory. */
  reached = 0
  readonly #apply: (commit: Committed) => void
  /** Commits heard before one that is missing, or while memory is loaded. */
  readonly #ahead = new Map<number, Committed>()
  readonly #waiting = new Set<Waiting>()
  readonly #timeoutMs: number
  #held = 0

  /** @param timeoutMs For which a commit is waited for */
  constructor(apply: (commit: Committed) => void, timeoutMs: number) {
    this.#apply = apply
    this.#timeoutMs = timeoutMs
  }

  /** What is heard waits: memory is loaded, or what was missed is read. */
  get isHeld(): boolean {
    return this.#held > 0
  }

  /** Whether a commit is missing before one that was heard. */
  get hasGap(): boolean {
    return this.#held === 0 && this.#ahead.size > 0
  }

  hear(commit: Committed): void {
    if (commit.number <= this.reached) return
    if (this.#held > 0 || commit.number !== this.reached + 1) {
      this.#ahead.set(commit.number, commit)
      return
    }
    this.#take(commit)
    this.#advance()
  }

  /** Memory has all up to a commit: it was read from the store. */
  jumpTo(number: number): void {
    if (number > this.reached) this.reached = number
    for (const ahead of [...this.#ahead.keys()]) if (ahead <= this.reached) this.#ahead.delete(ahead)
    this.#advance()
    this.#tell()
  }

  /** The store has fewer commits than were heard of: begins anew at one of them. Who waits for what is lost is told so. */
  restart(number: number): void {
    this.#ahead.clear()
    this.reached = number
    for (const waiting of this.#waiting) this.#giveUp(waiting, 'Redis has lost the commit')
  }

  /** What is heard waits until the function returned is called. */
  hold(): () => void {
    this.#held++
    return () => {
      if (--this.#held === 0) this.#advance()
    }
  }

  /** Resolves when memory has a commit. @throws StoreError when the store has lost it, or what was missed before it is not read in time */
  whenReached(number: number): Promise<void> | undefined {
    if (number <= this.reached) return undefined
    return new Promise((resolve, reject) => {
      const late = (): void => this.#giveUp(waiting, 'what other nodes did before could not be read in time')
      const waiting: Waiting = { number, resolve, reject, timer: setTimeout(late, this.#timeoutMs) }
      this.#waiting.add(waiting)
    })
  }

  #giveUp(waiting: Waiting, why: string): void {
    this.#end(waiting)
    waiting.reject(new StoreError(why))
  }

  #end(waiting: Waiting): void {
    clearTimeout(waiting.timer)
    this.#waiting.delete(waiting)
  }

  #advance(): void {
    while (this.#held === 0) {
      const next = this.#ahead.get(this.reached + 1)
      if (!next) break
      this.#ahead.delete(next.number)
      this.#take(next)
    }
  }

  #take(commit: Committed): void {
    this.reached = commit.number
    this.#apply(commit)
    this.#tell()
  }

  #tell(): void {
    for (const waiting of this.#waiting) {
      if (waiting.number > this.reached) continue
      this.#end(waiting)
      waiting.resolve()
    }
  }
}
