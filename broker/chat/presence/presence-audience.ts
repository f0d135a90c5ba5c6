/** Who may see whose presence. */
import type { DirectoryStore } from '../../store/directory.js'
import { areContacts } from '../model/blocks.js'
import { showsPresence } from '../model/privacy.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'

export class PresenceAudience {
  readonly #directory: DirectoryStore
  readonly #largeRooms: LargeRoomPolicy

  constructor(directory: DirectoryStore, largeRooms: LargeRoomPolicy) {
    this.#directory = directory
    this.#largeRooms = largeRooms
  }

  /**
   * Whether `watcher` may see the presence of `user`: the users themselves, and contacts, co-members and who may read a device, unless blocks or
   * privacy settings exclude them.
   */
  visible(user: string, watcher: string): boolean {
    return user === watcher || (showsPresence(this.#directory, user, watcher) && this.isAcquainted(watcher, user))
  }

  /** Contacts, members of a common private room that is not too large, and a device to those who may read it. */
  isAcquainted(watcher: string, user: string): boolean {
    return areContacts(this.#directory, user, watcher) || this.#mayRead(watcher, user) || this.#shareRoom(user, watcher)
  }

  /** The users whom `watcher` may see, each once. Lazy, because it may be a long list. */
  *visibleTo(watcher: string): Generator<string> {
    const seen = new Set<string>()
    for (const user of this.#candidates(watcher)) {
      if (seen.has(user)) continue
      seen.add(user)
      yield user
    }
  }

  *#candidates(watcher: string): Generator<string> {
    yield watcher
    const { devices } = this.#directory
    const known = [this.#directory.addedContacts(watcher), devices.ownedBy(watcher), devices.sharedWith(watcher)]
    for (const user of known.flatMap((users) => [...users.keys()])) if (this.visible(user, watcher)) yield user
    for (const room of [...this.#directory.memberships(watcher).keys()]) {
      if (!this.#isSharedIn(room)) continue
      for (const user of [...this.#directory.members(room).keys()])
        if (showsPresence(this.#directory, user, watcher)) yield user
    }
  }

  #mayRead(user: string, device: string): boolean {
    const { devices } = this.#directory
    return devices.get(device)?.owner === user || devices.shares.get(device, user) !== undefined
  }

  /** Whether members of the room see each other's presence. */
  #isSharedIn(room: string): boolean {
    const record = this.#directory.room(room)
    return record?.access === 'private' && !record.direct && !this.#largeRooms.suppresses(room, 'presence')
  }

  #shareRoom(one: string, other: string): boolean {
    const [mine, theirs] = [this.#directory.memberships(one), this.#directory.memberships(other)]
    const [few, many] = mine.size <= theirs.size ? [mine, theirs] : [theirs, mine]
    for (const room of few.keys()) if (many.has(room) && this.#isSharedIn(room)) return true
    return false
  }
}
