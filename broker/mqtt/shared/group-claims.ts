/** The share groups that have members here, among nodes that share a store; and the end of groups that have none anywhere. */
import { commit } from '../../store/commit.js'
import { type Fence, writerBehind } from '../../store/fence.js'
import type { Op } from '../../store/op.js'
import type { RecordChange } from '../../store/record-changes.js'
import type { Store } from '../../store/store.js'
import { addTo, removeFrom } from '../../util/sets.js'
import type { TimerWheel } from '../../util/timer-wheel.js'
import { GroupClaim, type GroupClaimDeps } from './group-claim.js'
import {
  type GroupName,
  groupOfStored,
  isGroupClaim,
  isGroupId,
  isSubscribed,
  nameOfClaim,
  nameOfGroup,
} from './group-name.js'
import type { MemberSession, ShareMember } from './members.js'
import type { Ownership } from './ownership.js'

/** What a node needs beside others. */
export interface AmongNodes {
  readonly claims: Ownership
  readonly wheel: TimerWheel
  readonly onGone: (listener: () => void) => void
}

export interface GroupClaimsDeps extends Pick<GroupClaimDeps, 'open' | 'attach' | 'end' | 'failed'> {
  readonly store: Store
  /** Nobody serves the session any more, or another node does. */
  readonly sessionMoved: (session: string) => void
}

const NOBODY: ReadonlySet<string> = new Set()

export class GroupClaims {
  readonly #deps: GroupClaimsDeps
  readonly #claims: Ownership
  readonly #wheel: TimerWheel
  /** By what is claimed. */
  readonly #all = new Map<string, GroupClaim>()
  readonly #bySession = new Map<string, Set<GroupClaim>>()

  constructor({ claims, wheel, onGone }: AmongNodes, deps: GroupClaimsDeps) {
    this.#deps = deps
    this.#claims = claims
    this.#wheel = wheel
    deps.store.watch((change) => this.#on(change))
    onGone(() => this.#reviewAll())
  }

  /** Deletes the queues of groups that no longer exist. */
  async load(): Promise<void> {
    for (const id of [...this.#deps.store.queue.nonEmptyQueues()])
      if (isGroupId(id)) await this.#endDeserted(nameOfGroup(id), NOBODY)
  }

  known({ claim }: GroupName): GroupClaim | undefined {
    return this.#all.get(claim)
  }

  of(name: GroupName): GroupClaim {
    const known = this.#all.get(name.claim)
    if (known) return known
    const { open, attach, end, failed } = this.#deps
    const claim: GroupClaim = new GroupClaim(name, {
      ...{ claims: this.#claims, wheel: this.#wheel, open, attach, end, failed },
      ending: () => (this.#isDeserted(name, claim.left) ? this.#discardOps(name) : []),
      idle: (one) => void (this.#all.get(name.claim) === one && this.#all.delete(name.claim)),
    })
    this.#all.set(name.claim, claim)
    return claim
  }

  join(name: GroupName, member: ShareMember): GroupClaim {
    const claim = this.of(name)
    addTo(this.#bySession, member.sessionId, claim)
    claim.joined(member)
    return claim
  }

  leave(name: GroupName, sessionId: string): void {
    const claim = this.known(name)
    if (!claim) return
    removeFrom(this.#bySession, sessionId, claim)
    claim.gone(sessionId, true)
  }

  away({ id }: MemberSession): void {
    for (const claim of this.#bySession.get(id) ?? []) claim.gone(id, false)
    this.#bySession.delete(id)
  }

  /** The session ends: what is stored of it is removed next, or was. */
  forget(sessionId: string): void {
    for (const claim of this.#bySession.get(sessionId) ?? []) claim.gone(sessionId, true)
    this.#bySession.delete(sessionId)
    const left = new Set([sessionId])
    for (const topic of this.#deps.store.subscriptions.topicsOf(sessionId)) {
      const name = groupOfStored(sessionId, topic)
      if (!name) continue
      this.known(name)?.left.add(sessionId)
      this.#endDeserted(name, left).catch(this.#deps.failed)
    }
  }

  /** A user left a room: who subscribes to its topics one by one is no member any more. */
  roomLeft(user: string, room: string): void {
    for (const { name, present } of this.#all.values())
      if (name.user === user && name.parsed.of.kind === 'room' && name.parsed.of.room === room)
        for (const { sessionId, session, subscription } of [...present.values()]) {
          session?.subscriptions.delete(subscription.filter)
          this.leave(name, sessionId)
        }
  }

  /** A node that served it ended without a word. */
  async endAbandoned(claimed: string): Promise<void> {
    await this.#claims.whileUnserved(claimed, (fence) => this.#end(nameOfClaim(claimed), NOBODY, fence))
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#all.values()].map((claim) => claim.idle()))
  }

  #on(change: RecordChange): void {
    if (change.kind === 'reloaded') this.#reviewAll()
    else if (change.kind !== 'owner') return
    else if (isGroupClaim(change.session)) this.#all.get(change.session)?.review()
    // While this node has it, what it had in flight may not be stored yet.
    else if (!this.#claims.isOwn(change.session)) this.#deps.sessionMoved(change.session)
  }

  #reviewAll(): void {
    for (const claim of this.#all.values()) claim.review()
  }

  /** Ends a group that no node serves, if it has no members. */
  async #endDeserted(name: GroupName, left: ReadonlySet<string>): Promise<void> {
    if (!this.#isDeserted(name, left)) return
    await this.#claims.whileUnserved(name.claim, (fence) => this.#end(name, left, fence))
  }

  async #end(name: GroupName, left: ReadonlySet<string>, fence: Fence): Promise<void> {
    const { store } = this.#deps
    await store.catchUp()
    if (this.#claims.isWanted(name.claim) || !this.#isDeserted(name, left)) return
    await commit(writerBehind(store, fence), { ops: this.#discardOps(name) })
  }

  /** @param left Sessions whose subscription may still be stored */
  #isDeserted(name: GroupName, left: ReadonlySet<string>): boolean {
    for (const stored of this.#deps.store.subscriptions.shared())
      if (isSubscribed(name, stored) && !left.has(stored.clientId)) return false
    return true
  }

  #discardOps({ id }: GroupName): Op[] {
    return this.#deps.store.sessions.discardOps(id)
  }
}
