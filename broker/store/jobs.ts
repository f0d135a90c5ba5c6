/**
 * What is to be done by one node at a time, among those that share a store: serving a webhook, or sweeping what all of them share. Nodes that take jobs
 * are candidates, by a record of each. For each job they agree without a word on one of them (rendezvous hashing), which claims it. The owner gives a job up
 * when another candidate is to have it, or when it leaves; from an owner that is gone it is taken. Whatever an owner writes is behind a fence.
 */

import type { Deadline, TimerWheel } from '../util/timer-wheel.js'
import type { Job } from './job.js'
import { type JobClaim, jobClaim, nodeOfJobClaim } from './job-owners.js'
import { mayServe, type Nodes } from './nodes.js'
import { OwnedJob } from './owned-job.js'
import type { RecordChange } from './record-changes.js'
import { rendezvous } from './rendezvous.js'
import type { Store } from './store.js'

/** Ms after which what has failed is tried again. */
const AFTER_FAILURE = 1000
/** Ms between two looks, among several nodes, whether all is as it should be: a node that was taken for gone may come back in any state. */
const LOOK_EVERY = 5000

export interface JobsDeps {
  readonly store: Pick<Store, 'transact' | 'watch' | 'jobOwners' | 'tables'>
  readonly nodes: Pick<Nodes, 'self' | 'shared' | 'alive' | 'latest' | 'onGone' | 'onLost'>
  readonly wheel: TimerWheel
  readonly failed: (error: unknown) => void
}

export class Jobs implements Deadline {
  readonly #deps: JobsDeps
  readonly #jobs = new Map<string, OwnedJob>()
  /** This node takes jobs. */
  #isOpen = false
  #enlisting: Promise<void> | null = null
  #count = 0

  constructor(deps: JobsDeps) {
    this.#deps = deps
    if (!deps.nodes.shared) return
    deps.store.watch((change) => this.#on(change))
    deps.nodes.onGone(() => this.#reviewAll())
    deps.nodes.onLost(() => {
      for (const job of this.#jobs.values()) job.lose()
    })
  }

  /** One of the nodes does it from now on. Resolves when it has begun here, if it is this one. @throws if there is one of that name */
  async add(job: Job): Promise<void> {
    if (this.#jobs.has(job.name)) throw new Error(`there is a job ${job.name} already`)
    const owned = new OwnedJob(job, this.#behind)
    this.#jobs.set(job.name, owned)
    owned.review()
    await owned.idle()
  }

  /** There is no such job any more. Resolves when it has ended here. Its record is removed by whoever removes the job (`JobOwners`). */
  async remove(name: string): Promise<void> {
    const job = this.#jobs.get(name)
    if (!job) return
    this.#jobs.delete(name)
    job.review()
    await job.idle()
  }

  /** From now on this node takes jobs. Resolves when those have begun that are its own at once. */
  async open(): Promise<void> {
    const { wheel, nodes } = this.#deps
    this.#isOpen = true
    if (nodes.shared) wheel.set(this, wheel.now + LOOK_EVERY)
    await this.#enlist()
    await this.#reviewed()
  }

  /** This node is about to leave: its jobs are handed over, if there is another one that takes them. */
  async leave(): Promise<void> {
    if (this.#candidates().some((node) => node !== this.#deps.nodes.self)) await this.close()
  }

  /** Its jobs end here. */
  async close(): Promise<void> {
    const { nodes, wheel } = this.#deps
    const wasOpen = this.#isOpen
    this.#isOpen = false
    wheel.delete(this)
    await this.#enlisting
    if (wasOpen && nodes.shared) await this.#strike((node) => node === nodes.self).catch(this.#deps.failed)
    await this.#reviewed()
  }

  due(now: number): number {
    this.#reviewAll()
    return this.#isOpen && this.#deps.nodes.shared ? now + LOOK_EVERY : 0
  }

  /** What jobs ask for. */
  readonly #behind = {
    isWanted: (job: OwnedJob): boolean => this.#isOpen && this.#jobs.get(job.name) === job && this.#isMine(job.name),
    claim: (name: string): Promise<JobClaim | null> => this.#claim(name),
    release: (name: string, claim: JobClaim): Promise<void> => this.#release(name, claim),
    releaseLeftOver: (name: string): Promise<void> => this.#releaseLeftOver(name),
    read: (name: string): Promise<JobClaim | undefined> => this.#read(name),
    failed: (error: unknown): void => this.#failed(error),
    isShared: (): boolean => this.#deps.nodes.shared,
  }

  #isMine(name: string): boolean {
    const { nodes } = this.#deps
    return !nodes.shared || rendezvous(name, this.#candidates()) === nodes.self
  }

  #candidates(): number[] {
    const { store, nodes } = this.#deps
    return [...store.jobOwners.candidates()].filter((node) => mayServe(nodes, node))
  }

  /** Null: another node has it, which is to give it up first. */
  async #claim(name: string): Promise<JobClaim | null> {
    const { store, nodes } = this.#deps
    const claim = jobClaim(nodes.self, ++this.#count)
    const { value } = await store.transact(`job ${name}`, ({ jobOwners }) => {
      const owner = jobOwners.owner(name)
      // What it had before, it could not release.
      const isFree =
        owner === undefined || nodeOfJobClaim(owner) === nodes.self || !mayServe(nodes, nodeOfJobClaim(owner))
      return isFree ? { ops: [jobOwners.ownerOp(name, claim)], value: claim } : { value: null }
    })
    return value
  }

  async #release(name: string, claim: JobClaim): Promise<void> {
    await this.#deps.store.transact(`job ${name}`, ({ jobOwners }) => ({
      ops: jobOwners.owner(name) === claim ? [jobOwners.deleteOwnerOp(name)] : [],
      value: undefined,
    }))
  }

  async #releaseLeftOver(name: string): Promise<void> {
    const { store, nodes } = this.#deps
    const owner = nodes.shared ? store.jobOwners.owner(name) : undefined
    if (owner !== undefined && nodeOfJobClaim(owner) === nodes.self) await this.#release(name, owner)
  }

  async #read(name: string): Promise<JobClaim | undefined> {
    return (await this.#deps.store.tables.get('job', name))?.toString()
  }

  /** The others learn that this node takes jobs. It has another number after it was taken for gone. */
  async #enlist(): Promise<void> {
    const { store, nodes } = this.#deps
    if (!this.#isToEnlist) return
    this.#enlisting ??= store
      .transact('candidates', ({ jobOwners }) => ({ ops: [jobOwners.candidateOp(nodes.self)], value: undefined }))
      .then(
        () => {},
        (error) => this.#failed(error),
      )
      .finally(() => {
        this.#enlisting = null
      })
    await this.#enlisting
  }

  get #isToEnlist(): boolean {
    const { store, nodes } = this.#deps
    return nodes.shared && this.#isOpen && nodes.self !== 0 && !store.jobOwners.candidates().has(nodes.self)
  }

  /** These nodes take no jobs any more. */
  async #strike(isOut: (node: number) => boolean): Promise<void> {
    await this.#deps.store.transact('candidates', ({ jobOwners }) => {
      const out = [...jobOwners.candidates()].filter(isOut)
      return { ops: out.map((node) => jobOwners.deleteCandidateOp(node)), value: undefined }
    })
  }

  #on(change: RecordChange): void {
    if (change.kind === 'reloaded') this.#reviewAll()
    else if (change.kind !== 'job') return
    else if (change.job === null) this.#reviewAll()
    else this.#jobs.get(change.job)?.noticed(this.#deps.store.jobOwners.owner(change.job))
  }

  #reviewAll(): void {
    const { store, nodes } = this.#deps
    void this.#enlist()
    const isGone = (node: number): boolean => !mayServe(nodes, node)
    if (this.#isOpen && [...store.jobOwners.candidates()].some(isGone))
      this.#strike(isGone).catch((error) => this.#failed(error))
    for (const job of this.#jobs.values()) job.noticed(store.jobOwners.owner(job.name))
  }

  async #reviewed(): Promise<void> {
    for (const job of this.#jobs.values()) job.review()
    await Promise.all([...this.#jobs.values()].map((job) => job.idle()))
  }

  #failed(error: unknown): void {
    const { wheel, failed } = this.#deps
    failed(error)
    if (this.#isOpen) wheel.set(this, wheel.now + AFTER_FAILURE)
  }
}
