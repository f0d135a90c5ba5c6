/** What the role of the user lets them do: what they may not do is not offered. */
import { allows, isAbove, ROOM_ROLES, type RoomAct, type RoomRole } from '../../../../schemas/permissions.js'
import type { RoomInfo } from '../../../index.js'

export function may(info: RoomInfo | null, act: RoomAct): boolean {
  return info?.role != null && !info.direct && allows(info.role, act)
}

/** Acting on a member takes a role above theirs; owners act on anyone. @param theirs Null: they are not in the room */
export function mayAct(info: RoomInfo | null, act: RoomAct, theirs: RoomRole | null): boolean {
  if (!may(info, act)) return false
  return theirs === null || info!.role === 'owner' || isAbove(info!.role!, theirs)
}

/** The roles that the user may give, up to their own. */
export function rolesToGive(info: RoomInfo | null): readonly RoomRole[] {
  const role = info?.role
  return role == null ? [] : ROOM_ROLES.filter((one) => !isAbove(one, role))
}
