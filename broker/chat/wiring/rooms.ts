/** Rooms: who is in them, how one gets in, and what members may do. */
import type { Config } from '../../../schemas/config.js'
import { References } from '../messages/references.js'
import { Invitations } from '../rooms/invitations.js'
import { JoinRequests } from '../rooms/join-requests.js'
import { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import { Links } from '../rooms/links.js'
import { Members } from '../rooms/members.js'
import { Roles } from '../rooms/roles.js'
import { RoomEntry } from '../rooms/room-entry.js'
import { RoomInfo } from '../rooms/room-info.js'
import { RoomOwnership } from '../rooms/room-ownership.js'
import { RoomPreferences } from '../rooms/room-preferences.js'
import { RoomQuota } from '../rooms/room-quota.js'
import { RoomRules } from '../rooms/room-rules.js'
import { Rooms } from '../rooms/rooms.js'
import { Sanctions } from '../rooms/sanctions.js'
import type { SharedServices } from './shared.js'

type RoomsNeed = Pick<SharedServices, 'store' | 'askLimits' | 'followedBy' | 'accountOf' | 'namesCountedWith'>

export function makeRooms(
  { rooms: options, receipts, limits }: Config,
  { store, askLimits, followedBy, accountOf, namesCountedWith }: RoomsNeed,
) {
  const rules = new RoomRules(store.directory)
  const largeRooms = new LargeRoomPolicy(store.directory, {
    thinAbove: options.thinAbove,
    receipts: receipts.maxMembers,
  })
  const info = new RoomInfo(store.directory, largeRooms)
  const ownership = new RoomOwnership(store)
  const roomQuota = new RoomQuota(limits, followedBy)
  const members = new Members({
    store,
    rules,
    ownership,
    roomQuota,
    maxMembers: options.maxMembers,
  })
  const { invitationsPerUser } = limits
  const made = new Rooms({ store, rules, roomQuota, options })
  return {
    rules,
    largeRooms,
    info,
    members,
    ownership,
    rooms: made,
    invitations: new Invitations({ store, rules, askLimits, invitationsPerUser, accountOf, namesCountedWith }),
    entry: new RoomEntry({ directory: store.directory, rooms: made, members, rules }),
    references: new References(store, rules),
    roles: new Roles(store, rules),
    sanctions: new Sanctions(store, rules),
    preferences: new RoomPreferences(store, rules),
    links: new Links(store, rules),
    joinRequests: new JoinRequests({ store, rules, members }),
  }
}

export type RoomServices = ReturnType<typeof makeRooms>
