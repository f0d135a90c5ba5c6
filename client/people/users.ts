/** Profiles and presence of users. */
import type { CommandParams } from '../../schemas/commands.js'
import { directRoom } from '../../schemas/ids.js'
import { topics } from '../../schemas/topics.js'
import type { ChatError } from '../base/chat-error.js'
import type { Live } from '../base/live.js'
import type { Stop } from '../base/platform.js'
import type { Chores } from '../engine/chores.js'
import type { Change, Store } from '../store/store.js'
import type { Link } from './link.js'
import { Pool } from './pool.js'
import type { Presence, Profile, Users } from './port.js'

export class DirectoryUsers implements Users {
  readonly #link: Link
  readonly #profiles: Profiles
  readonly #presences: Presences
  /** What the user has said of this client. */
  #isAway = false

  constructor(link: Link, profiles: Profiles) {
    this.#link = link
    this.#profiles = profiles
    this.#presences = new Presences(link, profiles)
    // A session that connects is not away.
    const tellAway = link.chores(async () => {
      if (this.#isAway) await link.ask.users.setPresence({ away: true })
    })
    link.add({ up: () => tellAway.add(''), forget: () => (this.#isAway = false) })
  }

  profile(user: string): Live<Profile | null> {
    return this.#profiles.get(user)
  }

  presence(user: string): Live<Presence | null> {
    return this.#presences.get(user)
  }

  async setPresence(presence: CommandParams<'users.setPresence'>): Promise<void> {
    this.#isAway = presence.away ?? this.#isAway
    await this.#link.ask.users.setPresence(presence)
  }
}

/** By user. */
class Presences extends Pool<Presence | null> {
  readonly #profiles: Profiles

  constructor(link: Link, profiles: Profiles) {
    super(link, null)
    this.#profiles = profiles
  }

  protected override renew(): void {}

  protected override begin(user: string): Stop {
    return this.link.subscriptions.follow(topics.user(user, 'presence'), (text) => {
      const presence = JSON.parse(text ?? 'null') as Presence | null
      this.put(user, presence)
      this.#profiles.changed(user, presence?.profileAt ?? 0)
    })
  }
}

/** As kept in the table `profiles`, by user. */
interface Known {
  readonly profile: Profile
  /** When it was asked for last, Unix ms. */
  readonly at: number
}

/** Profiles that are kept. */
const MOST = 1000
/** Of one request. */
const PAGE = 100
/** Ms after which a profile has to be asked for again. */
const OLD = 300_000

/** By user. */
export class Profiles extends Pool<Profile | null> {
  readonly #store: Pick<Store, 'range' | 'write'>
  /** By user; what was asked for first comes first. */
  #all = new Map<string, Known>()
  /**
   * By user: when the broker has told the profile on this connection, or that there is none; Unix ms. Others may have changed theirs, and nobody
   * has told.
   */
  readonly #told = new Map<string, number>()
  /** Users to be asked for together. */
  readonly #wanted = new Set<string>()
  readonly #batches: Chores

  /** `store`: of whoever is logged in. */
  constructor(link: Link, store: Pick<Store, 'range' | 'write'>) {
    super(link, null)
    this.#store = store
    this.#batches = link.chores(() => this.#askMany())
  }

  /** Not each time that it is up to date again, as that is at each room that is entered. */
  down(): void {
    this.#told.clear()
  }

  override forget(): void {
    super.forget()
    this.#wanted.clear()
    this.#all = new Map()
  }

  /** Reads what the store has. Never rejects. */
  async open(): Promise<void> {
    const all = this.#all
    const rows = await this.#store.range('profiles').catch(() => [])
    const kept = rows.map(({ value }) => value as Known).filter(({ profile }) => !all.has(profile.user))
    // Unless another user has logged in meanwhile.
    if (all === this.#all) this.#keep(kept.sort((a, b) => a.at - b.at))
  }

  /** What the broker has answered. */
  know(profiles: readonly Profile[]): void {
    const at = this.link.clock.now()
    for (const { user } of profiles) this.#told.set(user, at)
    this.#keep(profiles.map((profile) => ({ profile, at })))
    void this.#call(profiles).catch(() => {})
  }

  /** A conversation is called as its other user is; `sync` tells that only when something happens in it. */
  async #call(profiles: readonly Profile[]): Promise<void> {
    const { replica } = this.link
    const { user: me, rooms } = replica
    const others = profiles.flatMap((peer) => {
      const info = me === null ? undefined : rooms.get(directRoom(me, peer.user))?.info
      return info?.peer && info.peer.updatedAt !== peer.updatedAt ? [[info.room, peer] as const] : []
    })
    if (others.length === 0) return
    await replica.transact(async (tx) => {
      for (const [room, peer] of others) {
        const state = replica.user === me ? tx.room(room) : null
        if (state) tx.put({ ...state, info: { ...state.info, peer } })
      }
    })
  }

  /** Somebody tells that it was changed then, Unix ms. */
  changed(user: string, at: number): void {
    const known = this.#all.get(user)
    if (known && at > (known.profile.updatedAt ?? 0)) this.want(user)
  }

  protected override known(user: string): Profile | undefined {
    return this.#all.get(user)?.profile
  }

  protected override renew(user: string): void {
    const at = this.#told.get(user)
    if (at === undefined || Math.abs(this.link.clock.now() - at) > OLD) this.want(user)
  }

  override want(user: string): void {
    this.#wanted.add(user)
    this.#batches.add('')
  }

  /** What is wanted in one tick is asked for together. */
  async #askMany(): Promise<void> {
    await null
    const users = [...this.#wanted].slice(0, PAGE)
    for (const user of users) this.#wanted.delete(user)
    if (this.#wanted.size > 0) this.#batches.add('')
    const gone = new Set(users)
    try {
      for (let after = '', more = users.length > 0; more; ) {
        const page = await this.link.ask.users.profiles({ users, after })
        this.know(page.profiles)
        for (const { user } of page.profiles) gone.delete((after = user))
        more = page.more
      }
    } catch (error) {
      if ((error as ChatError).transient) for (const user of users) this.#wanted.add(user)
      throw error
    }
    this.#drop([...gone])
    for (const user of gone) {
      this.#told.set(user, this.link.clock.now())
      this.put(user, null)
    }
  }

  #keep(rows: readonly Known[]): void {
    for (const { profile, at } of rows) {
      const old = this.#all.get(profile.user)?.profile
      const isSame = old?.updatedAt === profile.updatedAt
      this.#all.delete(profile.user)
      this.#all.set(profile.user, { profile: isSame ? old! : profile, at })
      if (!isSame) this.put(profile.user, profile)
    }
    this.#write(rows.map((value) => ({ put: 'profiles', key: [value.profile.user], value })))
    if (this.#all.size > MOST) this.#drop([...this.#all.keys()].slice(0, this.#all.size - MOST))
  }

  #drop(users: readonly string[]): void {
    for (const user of users) this.#all.delete(user)
    this.#write(users.map((user) => ({ delete: 'profiles', key: [user] })))
  }

  #write(changes: readonly Change[]): void {
    // What the device does not keep is asked for again.
    if (changes.length > 0) this.#store.write(changes).catch(() => {})
  }
}
