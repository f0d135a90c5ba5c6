/** One job on this node: whether it is done here, one step after another. */
import type { Fence } from './fence.js'
import type { SameRecord } from './guards.js'
import type { Job } from './job.js'
import type { JobClaim } from './job-owners.js'
import { keyOf } from './tables.js'

export interface BehindJob {
  /** Whether this node is to do it. */
  isWanted(job: OwnedJob): boolean
  isShared(): boolean
  /** Null: another node has it. */
  claim(name: string): Promise<JobClaim | null>
  release(name: string, claim: JobClaim): Promise<void>
  /** Releases what this node had and could not release. */
  releaseLeftOver(name: string): Promise<void>
  /** The owner as it is stored. */
  read(name: string): Promise<JobClaim | undefined>
  /** It is reviewed again soon. */
  failed(error: unknown): void
}

export class OwnedJob {
  readonly #job: Job
  readonly #behind: BehindJob
  #isDone = false
  #fence: JobFence | null = null
  #running: Promise<void> | null = null
  #again = false

  constructor(job: Job, behind: BehindJob) {
    this.#job = job
    this.#behind = behind
  }

  get name(): string {
    return this.#job.name
  }

  /** It may have another owner. */
  noticed(owner: JobClaim | undefined): void {
    if (this.#fence && owner !== this.#fence.value) this.#fence.lost = true
    this.review()
  }

  /** Others may have taken it. */
  lose(): void {
    if (this.#fence) this.#fence.lost = true
    this.review()
  }

  /** Something may have changed that decides who does it. */
  review(): void {
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      if (this.#again) this.review()
    })
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      await this.#step().catch((error: unknown) => this.#behind.failed(error))
    }
  }

  async #step(): Promise<void> {
    const isWanted = this.#behind.isWanted(this)
    if (this.#isDone && (!isWanted || this.#fence?.lost)) await this.#end()
    else if (!this.#isDone && isWanted) await this.#begin()
    else if (!this.#isDone) await this.#behind.releaseLeftOver(this.name)
  }

  async #begin(): Promise<void> {
    if (this.#behind.isShared()) {
      const claim = await this.#behind.claim(this.name)
      if (claim === null) return
      this.#fence = new JobFence(this.name, claim, () => this.#check())
    }
    this.#isDone = true
    // Meanwhile it may have been lost, or it is wanted elsewhere.
    this.#again = true
    try {
      await this.#job.begin(this.#fence)
    } catch (error) {
      await this.#end()
      // Not at once.
      this.#again = false
      throw error
    }
  }

  async #end(): Promise<void> {
    const fence = this.#fence
    this.#isDone = false
    this.#again = true
    try {
      await this.#job.end()
    } finally {
      this.#fence = null
      if (fence && !fence.lost) await this.#behind.release(this.name, fence.value)
    }
  }

  /** A change was refused. */
  async #check(): Promise<void> {
    const fence = this.#fence
    if (!fence || fence.lost) return
    try {
      if ((await this.#behind.read(this.name)) === fence.value) return
      fence.lost = true
      this.review()
    } catch (error) {
      this.#behind.failed(error)
    }
  }
}

class JobFence implements Fence {
  readonly same: SameRecord
  readonly value: JobClaim
  lost = false
  readonly #check: () => Promise<void>

  constructor(job: string, value: JobClaim, check: () => Promise<void>) {
    this.same = { table: 'job', key: keyOf(job), value }
    this.value = value
    this.#check = check
  }

  refused(): Promise<void> {
    return this.#check()
  }
}
