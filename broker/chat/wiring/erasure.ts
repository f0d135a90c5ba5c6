/** What becomes of accounts that are removed, and of all that their users left. */

import { AccountRemovals } from '../erasure/account-removals.js'
import { RoomErasure } from '../erasure/room-erasure.js'
import { UserErasure } from '../erasure/user-erasure.js'
import type { DeviceParts } from './devices.js'
import type { ModerationParts } from './moderation.js'
import type { PeopleParts } from './people.js'
import type { RoomParts } from './rooms.js'
import type { SharedParts } from './shared.js'

type Parts = SharedParts & RoomParts & PeopleParts & ModerationParts & { devices: DeviceParts }

export function makeRemovals(parts: Parts): AccountRemovals {
  const { textSearch, devices, auth } = parts
  // What is said while search is off is not in the index either, when it is on again.
  const indexed = (room: string, seq: number): boolean => textSearch?.indexed(room, seq) ?? false
  const roomErasure = new RoomErasure({ ...parts, indexed })
  const userErasure = new UserErasure({ ...parts, roomErasure, commands: devices.commands })
  return new AccountRemovals({ ...parts, accounts: auth.accounts, roomErasure, userErasure })
}
