/** Limits the rooms of a user (`limits.roomsPerUser`). */
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { DirectoryStore } from '../../store/directory.js'

export interface RoomLimits {
  readonly roomsPerUser: number
  readonly followedPerUser: number
}

/** With fewer rooms than this the feeds of the user's sessions are not counted. */
const CHECK_FEEDS_FROM = 100

export class RoomQuota {
  readonly #limits: RoomLimits
  readonly #followedBy: (user: string) => number

  /** `followedBy`: number of logs and topics that the live sessions of a user (with bots and devices) follow. */
  constructor(limits: RoomLimits, followedBy: (user: string) => number) {
    this.#limits = limits
    this.#followedBy = followedBy
  }

  /** Whether `user` may be in one more room. @throws Refusal `conflict` at the limit. */
  require(directory: Pick<DirectoryStore, 'memberships'>, user: string): void {
    const { roomsPerUser, followedPerUser } = this.#limits
    const rooms = this.#count(directory.memberships(user))
    if (rooms >= roomsPerUser)
      throw new Refusal('conflict', `${user} is in ${roomsPerUser} rooms; at most so many (limits.roomsPerUser)`)
    // Each session that follows all rooms will follow one more.
    if (rooms >= CHECK_FEEDS_FROM && this.#followedBy(user) >= followedPerUser)
      throw new Refusal('conflict', `the sessions of ${user} follow too much already (limits.followedPerUser)`)
  }

  /** Direct conversations do not count; they are only told apart near the limit. */
  #count(memberships: ReadonlyMap<string, unknown>): number {
    if (memberships.size < this.#limits.roomsPerUser / 2) return memberships.size
    let rooms = 0
    for (const room of memberships.keys()) if (!isDirectRoom(room)) rooms++
    return rooms
  }
}
