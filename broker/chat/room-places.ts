/** In how many rooms a user is, or is about to be (`limits.roomsPerUser`). */
import { Refusal } from '../../schemas/errors.js'
import { isDirectRoom } from '../../schemas/ids.js'
import type { DirectoryStore } from '../store/store.js'

export class RoomPlaces {
  readonly #directory: Pick<DirectoryStore, 'memberships'>
  readonly #most: number
  /** Memberships that are being written, by user. */
  readonly #taken = new Map<string, number>()

  constructor(directory: Pick<DirectoryStore, 'memberships'>, most: number) {
    this.#directory = directory
    this.#most = most
  }

  /** Does what makes `user` a member of one more room. */
  async take<T>(user: string, work: () => Promise<T>): Promise<T> {
    const taken = this.#taken.get(user) ?? 0
    if (this.#rooms(user) + taken >= this.#most)
      throw new Refusal('conflict', `${user} is in ${this.#most} rooms; at most so many (limits.roomsPerUser)`)
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
    if (memberships.size < this.#most / 2) return memberships.size
    let rooms = 0
    for (const room of memberships.keys()) if (!isDirectRoom(room)) rooms++
    return rooms
  }
}
