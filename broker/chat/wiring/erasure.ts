/** What becomes of accounts that are removed, and of all that their users left. */

import { AccountRemovals } from '../erasure/account-removals.js'
import { RoomErasure } from '../erasure/room-erasure.js'
import { UserErasure } from '../erasure/user-erasure.js'
import type { DeviceServices } from './devices.js'
import type { FileServices } from './files.js'
import type { ModerationServices } from './moderation.js'
import type { PeopleServices } from './people.js'
import type { RoomServices } from './rooms.js'
import type { SharedServices } from './shared.js'

type Deps = SharedServices &
  RoomServices &
  FileServices &
  PeopleServices &
  ModerationServices & { devices: DeviceServices }

export function makeRemovals(deps: Deps): AccountRemovals {
  const { textSearch, devices, auth } = deps
  // What is said while search is off is not in the index either, when it is on again.
  const indexed = (room: string, seq: number): boolean => textSearch?.indexed(room, seq) ?? false
  const roomErasure = new RoomErasure({ ...deps, indexed })
  const userErasure = new UserErasure({ ...deps, roomErasure, commands: devices.commands })
  return new AccountRemovals({ ...deps, accounts: auth.accounts, roomErasure, userErasure })
}
