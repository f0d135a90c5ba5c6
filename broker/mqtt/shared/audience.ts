/** Which members of a share group may receive a message. */
import type { UnloggedMessage } from '../../hub.js'
import type { Fence } from '../../store/fence.js'
import { isSubscribed, type SharedFilter } from './group-name.js'
import { isPresent, type PresentMember, type SharedMessage, type ShareMember, type ShareMembers } from './members.js'
import type { ShareServices } from './share-services.js'

/** The group. */
interface Named {
  readonly id: string
  readonly user: string
  readonly shared: SharedFilter
  readonly fence: Fence | null
}

export class Audience {
  readonly #group: Named
  readonly #members: ShareMembers
  readonly #services: ShareServices

  constructor(group: Named, members: ShareMembers, services: ShareServices) {
    this.#group = group
    this.#members = members
    this.#services = services
  }

  mayReceive(member: PresentMember, { topic, payload }: Pick<SharedMessage, 'topic' | 'payload'>): boolean {
    return member.session.isFor(topic, payload) && this.mayReceiveTopic(member, topic)
  }

  mayReceiveTopic({ subscription, session }: PresentMember, topic: string): boolean {
    return subscription.unconditional || session.mayReceive(topic)
  }

  /** Whether an absent member may receive it, judged by its user: the roles of its next login are not known. */
  mayGoToAway(topic: string): boolean {
    if (this.#group.fence && this.#services.isWanted(this.#group.id)) return true
    for (const { sessionId } of this.#away()) {
      const slash = sessionId.indexOf('/')
      if (this.#services.couldReceive(sessionId.slice(0, slash), sessionId.slice(slash + 1), topic)) return true
    }
    return false
  }

  /** Among nodes, those that subscribed elsewhere since the group is served here are known by what is stored. */
  *#away(): Generator<Pick<ShareMember, 'sessionId'>> {
    yield* this.#members.away()
    const { user, shared, fence } = this.#group
    if (!fence) return
    for (const stored of this.#services.store.subscriptions.shared())
      if (stored.qos > 0 && isSubscribed({ user, parsed: shared }, stored)) yield { sessionId: stored.clientId }
  }

  /** Messages that no member may receive must not fill the queue while the members are absent. */
  concernsNobody({ topic }: UnloggedMessage): boolean {
    for (const member of this.#members) if (isPresent(member) && this.mayReceiveTopic(member, topic)) return false
    return !this.mayGoToAway(topic)
  }
}
