/**
 * A share group among nodes that share a store: which members are connected here, and whether this node serves it. One node at a time does; it
 * follows the logs and the queue of the group, and assigns messages to the members that are connected to it. The members of other nodes wait.
 * The group goes to the node that waits when no member is left here, and after a while also if there are some.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Fence } from '../../store/fence.js'
import type { Op } from '../../store/op.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import type { ShareGroup } from './group.js'
import type { GroupName } from './group-name.js'
import type { ShareMember } from './members.js'
import type { Claimant, Ownership, StoredClaim } from './ownership.js'

/** Ms that a group is served by one node while members at another one wait. */
export const TURN = 5000
/** Ms that members have to acknowledge what they were sent, before a group is given up. */
const SETTLE = 1000
/** Ms for which a node that gave up a group lets others ask for it first. */
const AFTER_TURN = 500
const AFTER_FAILURE = 1000
/** Ms for which a SUBSCRIBE may be under way. */
const EXPECTED = 10_000

export interface GroupClaimDeps {
  readonly claims: Pick<Ownership, 'begin' | 'release' | 'isWanted'>
  readonly wheel: TimerWheel
  /** Makes the group, and restores it if it was served before. */
  readonly open: (claim: GroupClaim, fence: Fence) => Promise<OpenedGroup>
  readonly attach: (opened: OpenedGroup, member: ShareMember) => void
  /** Ends the group here. @param isOurs What is to be kept of it is written; else another node has taken it */
  readonly end: (claim: GroupClaim, group: ShareGroup, isOurs: boolean) => Promise<void>
  /** What ends the group for good, if it has no members on any node. */
  readonly ending: (claim: GroupClaim) => readonly Op[]
  /** Nobody here has to do with the group. */
  readonly idle: (claim: GroupClaim) => void
  readonly failed: (error: unknown) => void
}

export interface OpenedGroup {
  readonly group: ShareGroup
  /** Where its views begin, if nothing was stored of it. */
  readonly heads: ReadonlyMap<string, number>
}

export class GroupClaim implements Claimant, Deadline {
  readonly name: GroupName
  /** Connected members, by session. */
  readonly present = new Map<string, ShareMember>()
  /** Sessions that left, whose subscription may still be stored. */
  readonly left = new Set<string>()
  /** While this node serves it. */
  group: ShareGroup | null = null
  readonly #deps: GroupClaimDeps
  #claim: StoredClaim | null = null
  /** Unix ms: until when a member may be about to subscribe, until when it is served here in any case, and from when on it may be asked for. */
  #expectedUntil = 0
  #turnEnds = 0
  #asksFrom = 0
  #running: Promise<void> | null = null
  #again = false

  constructor(name: GroupName, deps: GroupClaimDeps) {
    this.name = name
    this.#deps = deps
  }

  /** A member is about to subscribe. Resolves when the group is served here, or it is noted that it is wanted here. */
  async expect(): Promise<void> {
    this.#expectedUntil = this.#deps.wheel.now + EXPECTED
    this.review()
    await this.idle()
  }

  joined(member: ShareMember): void {
    this.#expectedUntil = 0
    this.left.delete(member.sessionId)
    this.present.set(member.sessionId, member)
    if (this.group === null) this.review()
  }

  /** @param forGood It is no member any more */
  gone(sessionId: string, forGood: boolean): void {
    if (forGood) this.left.add(sessionId)
    if (this.present.delete(sessionId) && !this.#isNeeded) this.review()
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  get closed(): boolean {
    return !this.#isNeeded
  }

  /** A claim elsewhere waits. */
  close(): void {
    this.review()
  }

  sessionLost(): void {
    this.review()
  }

  due(): number {
    this.review()
    return 0
  }

  /** Something may have changed that decides who serves the group. */
  review(): void {
    this.#again = true
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      if (this.#again) this.review()
    })
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      await this.#step().catch((error: unknown) => this.#failed(error))
    }
    this.#setDeadline()
    if (!this.#isNeeded && this.#claim === null) this.#deps.idle(this)
  }

  async #step(): Promise<void> {
    if (this.group) await this.#serve(this.group)
    else if (this.#isNeeded) await this.#ask()
    else await this.#release()
  }

  get #isNeeded(): boolean {
    return this.present.size > 0 || this.#deps.wheel.now < this.#expectedUntil
  }

  #failed(error: unknown): void {
    this.#deps.failed(error)
    this.#asksFrom = this.#deps.wheel.now + AFTER_FAILURE
  }

  #setDeadline(): void {
    const { wheel } = this.#deps
    const coming = [this.#expectedUntil, this.#turnEnds, this.#asksFrom].filter((at) => at > wheel.now)
    if (coming.length > 0) wheel.set(this, Math.min(...coming))
    else wheel.delete(this)
  }

  async #serve(group: ShareGroup): Promise<void> {
    const { claims, wheel } = this.#deps
    if (this.#claim!.lost) return this.#end(group, false)
    const isTurnOver = wheel.now >= this.#turnEnds && claims.isWanted(this.name.claim)
    if (this.#isNeeded && !isTurnOver) return
    await settled(group)
    await this.#end(group, true)
    if (this.#isNeeded) this.#asksFrom = wheel.now + AFTER_TURN
  }

  async #end(group: ShareGroup, isOurs: boolean): Promise<void> {
    this.group = null
    this.#turnEnds = 0
    this.#again = true
    await this.#deps.end(this, group, isOurs)
    await this.#release()
  }

  async #release(): Promise<void> {
    if (this.#claim === null) return
    this.#claim = null
    await this.#deps.claims.release(this.name.claim, this, () => this.#deps.ending(this))
  }

  /** One node waits at a time: the others ask when it has got the group. */
  async #ask(): Promise<void> {
    const { claims, wheel } = this.#deps
    if (this.#claim === null) {
      if (wheel.now < this.#asksFrom || claims.isWanted(this.name.claim)) return
      // Never taken from a node that is there: its members could not be sent anything that has to be saved first.
      const claim = await claims.begin(this.name.claim, this, null)
      this.#claim = claim
      void claim.decided.then(() => this.review())
    }
    if (this.#claim.state === 'lost') {
      this.#asksFrom = wheel.now + AFTER_TURN
      await this.#release()
    } else if (this.#claim.state === 'held') await this.#open(this.#claim)
  }

  async #open(claim: StoredClaim): Promise<void> {
    try {
      const opened = await this.#deps.open(this, claim)
      this.group = opened.group
      for (const member of this.present.values()) this.#deps.attach(opened, member)
      opened.group.handOver.settleEnded()
    } catch (error) {
      await this.#release()
      throw error
    }
    this.#turnEnds = this.#deps.wheel.now + TURN
    // Meanwhile it may have been lost, or all members may have gone.
    this.#again = true
  }
}

async function settled(group: ShareGroup): Promise<void> {
  const over = new AbortController()
  await Promise.race([group.settleAssignments(), pause(SETTLE, undefined, over).catch(() => {})])
  over.abort()
}
