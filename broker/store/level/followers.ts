/** Who is told of appends: the followers of logs, and those who ask which logs grow. */
import type { AppendedBatch, AppendListener, Followed, GrowthListener, LogInfo } from '../logs.js'

/** A listener, and what it will be told of the current commit. */
interface Audience {
  readonly listener: AppendListener
  batches: AppendedBatch[]
}

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
  readonly audience: Audience
  readonly #log: FollowedLog

  constructor(log: FollowedLog, audience: Audience) {
    this.#log = log
    this.audience = audience
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
  readonly #audiences = new WeakMap<AppendListener, Audience>()
  readonly #growth = new Set<GrowthListener>()
  readonly #onFault: (error: unknown) => void

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault
  }

  add(log: FollowedLog, listener: AppendListener): Followed {
    let audience = this.#audiences.get(listener)
    if (!audience) this.#audiences.set(listener, (audience = { listener, batches: [] }))
    return new Follower(log, audience)
  }

  onGrowth(listener: GrowthListener): () => void {
    this.#growth.add(listener)
    return () => this.#growth.delete(listener)
  }

  /** Hot path: one call per commit and listener, and no lookups. */
  appended(batches: readonly AppendedTo[]): void {
    const audiences: Audience[] = []
    for (const batch of batches)
      for (const { audience } of batch.target.followers) {
        if (audience.batches.length === 0) audiences.push(audience)
        // A listener may follow a log twice.
        if (audience.batches.at(-1) !== batch) audience.batches.push(batch)
      }
    for (const audience of audiences) {
      const told = audience.batches
      audience.batches = []
      this.#guard(() => audience.listener(told))
    }
    for (const listener of this.#growth)
      this.#guard(() => {
        for (const { log, entries, target } of batches) listener(log, entries.at(-1)!.seq, target.incarnation)
      })
  }

  dropped(log: string, incarnation: number): void {
    for (const listener of this.#growth) this.#guard(() => listener(log, 0, incarnation))
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
