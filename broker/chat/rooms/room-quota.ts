/** Limits the rooms of a user, joins under way included (`limits.roomsPerUser`). */
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
  readonly #directory: Pick<DirectoryStore, 'memberships'>
  readonly #limits: RoomLimits
  readonly #followedBy: (user: string) => number
  /** Memberships whose commit is under way, by user. */
  readonly #pending = new Map<string, number>()

  /** `followedBy`: number of logs and topics that the live sessions of a user (with bots and devices) follow. */
  constructor(
    directory: Pick<DirectoryStore, 'memberships'>,
    limits: RoomLimits,
    followedBy: (user: string) => number,
  ) {
    this.#directory = directory
    this.#limits = limits
    this.#followedBy = followedBy
  }

  /** Runs `work`, which makes `user` a member of one more room. @throws Refusal `conflict` at the limit. */
  async reserve<T>(user: string, work: () => Promise<T>): Promise<T> {
    const pending = this.#pending.get(user) ?? 0
    const { roomsPerUser, followedPerUser } = this.#limits
    const rooms = this.#rooms(user) + pending
    if (rooms >= roomsPerUser)
      throw new Refusal('conflict', `${user} is in ${roomsPerUser} rooms; at most so many (limits.roomsPerUser)`)
    // Each session that follows all rooms will follow one more.
    if (rooms >= CHECK_FEEDS_FROM && this.#followedBy(user) >= followedPerUser)
      throw new Refusal('conflict', `the sessions of ${user} follow too much already (limits.followedPerUser)`)
    this.#pending.set(user, pending + 1)
    return work().finally(() => this.#release(user))
  }

  #release(user: string): void {
    const pending = this.#pending.get(user)! - 1
    if (pending > 0) this.#pending.set(user, pending)
    else this.#pending.delete(user)
  }

  /** Direct conversations do not count; they are only told apart near the limit. */
  #rooms(user: string): number {
    const memberships = this.#directory.memberships(user)
    if (memberships.size < this.#limits.roomsPerUser / 2) return memberships.size
    let rooms = 0
    for (const room of memberships.keys()) if (!isDirectRoom(room)) rooms++
    return rooms
  }
}
