import type { RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { logs } from '../model/views.js'
import type { LargeRoomPolicy } from './large-room-policy.js'
import { settingsOf } from './room-preferences.js'

/** JSON of a room as `actor` may see it: only members see the head. */
export async function describeRoom(
  { store, largeRooms }: { readonly store: Store; readonly largeRooms: LargeRoomPolicy },
  actor: Actor,
  room: RoomRecord,
): Promise<string> {
  const { log, directory } = store
  const messages = await log.open(logs.messages(room.id))
  const members = directory.members(room.id).size
  const member = directory.member(room.id, actor.principal.user)
  const mine = member ? settingsOf(member) : null
  const head = member ? messages.head : null
  const thinned = largeRooms.of(room.id)
  return JSON.stringify({ room: room.id, ...room, members, thinned, role: member?.role ?? null, mine, head })
}
