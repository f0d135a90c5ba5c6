/** Rooms: who is in them, how one gets in, and what members may do. */
import type { Config } from '../../../schemas/config.js'
import { References } from '../messages/references.js'
import { JoinRequests } from '../rooms/join-requests.js'
import { Thinning } from '../rooms/large-room-policy.js'
import { Links } from '../rooms/links.js'
import { Members } from '../rooms/members.js'
import { Ownership } from '../rooms/ownership.js'
import { Roles } from '../rooms/roles.js'
import { RoomInfo } from '../rooms/room-info.js'
import { RoomPlaces } from '../rooms/room-places.js'
import { RoomPreferences } from '../rooms/room-preferences.js'
import { RoomRules } from '../rooms/room-rules.js'
import { Rooms } from '../rooms/rooms.js'
import { Sanctions } from '../rooms/sanctions.js'
import type { SharedParts } from './shared.js'

export function makeRooms(
  { rooms: options, receipts, limits }: Config,
  { store, bus, turns, asking, followedBy, namesCountedWith }: SharedParts,
) {
  const rules = new RoomRules(store.directory)
  const thinning = new Thinning(store.directory, { thinAbove: options.thinAbove, receipts: receipts.maxMembers })
  const info = new RoomInfo(store.directory, bus, thinning)
  const infoChanged = (room: string): void => info.changed(room)
  const ownership = new Ownership({ store, turns })
  const places = new RoomPlaces(store.directory, limits, followedBy)
  const members = new Members({
    store,
    bus,
    rules,
    turns,
    ownership,
    asking,
    places,
    namesCountedWith,
    maxMembers: options.maxMembers,
    invitationsPerUser: limits.invitationsPerUser,
  })
  return {
    rules,
    thinning,
    info,
    members,
    ownership,
    rooms: new Rooms({ store, bus, rules, members, turns, places, infoChanged, options }),
    references: new References(store, rules),
    roles: new Roles({ store, rules, turns }),
    sanctions: new Sanctions({ store, bus, rules, turns }),
    preferences: new RoomPreferences({ store, rules, turns }),
    links: new Links({ store, rules, turns }),
    joinRequests: new JoinRequests({ store, rules, members, turns }),
  }
}

export type RoomParts = ReturnType<typeof makeRooms>
