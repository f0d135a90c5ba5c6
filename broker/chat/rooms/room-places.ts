/** In how many rooms a user is, or is about to be (`limits.roomsPerUser`). */
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { DirectoryStore } from '../../store/directory.js'

export interface RoomLimits {
  readonly roomsPerUser: number
  readonly followedPerUser: number
}

/** Rooms of a user from which on it is asked what the sessions follow. */
const MANY = 100

export class RoomPlaces {
  readonly #directory: Pick<DirectoryStore, 'memberships'>
  readonly #limits: RoomLimits
  readonly #followedBy: (user: string) => number
  /** Memberships that are being written, by user. */
  readonly #taken = new Map<string, number>()

  /** `followedBy`: how many logs and topics the live sessions of the person behind a user follow. */
  constructor(
    directory: Pick<DirectoryStore, 'memberships'>,
    limits: RoomLimits,
    followedBy: (user: string) => number,
  ) {
    this.#directory = directory
    this.#limits = limits
    this.#followedBy = followedBy
  }

  /** Does what makes `user` a member of one more room. */
  async take<T>(user: string, work: () => Promise<T>): Promise<T> {
    const taken = this.#taken.get(user) ?? 0
    const { roomsPerUser, followedPerUser } = this.#limits
    const rooms = this.#rooms(user) + taken
    if (rooms >= roomsPerUser)
      throw new Refusal('conflict', `${user} is in ${roomsPerUser} rooms; at most so many (limits.roomsPerUser)`)
    // Each of the sessions that follow all rooms will follow one more.
    if (rooms >= MANY && this.#followedBy(user) >= followedPerUser)
      throw new Refusal('conflict', `the sessions of ${user} follow too much already (limits.followedPerUser)`)
    this.#taken.set(user, taken + 1)
    return work().finally(() => this.#giveBack(user))
  }

  #giveBack(user: string): void {
    const taken = this.#taken.get(user)! - 1
    if (taken > 0) this.#taken.set(user, taken)
    else this.#taken.delete(user)
  }

  /** Looked at one by one only near the limit. */
  #rooms(user: string): number {
    const memberships = this.#directory.memberships(user)
    if (memberships.size < this.#limits.roomsPerUser / 2) return memberships.size
    let rooms = 0
    for (const room of memberships.keys()) if (!isDirectRoom(room)) rooms++
    return rooms
  }
}
