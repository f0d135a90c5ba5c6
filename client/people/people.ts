/** Who people are and how they know each other, for clients that show it. */
import type { Store } from '../store/store.js'
import { AccountValues } from './account.js'
import type { Link } from './link.js'
import { Lists } from './lists.js'
import { RoomMembers } from './members.js'
import type { Me, OpenPeople, People } from './port.js'
import { DirectoryUsers, Profiles } from './users.js'

/**
 * Lets a client show members, profiles, presence, contacts, invitations, blocks and private data: the option `people` of `createChat`.
 */
export function people(): OpenPeople {
  return (link, store) => new Directory(link, store)
}

class Directory implements People {
  readonly account: AccountValues
  readonly users: DirectoryUsers
  readonly #profiles: Profiles
  readonly #members: RoomMembers
  readonly #lists: Lists
  #isOpen = false

  constructor(link: Link, store: Pick<Store, 'range' | 'write'>) {
    this.account = new AccountValues(link)
    this.#profiles = new Profiles(link, store)
    this.users = new DirectoryUsers(link, this.#profiles)
    this.#members = new RoomMembers(link, this.#profiles)
    this.#lists = new Lists(link, store)
    link.add({ forget: () => (this.#isOpen = false) })
  }

  get contacts() {
    return this.#lists.of('contacts')
  }

  get invitations() {
    return this.#lists.of('invitations')
  }

  get blocks() {
    return this.#lists.of('blocks')
  }

  members(room: string) {
    return this.#members.get(room)
  }

  moreMembers(room: string): Promise<void> {
    return this.#members.more(room)
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    void this.#profiles.open()
    void this.#lists.open()
  }

  told(me: Me): Promise<void> {
    return this.#lists.told(me)
  }

  asked(name: string): void {
    const [group = '', command] = name.split('.')
    // The broker tells the user no event of these.
    if ((group === 'contacts' || group === 'blocks') && command !== 'list') void this.#lists.changed(group)
  }
}
