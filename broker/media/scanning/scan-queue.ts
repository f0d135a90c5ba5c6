/** Scans that nobody waits for: of files without a verdict, and of those that are from before there was a scanner. */
import type { FinishedFile } from '../../chat/files/file-access.js'
import type { LaterScans } from '../../chat/files/files.js'
import type { Counters } from '../../util/counters.js'
import { ANYONE, Semaphore } from '../../util/semaphore.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import type { Scans } from './scans.js'

/** Files that may wait; what is beyond is found again by one of the next sweeps. */
const MOST_WAITING = 256
const MINUTE = 60_000

export interface ScanQueueDeps {
  readonly scans: Pick<Scans, 'scan'>
  /** Scans at the same time. */
  readonly concurrency: number
  /** Files a minute, of those from before; 0: none. */
  readonly backlog: number
  readonly counters: Counters
  readonly failed: (error: unknown) => void
}

export class ScanQueue implements LaterScans {
  readonly #deps: ScanQueueDeps
  readonly #turns: Semaphore
  readonly #earlier: TokenBuckets
  /** By file. */
  readonly #waiting = new Map<string, Promise<void>>()
  /** Unix ms of the last turn that was given away. */
  #lastTurn = 0
  #isClosed = false

  constructor(deps: ScanQueueDeps) {
    this.#deps = deps
    this.#turns = new Semaphore(deps.concurrency, MOST_WAITING, () => new Error('too many files wait to be scanned'))
    this.#earlier = new TokenBuckets(deps.backlog / 60, deps.backlog)
  }

  add(file: FinishedFile): boolean {
    return this.#begin(file, () => {})
  }

  addEarlier(file: FinishedFile, now: number): number | null {
    const { backlog, counters } = this.#deps
    if (backlog === 0) return null
    const isTurn = this.#waiting.size < MOST_WAITING && this.#earlier.take('', now) === 0
    if (isTurn) {
      this.#begin(file, () => counters.add('scans.backlog'))
      return null
    }
    this.#lastTurn = Math.max(this.#lastTurn, now) + MINUTE / backlog
    return Math.ceil(this.#lastTurn)
  }

  /** What waits is left to the next start. */
  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#waiting.values())
  }

  #begin(file: FinishedFile, scanned: () => void): boolean {
    if (this.#waiting.has(file.id)) return true
    if (this.#isClosed || this.#waiting.size >= MOST_WAITING) return false
    const done = this.#turns
      .run(ANYONE, async () => {
        if (this.#isClosed) return
        await this.#deps.scans.scan(file, 'later')
        scanned()
      })
      .catch(this.#deps.failed)
      .finally(() => this.#waiting.delete(file.id))
    this.#waiting.set(file.id, done)
    return true
  }
}
