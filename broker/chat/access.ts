/** Checks subscriptions, and gives the state that a new subscription gets at once. */
import { announcementRoles } from '../../schemas/announcement.js'
import { Refusal } from '../../schemas/errors.js'
import { ANONYMOUS, directMembers } from '../../schemas/ids.js'
import { deviceOf, type Filter, isChatTopic, isSysTopic, parseTopic, topics } from '../../schemas/topics.js'
import type { Acl } from '../auth/principal.js'
import { type UnloggedMessage, unlogged } from '../hub.js'
import type { Store } from '../store/store.js'
import type { DeviceRules } from './devices/device-rules.js'
import { type Actor, hasOneOf, isAdmin, requireUser } from './model/actor.js'
import type { Presence } from './presence/presence.js'
import type { RoomEntry } from './rooms/room-entry.js'
import type { RoomInfo } from './rooms/room-info.js'

export interface Grant {
  /** Every topic the filter can match is allowed, so that deliveries need no check. */
  unconditional: boolean
}

/** A topic whose retained message the broker computes when it is needed; null: the subscriber may not see it any more. */
export interface CurrentState {
  readonly topic: string
  current(): UnloggedMessage | null
}

const GRANTED: Grant = { unconditional: true }

export interface AccessDeps {
  readonly store: Store
  readonly acl: Acl
  readonly entry: RoomEntry
  readonly presence: Presence
  readonly info: RoomInfo
  readonly devices: DeviceRules
}

export class Access {
  readonly #store: Store
  readonly #acl: Acl
  readonly #entry: RoomEntry
  readonly #presence: Presence
  readonly #info: RoomInfo
  readonly #devices: DeviceRules

  constructor({ store, acl, entry, presence, info, devices }: AccessDeps) {
    this.#store = store
    this.#acl = acl
    this.#entry = entry
    this.#presence = presence
    this.#info = info
    this.#devices = devices
  }

  /** Checks a new subscription, and joins a public room where DESIGN §2 says so. @throws Refusal */
  async subscribe(actor: Actor, filter: string, parsed: Filter): Promise<Grant> {
    if (parsed.kind === 'shared') return this.subscribe(actor, parsed.filter, parsed.of)
    if (parsed.kind === 'room') await this.#enterRoom(actor, parsed)
    return this.check(actor, filter, parsed)
  }

  /** Checks a subscription without side effects, as for a restored session. @throws Refusal */
  check(actor: Actor, filter: string, parsed: Filter): Grant {
    const { clientId } = actor
    switch (parsed.kind) {
      case 'room':
        requireUser(actor)
        if (parsed.room !== null) this.#requireMayFollow(actor, parsed.room, parsed)
        return GRANTED
      case 'user':
        return this.#checkUser(actor, filter, parsed)
      case 'broadcast':
        requireUser(actor)
        return GRANTED
      case 'sys':
        if (!isAdmin(actor)) throw new Refusal('forbidden', '$SYS is for admins')
        return GRANTED
      case 'device':
        return this.#checkDevice(actor, filter, parsed)
      case 'plain':
        return this.#checkAcl(actor, clientId, filter)
      case 'shared':
        return this.check(actor, parsed.filter, parsed.of)
      case 'invalid':
        throw new Refusal('bad_request', parsed.why)
    }
  }

  /** Whether a message on a plain topic may be delivered now. */
  mayReceive(actor: Actor, topic: string): boolean {
    if (isSysTopic(topic)) return isAdmin(actor)
    const device = deviceOf(topic)
    const { user, anonymous } = actor.principal
    if (device !== null && !anonymous && (device === user || this.#devices.allows(user, device, 'read'))) return true
    return this.#acl.mayReceive(actor.principal, actor.clientId, topic)
  }

  /** Whether some login of an offline user could receive a message on this topic. */
  couldReceive(user: string, clientId: string, topic: string): boolean {
    const anonymous = user === ANONYMOUS
    if (isSysTopic(topic) || isChatTopic(topic)) return !anonymous
    const device = deviceOf(topic)
    if (device !== null && !anonymous && (device === user || this.#devices.allows(user, device, 'read'))) return true
    return this.#acl.couldReceive(user, clientId, topic)
  }

  /** Whether the actor has a role that an announcement is restricted to. Checked at delivery, because roles may change while it waits. */
  isFor(actor: Actor, topic: string, payload: Buffer): boolean {
    return hasOneOf(actor, announcementRoles(topic, payload))
  }

  /** Whether an ephemeral message that had to wait may still be delivered: presence may be hidden by now. */
  maySee({ principal }: Actor, topic: string): boolean {
    const parsed = parseTopic(topic)
    const isPresence = parsed.kind === 'user' && parsed.leaf === 'presence'
    return !isPresence || this.#presence.audience.visible(parsed.user, principal.user)
  }

  /** What the broker retains for a new subscription: room info and presence. Retained plain messages come from the store. */
  *currentStates(actor: Actor, parsed: Filter): Generator<CurrentState> {
    const { user } = actor.principal
    if (parsed.kind === 'room' && parsed.leaves.includes('info')) {
      const rooms = parsed.room === null ? this.#store.directory.memberships(user).keys() : [parsed.room]
      for (const room of [...rooms])
        yield { topic: topics.room(room, 'info'), current: () => this.#currentInfo(room, user) }
    }
    if (parsed.kind === 'user' && parsed.leaves.includes('presence'))
      for (const seen of parsed.user === null ? this.#presence.audience.visibleTo(user) : [parsed.user])
        yield { topic: topics.user(seen, 'presence'), current: () => this.#currentPresence(seen, user) }
  }

  #currentInfo(room: string, user: string): UnloggedMessage | null {
    const payload = this.#store.directory.member(room, user) ? this.#info.current(room) : null
    return payload && unlogged(topics.room(room, 'info'), payload, 1, { retain: true })
  }

  #currentPresence(seen: string, user: string): UnloggedMessage | null {
    return this.#presence.audience.visible(seen, user) ? this.#presence.current(seen) : null
  }

  async #enterRoom(actor: Actor, { room, leaves }: Filter & { kind: 'room' }): Promise<void> {
    if (room === null || directMembers(room)) return
    if (this.#store.directory.member(room, requireUser(actor))) return
    const joins = leaves.length === 1 && (leaves[0] === 'messages' || leaves[0] === 'text')
    if (joins) await this.#entry.enter(actor, room)
  }

  #requireMayFollow(actor: Actor, room: string, { leaves }: Filter & { kind: 'room' }): void {
    const user = requireUser(actor)
    const pair = directMembers(room)
    if (pair) {
      if (!pair.includes(user)) throw new Refusal('not_found', `there is no room ${room}`)
      if (leaves.length === 1 && (leaves[0] === 'messages' || leaves[0] === 'text')) {
        throw new Refusal('bad_request', `direct messages arrive on ${topics.user(user, 'messages')}`)
      }
      return
    }
    if (this.#store.directory.member(room, user)) return
    const record = this.#store.directory.room(room)
    if (!record || record.access === 'private') throw new Refusal('not_found', `there is no room ${room}`)
    throw new Refusal('forbidden', `you are not a member of ${room}; join it with rooms.join`)
  }

  #checkUser(actor: Actor, filter: string, { user, leaves }: Filter & { kind: 'user' }): Grant {
    const me = requireUser(actor)
    if (user === null || user === me) return GRANTED
    const presenceOnly = leaves.length === 1 && leaves[0] === 'presence'
    if (!presenceOnly) throw new Refusal('forbidden', `${filter} belongs to ${user}`)
    if (!this.#presence.audience.visible(user, me))
      throw new Refusal('forbidden', `${user} is no contact of yours, and you share no private room`)
    return GRANTED
  }

  /**
   * A device may read its own topics without further checks. Topics of devices the user may read, and those that rules allow, are checked
   * at each delivery.
   */
  #checkDevice(actor: Actor, filter: string, { user: device }: Filter & { kind: 'device' }): Grant {
    const { user, anonymous } = actor.principal
    if (device === user && !anonymous) return GRANTED
    // A filter over all devices matches those the user may read, now and later.
    const may = !anonymous && (device === null || this.#devices.allows(user, device, 'read'))
    if (may) return { unconditional: false }
    const why = `${device} is neither yours nor shared with you, and no rule allows you to subscribe to ${filter}`
    return this.#checkAcl(actor, actor.clientId, filter, anonymous || device === null ? undefined : why)
  }

  #checkAcl(
    actor: Actor,
    clientId: string,
    filter: string,
    why = `no rule allows you to subscribe to ${filter}`,
  ): Grant {
    const answer = this.#acl.maySubscribe(actor.principal, clientId, filter)
    if (answer === 'none') throw new Refusal('forbidden', why)
    return { unconditional: answer === 'all' }
  }
}
