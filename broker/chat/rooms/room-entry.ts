import type { DirectoryStore } from '../../store/directory.js'
import { type Actor, requireUser } from '../model/actor.js'
import type { Members } from './members.js'
import type { RoomRules } from './room-rules.js'
import type { Rooms } from './rooms.js'

export interface RoomEntryDeps {
  readonly directory: DirectoryStore
  readonly rooms: Rooms
  readonly members: Members
  readonly rules: RoomRules
}

/** Joining by use: an exact subscription to a public room, or a publish into it, makes the user a member (DESIGN §2). */
export class RoomEntry {
  readonly #deps: RoomEntryDeps

  constructor(deps: RoomEntryDeps) {
    this.#deps = deps
  }

  /**
   * Resolves once the user is a member. A user who left or was removed comes back only by `rooms.join`.
   * @throws Refusal if the user is not a member and may not join in this way
   */
  async enter(actor: Actor, room: string): Promise<void> {
    const { rooms, members, rules, directory } = this.#deps
    const user = requireUser(actor)
    if (!directory.room(room)) await rooms.autoCreate(actor, room)
    // The creator of a room is a member; a second client that tries to create it joins it like anyone else.
    const open = rules.requireVisible(actor, room).access === 'public' && !directory.departed(room, user)
    if (directory.member(room, user) || !open) rules.requireMember(actor, room)
    else await members.join(actor, room)
  }
}
