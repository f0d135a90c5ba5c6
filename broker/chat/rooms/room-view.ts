import { directPeer } from '../../../schemas/ids.js'
import type { InviteRecord, JoinRequestRecord, RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { profileOf } from '../model/profiles.js'
import { logs } from '../model/views.js'
import type { LargeRoomPolicy } from './large-room-policy.js'
import { shownSettings } from './room-preferences.js'
import type { RoomRules } from './room-rules.js'

export interface RoomViewDeps {
  readonly store: Store
  readonly largeRooms: LargeRoomPolicy
}

/** JSON of a room as `actor` may see it: only members see the head, and who the other one of a conversation is. */
export async function describeRoom(
  { store, largeRooms }: RoomViewDeps,
  actor: Actor,
  room: RoomRecord,
): Promise<string> {
  const { log, directory } = store
  const { user } = actor.principal
  const messages = await log.open(logs.messages(room.id))
  const other = directPeer(room.id, user)
  const peer = other === null ? null : await profileOf(directory, other)
  const members = directory.members(room.id).size
  const member = directory.member(room.id, user)
  const mine = member ? shownSettings(member, messages) : null
  const head = member ? messages.head : null
  const thinned = largeRooms.of(room.id)
  const role = member?.role ?? null
  return JSON.stringify({ room: room.id, ...room, members, thinned, role, mine, head, peer })
}

/** JSON of an invitation or a request of the actor, with the room; null in its place if it is hidden from the actor by now. */
export async function describePending(
  deps: RoomViewDeps & { readonly rules: RoomRules },
  actor: Actor,
  { user: _, ...pending }: InviteRecord | JoinRequestRecord,
): Promise<string> {
  const room = deps.store.directory.room(pending.room)
  const info = room && deps.rules.isVisible(actor, room) ? await describeRoom(deps, actor, room) : 'null'
  return `${JSON.stringify(pending).slice(0, -1)},"info":${info}}`
}
