/** Share groups where nodes share a store: each is served by one of them at a time (group-claim.ts), and goes from one to another with all that is stored of it. */
import { commit } from '../../store/commit.js'
import { type Fence, writerBehind } from '../../store/fence.js'
import type { QoS } from '../../store/qos.js'
import { addTo, removeFrom } from '../../util/sets.js'
import { type AssignedMessage, assignmentSource, LentElsewhere, parseAssignmentSource } from './assignments.js'
import type { ShareGroup } from './group.js'
import type { GroupClaim, OpenedGroup } from './group-claim.js'
import { type AmongNodes, GroupClaims } from './group-claims.js'
import { type GroupName, groupName, groupOfStored, isSubscribed, type SharedFilter } from './group-name.js'
import type { GroupWriter } from './group-writer.js'
import type { KnownGroups } from './known-groups.js'
import { readAssigned } from './lent-message.js'
import type { MemberSession, ShareMember } from './members.js'
import type { ShareServices } from './share-services.js'
import { storedAssignments } from './stored-members.js'

export interface GroupsAmongNodesDeps {
  readonly among: AmongNodes
  readonly groups: KnownGroups
  readonly services: ShareServices
  readonly sessionWriter: Pick<GroupWriter, 'flush' | 'forget'>
  readonly failed: (error: unknown) => void
}

const NO_HEADS: ReadonlyMap<string, number> = new Map()

export class GroupsAmongNodes {
  readonly claims: GroupClaims
  readonly #deps: GroupsAmongNodesDeps
  /** Sessions that have QoS 2 exchanges of groups served here, and are not connected here. */
  readonly #holders = new Map<string, Set<ShareGroup>>()

  constructor(deps: GroupsAmongNodesDeps) {
    const { among, services, failed } = deps
    this.#deps = deps
    this.claims = new GroupClaims(among, {
      store: services.store,
      failed,
      open: (claim, fence) => this.#open(claim, fence),
      attach: ({ group, heads }, member) => this.#attach(group, member, heads),
      end: (claim, group, isOurs) => this.#endHere(claim, group, isOurs),
      sessionMoved: (session) => void this.#settleOthers(session).catch(failed),
    })
  }

  /** Deletes the queues of groups that no longer exist. Where a single process had the store before, groups have no record yet. */
  async load(): Promise<void> {
    await this.claims.load()
    const { store } = this.#deps.services
    const unrecorded = new Map<string, { name: GroupName; qos: QoS }>()
    for (const { clientId, topic, qos } of store.subscriptions.shared()) {
      const name = groupOfStored(clientId, topic)!
      const known = unrecorded.get(name.id)?.qos ?? 0
      if (qos > known && store.subscriptions.topicsOf(name.id).length === 0) unrecorded.set(name.id, { name, qos })
    }
    for (const { name, qos } of unrecorded.values()) await commit(store, this.#keeping(name, qos))
  }

  /** Resolves when a member may subscribe: the group is served here, or it is noted that it is wanted here; and all nodes queue messages for it. */
  async prepare(user: string, parsed: SharedFilter, qos: QoS): Promise<void> {
    const name = groupName(user, parsed)
    const claim = this.claims.of(name)
    if (!claim.group) await claim.expect()
    if (claim.group) await this.#keep(claim.group, qos)
    else if (qos > (await this.#keptQos(name.id))) await commit(this.#deps.services.store, this.#keeping(name, qos))
  }

  /** Where another node serves the group, the member waits. */
  join(name: GroupName, member: ShareMember, heads: ReadonlyMap<string, number>): void {
    const { group } = this.claims.join(name, member)
    if (group) this.#attach(group, member, heads)
  }

  /** The session goes on here, perhaps from another node: what of groups served here ended there is settled. */
  started({ id }: MemberSession): void {
    for (const group of this.#deps.groups.ofSession(id)) group.handOver.settleEnded()
  }

  /** The connection of a member is gone. */
  away(groups: readonly ShareGroup[], session: MemberSession): void {
    for (const group of groups) {
      session.shares.delete(group)
      if (group.handOver.concerns(session.id)) addTo(this.#holders, session.id, group)
    }
    this.claims.away(session)
  }

  /** A session ends, or has ended: what is stored says who may come back. */
  forget(sessionId: string): void {
    this.claims.forget(sessionId)
    for (const group of this.#deps.groups.all()) group.dropDeserted()
  }

  /** An in-flight packet of a session that belongs to a group which is not served here. */
  assignment(session: MemberSession, group: string, source: string, seq: number): AssignedMessage {
    const owner = this.#lent(session, assignmentSource(group, source))
    return { owner, read: () => readAssigned(this.#deps.services, session, { group, source, seq }) }
  }

  #attach(group: ShareGroup, member: ShareMember, heads: ReadonlyMap<string, number>): void {
    this.#deps.groups.join(group, member, heads)
    this.#keep(group, member.subscription.qos).catch(this.#deps.failed)
  }

  async #keep(group: ShareGroup, qos: QoS): Promise<void> {
    if (qos <= group.kept) return
    const { services } = this.#deps
    await commit(writerBehind(services.store, group.fence), this.#keeping({ id: group.id, parsed: group.shared }, qos))
    group.kept = qos
    // Its position is stored too, so that what comes from now on waits for it.
    group.touched(group.queue)
  }

  /** Every node queues messages for the group by this record. */
  #keeping({ id, parsed }: Pick<GroupName, 'id' | 'parsed'>, qos: QoS) {
    return { ops: this.#deps.services.store.sessions.subscribeOps(id, [{ topic: parsed.filter, qos }]) }
  }

  async #keptQos(id: string): Promise<QoS> {
    const [kept] = await this.#deps.services.store.sessions.subscriptionsOf(id)
    return kept?.qos ?? 0
  }

  // --- from one node to another ------------------------------------------------------------------------------------------------------

  async #open({ name }: GroupClaim, fence: Fence): Promise<OpenedGroup> {
    const { groups, services } = this.#deps
    await services.store.catchUp()
    const group = groups.of(name, fence)
    try {
      group.kept = await this.#keptQos(name.id)
      return { group, heads: (await this.#restore(name, group)) ? NO_HEADS : await headsOf(group) }
    } catch (error) {
      this.#remove(group)
      throw error
    }
  }

  /** False: it has no positions yet. */
  async #restore(name: GroupName, group: ShareGroup): Promise<boolean> {
    const { groups, services } = this.#deps
    const { sessions, subscriptions } = services.store
    for (const stored of subscriptions.shared()) if (isSubscribed(name, stored)) groups.remember(group, stored)
    const progress = await sessions.progress(name.id)
    if (group.kept === 0 || (name.user !== '' && progress.cursors.size === 0)) return false
    const members = progress.inflight.length > 0 ? [...group.members].map(({ sessionId }) => sessionId) : []
    const held = (await storedAssignments(sessions, members)).get(name.id) ?? []
    await group.restore(progress, held)
    for (const sessionId of new Set(held.map(({ sessionId }) => sessionId))) {
      addTo(this.#holders, sessionId, group)
      // It may have gone on while the group was restored.
      this.#settleOthers(sessionId).catch(this.#deps.failed)
    }
    return true
  }

  async #endHere({ present }: GroupClaim, group: ShareGroup, isOurs: boolean): Promise<void> {
    const { sessionWriter, services } = this.#deps
    await group.handOver.exchangesStored(isOurs)
    // A member that waits elsewhere may have subscribed at a higher QoS.
    if (isOurs) await this.#raise(group)
    group.endHere(({ member, source }) => this.#lent(member.session!, source!))
    if (isOurs) {
      group.saver?.touched()
      await sessionWriter.flush((one) => one === group)
      // Whether it has members elsewhere is to be known.
      if (present.size === 0) await services.store.catchUp()
    }
    this.#remove(group)
  }

  async #raise(group: ShareGroup): Promise<void> {
    const kept = await this.#keptQos(group.id)
    if (kept > group.kept) group.raise(kept, await headsOf(group))
  }

  #remove(group: ShareGroup): void {
    this.#deps.groups.remove(group)
    this.#deps.sessionWriter.forget(group)
  }

  // --- QoS 2 exchanges that stay with their sessions ----------------------------------------------------------------------------------

  #lent(session: MemberSession, source: string): LentElsewhere {
    return new LentElsewhere(source, ({ seq }) => {
      session.saver?.touched()
      const parts = parseAssignmentSource(source)!
      const assignment = this.#deps.groups.get(parts.group)?.assignment(session.id, parts.source, seq)
      assignment?.owner.acknowledged(seq)
    })
  }

  /** What a session has completed while another node served it. */
  async #settleOthers(sessionId: string): Promise<void> {
    const groups = this.#holders.get(sessionId)
    if (!groups) return
    const { inflight } = await this.#deps.services.store.sessions.progress(sessionId)
    for (const group of [...groups]) {
      if (!group.closed) group.handOver.settleOthers(sessionId, inflight)
      if (group.closed || !group.handOver.concerns(sessionId)) removeFrom(this.#holders, sessionId, group)
    }
  }
}

function headsOf({ feedSet, shared }: ShareGroup): Promise<ReadonlyMap<string, number>> {
  return feedSet.heads(feedSet.viewsOf({ parsed: shared.of }))
}
