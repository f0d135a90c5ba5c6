/**
 * The order in which this node follows what all nodes commit: commit by commit, without gaps. Messages of other nodes and replies to own commits come on one
 * connection, in the order in which the commits were made; after a gap the rest is read from the store.
 */
import type { Committed } from './events.js'

interface Waiting {
  readonly number: number
  readonly resolve: () => void
}

export class Sequence {
  /** The last commit in memory. */
  reached = 0
  readonly #apply: (commit: Committed) => void
  /** Commits heard before one that is missing, or while memory is loaded. */
  readonly #ahead = new Map<number, Committed>()
  #waiting: Waiting[] = []
  #held = 0

  constructor(apply: (commit: Committed) => void) {
    this.#apply = apply
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

  /** The store has fewer commits than were heard of: begins anew at one of them. */
  restart(number: number): void {
    this.#ahead.clear()
    this.reached = number
  }

  /** What is heard waits until the function returned is called. */
  hold(): () => void {
    this.#held++
    return () => {
      if (--this.#held === 0) this.#advance()
    }
  }

  /** Resolves when memory has a commit. */
  whenReached(number: number): Promise<void> | undefined {
    if (number <= this.reached) return undefined
    return new Promise((resolve) => this.#waiting.push({ number, resolve }))
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
    if (this.#waiting.length === 0) return
    const due = this.#waiting.filter(({ number }) => number <= this.reached)
    if (due.length === 0) return
    this.#waiting = this.#waiting.filter(({ number }) => number > this.reached)
    for (const { resolve } of due) resolve()
  }
}
