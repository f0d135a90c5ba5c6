/** Requests to join a room, which wait until someone who may approve them approves or denies them. */
import { Refusal } from '../../../schemas/errors.js'
import { commit } from '../../store/commit.js'
import type { JoinRequestRecord, MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import { type Actor, requireUser } from '../model/actor.js'
import { roomEvent, userEvent } from '../model/events.js'
import type { Members } from './members.js'
import type { RoomRules } from './room-rules.js'

/** Per room. */
const MAX_REQUESTS = 1000

export interface JoinRequestsDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly members: Members
  readonly locks: KeyedMutex
}

export class JoinRequests {
  readonly #store: Store
  readonly #rules: RoomRules
  readonly #members: Members
  readonly #locks: KeyedMutex

  constructor({ store, rules, members, locks }: JoinRequestsDeps) {
    this.#store = store
    this.#rules = rules
    this.#members = members
    this.#locks = locks
  }

  /** Idempotent: a second request changes nothing. */
  ask(actor: Actor, room: string, message: string | null): Promise<void> {
    const user = requireUser(actor)
    const record = this.#rules.requireVisible(actor, room)
    if (record.direct) throw new Refusal('bad_request', 'nobody is let into a direct conversation', { field: 'room' })
    return this.#locks.runExclusive(room, async () => {
      const { directory } = this.#store
      if (directory.member(room, user)) throw new Refusal('conflict', `you are a member of ${room} already`)
      if (directory.room(room)?.access !== 'request')
        throw new Refusal('conflict', `${room} takes no requests; join it with rooms.join`)
      this.#rules.requireNotBanned(room, user)
      if (directory.joinRequests.get(room, user)) return
      if (directory.joinRequests.of(room).size >= MAX_REQUESTS)
        throw new Refusal('conflict', `${MAX_REQUESTS} users wait to be let into ${room} already`)
      const ops = [directory.joinRequests.putOp({ room, user, at: Date.now(), message })]
      await commit(this.#store, { drafts: [roomEvent(room, { type: 'requested', user })], ops })
    })
  }

  /** The open requests. */
  list(actor: Actor, room: string): Iterable<JoinRequestRecord> {
    this.#rules.require(actor, room, 'approve')
    return this.#store.directory.joinRequests.of(room).values()
  }

  async approve(actor: Actor, room: string, user: string): Promise<MemberRecord> {
    const member = await this.#locks.runExclusive(room, async () => {
      this.#rules.require(actor, room, 'approve')
      this.#requireRequest(room, user)
      return this.#members.admit(actor, room, user)
    })
    return this.#members.withOwner(member)
  }

  deny(actor: Actor, room: string, user: string): Promise<void> {
    return this.#locks.runExclusive(room, async () => {
      this.#rules.require(actor, room, 'approve')
      this.#requireRequest(room, user)
      const by = actor.principal.user
      const drafts = [roomEvent(room, { type: 'denied', user, by }), userEvent(user, { type: 'denied', room, by })]
      await commit(this.#store, { drafts, ops: [this.#store.directory.joinRequests.deleteOp(room, user)] })
    })
  }

  #requireRequest(room: string, user: string): void {
    if (!this.#store.directory.joinRequests.get(room, user))
      throw new Refusal('not_found', `${user} has not asked to join ${room}`, { field: 'user' })
  }
}
