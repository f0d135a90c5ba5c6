/** Who is told of appends: the followers of logs, and those who ask which logs grow. */
import type { AppendedBatch, AppendListener, Followed, GrowthListener, LogInfo } from './logs.js'

/** A log in memory. */
export interface FollowedLog extends LogInfo {
  /** Replaced when it changes. */
  followers: readonly Follower[]
}

/** A batch with the log it was appended to. */
export interface AppendedTo extends AppendedBatch {
  readonly target: FollowedLog
}

/** One listener of one log. */
export class Follower implements Followed {
  readonly listener: AppendListener
  readonly #log: FollowedLog

  constructor(log: FollowedLog, listener: AppendListener) {
    this.#log = log
    this.listener = listener
    // Of exactly that length: an array that grows would reserve seventeen elements.
    log.followers = log.followers.concat(this)
  }

  get name(): string {
    return this.#log.name
  }

  get head(): number {
    return this.#log.head
  }

  get tail(): number {
    return this.#log.tail
  }

  get incarnation(): number {
    return this.#log.incarnation
  }

  end(): void {
    this.#log.followers = this.#log.followers.filter((follower) => follower !== this)
  }
}

export class Followers {
  readonly #growth = new Set<GrowthListener>()
  readonly #onFault: (error: unknown) => void

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault
  }

  add(log: FollowedLog, listener: AppendListener): Followed {
    return new Follower(log, listener)
  }

  onGrowth(listener: GrowthListener): () => void {
    this.#growth.add(listener)
    return () => this.#growth.delete(listener)
  }

  /** Hot path: no lookups. */
  appended(batches: readonly AppendedTo[]): void {
    for (const batch of batches) for (const { listener } of batch.target.followers) this.#tell(listener, batch)
    for (const listener of this.#growth)
      this.#guard(() => {
        for (const { log, entries, target } of batches) listener(log, entries.at(-1)!.seq, target.incarnation)
      })
  }

  /** A log that nobody follows has grown. */
  grew(log: string, head: number, incarnation: number): void {
    for (const listener of this.#growth) this.#guard(() => listener(log, head, incarnation))
  }

  dropped(log: string, incarnation: number): void {
    for (const listener of this.#growth) this.#guard(() => listener(log, 0, incarnation))
  }

  #tell(listener: AppendListener, batch: AppendedBatch): void {
    try {
      listener(batch)
    } catch (error) {
      this.#onFault(error)
    }
  }

  /** A listener that throws is a bug, which must not affect the others. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#onFault(error)
    }
  }
}
