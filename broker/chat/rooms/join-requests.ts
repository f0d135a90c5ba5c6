/** Requests to join a room, which wait until someone who may approve them approves or denies them. */
import { Refusal } from '../../../schemas/errors.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { JoinRequestRecord, MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { type Actor, requireAccount, requireUser } from '../model/actor.js'
import { roomEvent, userEvent } from '../model/events.js'
import { type Members, membershipsOf } from './members.js'
import type { RoomRules } from './room-rules.js'

/** Per room. */
const MAX_REQUESTS = 1000

export interface JoinRequestsDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly members: Members
}

export class JoinRequests {
  readonly #store: Store
  readonly #rules: RoomRules
  readonly #members: Members

  constructor({ store, rules, members }: JoinRequestsDeps) {
    this.#store = store
    this.#rules = rules
    this.#members = members
  }

  /** Idempotent: a second request changes nothing. */
  async ask(actor: Actor, room: string, message: string | null): Promise<void> {
    const user = requireUser(actor)
    await this.#store.transact(membershipsOf(user), (tx) => this.#ask(tx, actor, room, message))
  }

  async #ask(tx: Transaction, actor: Actor, room: string, message: string | null): Promise<Decision<undefined>> {
    const { directory } = tx
    const { user } = actor.principal
    const rules = this.#rules.with(directory)
    const record = rules.requireVisible(actor, room)
    if (record.direct) throw new Refusal('bad_request', 'nobody is let into a direct conversation', { field: 'room' })
    if (directory.member(room, user)) throw new Refusal('conflict', `you are a member of ${room} already`)
    if (record.access !== 'request') throw new Refusal('conflict', `${room} takes no requests; join it with rooms.join`)
    rules.requireNotBanned(room, user)
    await requireAccount(directory, actor.principal)
    if (directory.joinRequests.get(room, user)) return { value: undefined }
    tx.limit({ table: 'joinRequest', owner: room, most: MAX_REQUESTS })
    if (this.#store.directory.joinRequests.of(room).size >= MAX_REQUESTS)
      throw new Refusal('conflict', `${MAX_REQUESTS} users wait to be let into ${room} already`)
    const ops = [directory.joinRequests.putOp({ room, user, at: Date.now(), message })]
    return { drafts: [roomEvent(room, { type: 'requested', user })], ops, value: undefined }
  }

  /** The open requests. */
  list(actor: Actor, room: string): Iterable<JoinRequestRecord> {
    this.#rules.require(actor, room, 'approve')
    return this.#store.directory.joinRequests.of(room).values()
  }

  /** The open requests of the actor. */
  of(actor: Actor): Iterable<JoinRequestRecord> {
    return this.#store.directory.joinRequests.named(requireUser(actor)).values()
  }

  /** Takes back a request of the actor, whether or not the room can be seen by now. @throws Refusal */
  async withdraw(actor: Actor, room: string): Promise<void> {
    const user = requireUser(actor)
    await this.#store.transact(membershipsOf(user), ({ directory }) => {
      if (!directory.joinRequests.get(room, user)) {
        this.#rules.with(directory).requireVisible(actor, room)
        throw new Refusal('not_found', `you have not asked to join ${room}`, { field: 'room' })
      }
      const drafts = [
        roomEvent(room, { type: 'withdrawn', user }),
        userEvent(user, { type: 'withdrawn', room, by: user }),
      ]
      return { drafts, ops: [directory.joinRequests.deleteOp(room, user)], value: undefined }
    })
  }

  async approve(actor: Actor, room: string, user: string): Promise<MemberRecord> {
    const { value } = await this.#store.transact(membershipsOf(user), (tx) => {
      this.#requireRequest(tx.directory, actor, room, user)
      return this.#members.admission(tx, actor, room, user)
    })
    return this.#members.admitted(value)
  }

  async deny(actor: Actor, room: string, user: string): Promise<void> {
    await this.#store.transact(membershipsOf(user), ({ directory }) => {
      this.#requireRequest(directory, actor, room, user)
      const by = actor.principal.user
      const drafts = [roomEvent(room, { type: 'denied', user, by }), userEvent(user, { type: 'denied', room, by })]
      return { drafts, ops: [directory.joinRequests.deleteOp(room, user)], value: undefined }
    })
  }

  #requireRequest(directory: DirectoryStore, actor: Actor, room: string, user: string): void {
    this.#rules.with(directory).require(actor, room, 'approve')
    if (!directory.joinRequests.get(room, user))
      throw new Refusal('not_found', `${user} has not asked to join ${room}`, { field: 'user' })
  }
}
