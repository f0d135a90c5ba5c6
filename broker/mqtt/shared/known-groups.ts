/** The share groups that are served here. */
import type { SubscriberSaver } from '../../following/services.js'
import type { Subscriber } from '../../following/subscriber.js'
import type { Fence } from '../../store/fence.js'
import { addTo, removeFrom } from '../../util/sets.js'
import { ShareGroup } from './group.js'
import { type GroupName, groupName, type SharedFilter } from './group-name.js'
import type { MemberSession, ShareMember } from './members.js'
import type { ShareServices } from './share-services.js'
import { memberOf, type StoredMember } from './stored-members.js'

export interface KnownGroupsDeps {
  readonly services: ShareServices
  readonly saver: (group: Subscriber) => SubscriberSaver
  readonly failed: (error: unknown) => void
}

export class KnownGroups {
  readonly #deps: KnownGroupsDeps
  readonly #groups = new Map<string, ShareGroup>()
  readonly #byUser = new Map<string, Set<ShareGroup>>()
  /** Groups of which a session is a member, or has unacknowledged messages. */
  readonly #bySession = new Map<string, Set<ShareGroup>>()

  constructor(deps: KnownGroupsDeps) {
    this.#deps = deps
  }

  get(id: string): ShareGroup | undefined {
    return this.#groups.get(id)
  }

  all(): Iterable<ShareGroup> {
    return this.#groups.values()
  }

  ofUser(user: string): ShareGroup[] {
    return [...(this.#byUser.get(user) ?? [])]
  }

  ofSession(sessionId: string): ShareGroup[] {
    return [...(this.#bySession.get(sessionId) ?? [])]
  }

  sessions(): Iterable<string> {
    return this.#bySession.keys()
  }

  known(user: string, parsed: SharedFilter): ShareGroup | undefined {
    return this.#groups.get(groupName(user, parsed).id)
  }

  make({ id, user, parsed }: GroupName): ShareGroup {
    return new ShareGroup(id, user, parsed, this.#deps.services, this.#deps.failed)
  }

  of(name: GroupName, fence: Fence | null = null): ShareGroup {
    const known = this.#groups.get(name.id)
    if (known) return known
    const group = this.make(name)
    group.fence = fence
    group.saver = this.#deps.saver(group)
    this.#groups.set(group.id, group)
    addTo(this.#byUser, group.user, group)
    return group
  }

  /** A member from before, not connected. */
  remember(group: ShareGroup, stored: StoredMember): void {
    addTo(this.#bySession, stored.clientId, group)
    group.remember(memberOf(stored))
  }

  join(group: ShareGroup, member: ShareMember, heads: ReadonlyMap<string, number>): void {
    if (!group.started) group.start()
    addTo(this.#bySession, member.sessionId, group)
    group.join(member, heads)
  }

  away({ id, persistent }: MemberSession): void {
    if (!persistent) this.#bySession.delete(id)
  }

  forget(sessionId: string): void {
    this.#bySession.delete(sessionId)
  }

  remove(group: ShareGroup): void {
    group.close()
    this.#groups.delete(group.id)
    removeFrom(this.#byUser, group.user, group)
    for (const { sessionId } of group.members) removeFrom(this.#bySession, sessionId, group)
  }
}
