import type { RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { logs } from '../model/views.js'
import type { LargeRoomPolicy } from './large-room-policy.js'
import { settingsOf } from './room-preferences.js'

/** A room as the asker sees it; how much is said there is for its members. */
export async function shownRoom(
  { store, largeRooms }: { readonly store: Store; readonly largeRooms: LargeRoomPolicy },
  actor: Actor,
  room: RoomRecord,
): Promise<string> {
  const { log, directory } = store
  const known = await log.open(logs.messages(room.id))
  const members = directory.members(room.id).size
  const member = directory.member(room.id, actor.principal.user)
  const mine = member ? settingsOf(member) : null
  const head = member ? known.head : null
  const thinned = largeRooms.of(room.id)
  return JSON.stringify({ room: room.id, ...room, members, thinned, role: member?.role ?? null, mine, head })
}
