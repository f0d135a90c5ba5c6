/** Invitations to rooms. Each act is one commit: the invitation, the room's event and the user's event. */
import { Refusal } from '../../../schemas/errors.js'
import type { InviteRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { type Actor, isAdmin, requireAccount, requireUser } from '../model/actor.js'
import type { AskLimits } from '../model/ask-limits.js'
import { roomEvent, userEvent } from '../model/events.js'
import { requireReachable } from '../model/privacy.js'
import { membershipsOf } from './members.js'
import type { RoomRules } from './room-rules.js'

/** Open invitations per room. */
const MAX_INVITES = 10_000

export interface InvitationsDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly askLimits: AskLimits
  /** Open invitations per person, bots and devices included. */
  readonly invitationsPerUser: number
  /** The account that a user's invitations count for, and all names that count for the same. */
  readonly accountOf: (user: string) => string
  readonly namesCountedWith: (user: string) => ReadonlySet<string>
}

export class Invitations {
  readonly #store: Store
  readonly #rules: RoomRules
  readonly #askLimits: AskLimits
  readonly #invitationsPerUser: number
  readonly #accountOf: InvitationsDeps['accountOf']
  readonly #namesCountedWith: InvitationsDeps['namesCountedWith']

  constructor({ store, rules, askLimits, invitationsPerUser, accountOf, namesCountedWith }: InvitationsDeps) {
    this.#store = store
    this.#rules = rules
    this.#askLimits = askLimits
    this.#invitationsPerUser = invitationsPerUser
    this.#accountOf = accountOf
    this.#namesCountedWith = namesCountedWith
  }

  /** Idempotent: no second event for a user who is already invited. */
  async invite(actor: Actor, room: string, user: string): Promise<void> {
    const key = invitationsBy(this.#accountOf(actor.principal.user))
    await this.#store.transact(key, (tx) => this.#invite(tx, actor, room, user))
  }

  async #invite(tx: Transaction, actor: Actor, room: string, user: string): Promise<Decision<undefined>> {
    const { directory } = tx
    const rules = this.#rules.with(directory)
    rules.require(actor, room, 'invite')
    if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
    if (directory.member(room, user))
      throw new Refusal('conflict', `${user} is a member of ${room} already`, { field: 'user' })
    rules.requireNotBanned(room, user)
    const by = actor.principal.user
    requireReachable(directory, user, by, 'invites', `you may not invite ${user}`)
    if (directory.invite(room, user)) return { value: undefined }
    tx.limit({ table: 'invite', owner: room, most: MAX_INVITES })
    if (this.#store.directory.invites(room).size >= MAX_INVITES)
      throw new Refusal('conflict', `${MAX_INVITES} users are invited to ${room} and have not come; withdraw one first`)
    if (!isAdmin(actor)) this.#requireFewInvitations(tx, by)
    await requireAccount(directory, actor.principal)
    const counted = await this.#askLimits.ops(tx, actor, user, `room ${room}`)
    const ops = [directory.inviteOp({ room, user, by, at: Date.now() }), ...counted]
    const drafts = [roomEvent(room, { type: 'invited', user, by }), userEvent(user, { type: 'invited', room, by })]
    return { drafts, ops, value: undefined }
  }

  /** The open invitations of the actor. */
  of(actor: Actor): Iterable<InviteRecord> {
    return this.#store.directory.invitesOf(requireUser(actor)).values()
  }

  /** Ends an invitation of the actor, who may be invited again. @throws Refusal */
  async decline(actor: Actor, room: string): Promise<void> {
    const user = requireUser(actor)
    await this.#store.transact(membershipsOf(user), ({ directory }) => {
      this.#rules.with(directory).requireVisible(actor, room)
      if (!directory.invite(room, user))
        throw new Refusal('not_found', `you are not invited to ${room}`, { field: 'room' })
      const drafts = [
        roomEvent(room, { type: 'declined', user }),
        userEvent(user, { type: 'declined', room, by: user }),
      ]
      return { drafts, ops: [directory.deleteInviteOp(room, user)], value: undefined }
    })
  }

  /** Counted per person, because a person could otherwise invite through many bots and devices. */
  #requireFewInvitations(tx: Transaction, by: string): void {
    const most = this.#invitationsPerUser
    tx.topic(invitationsBy(this.#accountOf(by)))
    let open = 0
    for (const name of this.#namesCountedWith(by)) open += this.#store.directory.invitesBy(name)
    if (open >= most)
      throw new Refusal(
        'conflict',
        `${most} of your invitations stand (limits.invitationsPerUser); withdraw some, or wait for who is to come`,
      )
  }
}

function invitationsBy(account: string): string {
  return `invitations by ${account}`
}
