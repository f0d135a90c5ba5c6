/** What this node has in memory of the store: loaded once, then kept the same by following every commit of every node in its order. */
import type { TableFollower, Tables } from '../tables.js'
import type { RedisCounts } from './counts.js'
import type { Committed } from './events.js'
import type { Journal } from './journal.js'
import type { RedisLogs } from './logs.js'
import type { Beat } from './nodes.js'
import type { RedisOutbox } from './outbox.js'
import type { RedisQueue } from './queue.js'
import type { Retained } from './retained.js'
import { Sequence } from './sequence.js'

export interface NodeMemoryDeps {
  readonly tables: Tables
  readonly log: RedisLogs
  readonly queue: RedisQueue
  readonly retained: Retained
  readonly outbox: RedisOutbox
  /** Those that are loaded with everything else. */
  readonly followers: readonly TableFollower[]
  readonly journal: Journal
  readonly counts: Pick<RedisCounts, 'gaps' | 'lastGap'>
  readonly now: () => number
  /** For which a commit is waited for. */
  readonly timeoutMs: number
  readonly onFault: (error: unknown) => void
}

export class NodeMemory {
  /** Of the last commit that changed something guarded. */
  position = 0
  /** A commit was followed in part: everything has to be loaded anew. */
  isPartial = false
  readonly sequence: Sequence
  readonly #deps: NodeMemoryDeps
  readonly #followers: TableFollower[]

  constructor(deps: NodeMemoryDeps) {
    this.#deps = deps
    this.#followers = [...deps.followers]
    this.sequence = new Sequence((commit) => this.#follow(commit), deps.timeoutMs)
  }

  /** Loads the follower of tables, then tells it of every later change. */
  async follow(follower: TableFollower): Promise<void> {
    const release = this.sequence.hold()
    try {
      const apply = await follower.load(this.#deps.tables)
      apply()
      follower.apply(this.position, [])
      this.#followers.push(follower)
    } finally {
      release()
    }
  }

  /** Loads everything as of a commit or a later one: what is heard since is applied to it. To be called while the sequence is held. */
  async load({ commit, position }: Beat): Promise<void> {
    const { queue, retained, outbox, log, tables } = this.#deps
    const applies = [await queue.load(), await retained.load(), await outbox.load()]
    for (const follower of this.#followers) applies.push(await follower.load(tables))
    await log.repair()
    for (const apply of applies) apply()
    this.position = Math.max(this.position, position)
    for (const follower of this.#followers) follower.apply(this.position, [])
    await this.#tellGrowth()
    this.isPartial = false
    this.sequence.jumpTo(commit)
  }

  /** Reads what was missed up to a commit. */
  async repair(last: number): Promise<void> {
    const { counts, now, journal, log } = this.#deps
    counts.gaps++
    counts.lastGap = now()
    const release = this.sequence.hold()
    try {
      const missed = this.isPartial ? null : await journal.between(this.sequence.reached, last)
      if (!missed) return await this.load({ commit: last, position: this.position })
      for (const commit of missed) this.#follow(commit)
      await log.repair()
      await this.#tellGrowth()
      this.sequence.jumpTo(last)
    } finally {
      release()
    }
  }

  /** Of logs that somebody has to read hints were lost: they are given anew. */
  async #tellGrowth(): Promise<void> {
    const { outbox, log } = this.#deps
    await log.tellGrowth([...outbox.marked().keys()].filter((name) => outbox.watches(name)))
  }

  /** Applies a commit, then tells who follows. @throws what is wrong with it: it is followed in part then */
  #follow(commit: Committed): void {
    try {
      this.#apply(commit)
    } catch (error) {
      this.isPartial = true
      throw error
    }
  }

  #apply(commit: Committed): void {
    const { queue, outbox, log } = this.#deps
    const { changes, events, queued, local = null } = commit
    this.position = Math.max(this.position, commit.position)
    for (const follower of this.#followers) this.#guard(() => follower.apply(this.position, changes))
    queue.apply(queued, local)
    for (const event of events) outbox.apply(event)
    log.apply(events, commit.number)
  }

  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#deps.onFault(error)
    }
  }
}
