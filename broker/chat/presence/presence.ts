/**
 * Presence of users. A user is online while any of their sessions is. Going offline is announced only after `offlineDelay`, and after a
 * restart of the broker users who were online have `restartGrace` seconds to reconnect without any announcement; a broker that leaves announces none of those it disconnects. Changes of status and of
 * the number of devices are rate limited: above the rate only the last state is announced, later. Going online and offline is always
 * announced.
 */
import { topics } from '../../../schemas/topics.js'
import { type UnloggedMessage, unlogged } from '../../hub.js'
import type { Bus } from '../../store/bus.js'
import { commit } from '../../store/commit.js'
import type { Store } from '../../store/store.js'
import type { PresenceRecord } from '../../store/users.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import { areContacts } from '../model/blocks.js'
import { showsPresence } from '../model/privacy.js'
import type { Signal } from '../model/signals.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'

/** Milliseconds between two attempts to announce pending changes. */
const RETRY_INTERVAL = 250

export interface PresenceOptions {
  /** Seconds. */
  offlineDelay: number
  restartGrace: number
  /** Announced changes of status and devices per second and user. */
  perSecond: number
}

export interface PresenceDeps {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly wheel: TimerWheel
  readonly largeRooms: LargeRoomPolicy
  readonly options: PresenceOptions
  /** Counts dropped announcements, by reason. */
  readonly count: (name: string) => void
  readonly failed: (error: unknown) => void
}

export class Presence {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #wheel: TimerWheel
  readonly #largeRooms: LargeRoomPolicy
  readonly #options: PresenceOptions
  readonly #users = new Map<string, UserPresence>()
  readonly #rate: TokenBuckets
  /** Users with a change that is still to be announced. */
  readonly #pending = new Set<UserPresence>()
  readonly #pendingTimer: Deadline = { due: (now) => this.#announcePending(now) }
  readonly #count: (name: string) => void
  readonly #failed: (error: unknown) => void

  constructor({ store, bus, wheel, largeRooms, options, count, failed }: PresenceDeps) {
    this.#store = store
    this.#bus = bus
    this.#wheel = wheel
    this.#largeRooms = largeRooms
    this.#options = options
    this.#rate = new TokenBuckets(options.perSecond)
    this.#count = count
    this.#failed = failed
  }

  async load(): Promise<void> {
    for await (const record of this.#store.directory.presence()) {
      const presence = this.#presence(record.user)
      Object.assign(presence, {
        online: record.online,
        status: record.status,
        away: record.away,
        lastSeen: record.lastSeen,
        announcedDevices: record.online ? 1 : 0,
      })
      if (presence.online) this.#wheel.set(presence, this.#wheel.now + this.#options.restartGrace * 1000)
    }
  }

  connected(user: string): void {
    const presence = this.#presence(user)
    presence.devices++
    this.#wheel.delete(presence)
    if (presence.online) return this.#devicesChanged(presence)
    presence.online = true
    this.#announce(presence)
  }

  /** `leaving`: the broker leaves, not the user. */
  disconnected(user: string, leaving = false): void {
    const presence = this.#users.get(user)
    if (!presence) return
    presence.devices--
    presence.lastSeen = Date.now()
    if (presence.devices > 0) this.#devicesChanged(presence)
    else if (!leaving) this.#wheel.set(presence, presence.lastSeen + this.#options.offlineDelay * 1000)
  }

  /** Removes a deleted user, who has no connection any more. */
  async removeUser(user: string): Promise<void> {
    const presence = this.#users.get(user)
    if (presence) {
      this.#wheel.delete(presence)
      this.#pending.delete(presence)
    }
    this.#users.delete(user)
    await commit(this.#store, { ops: [this.#store.directory.deletePresenceOp(user)] })
  }

  /** Sets the user's status. Above the rate, the last one is announced as soon as the rate allows. */
  set(user: string, { status, away }: { status?: string | null; away?: boolean }): void {
    const presence = this.#presence(user)
    if (status !== undefined) presence.status = status
    if (away !== undefined) presence.away = away
    if (this.#mayAnnounce(presence)) this.#announce(presence)
  }

  /**
   * Whether `watcher` may see the presence of `user`: the users themselves, and contacts and co-members unless blocks or privacy settings
   * exclude them.
   */
  visible(user: string, watcher: string): boolean {
    return user === watcher || (showsPresence(this.#store.directory, user, watcher) && this.isAcquainted(watcher, user))
  }

  /** Contacts, and members of a common private room that is not too large. */
  isAcquainted(watcher: string, user: string): boolean {
    return areContacts(this.#store.directory, user, watcher) || this.#shareRoom(user, watcher)
  }

  /** The user's privacy setting changed: those who may see the presence get it, all others get the state of an unknown user. */
  audienceChanged(user: string): void {
    this.#bus.send({ kind: 'presence', user, payload: this.#render(this.#presence(user)) })
    this.#bus.send({ kind: 'presenceHidden', user, payload: this.#unknownPresence(user) })
  }

  /** Runs `work`, which may change whether two users see each other, and announces each to the other where it did. */
  async updateVisibility<T>(one: string, other: string, work: () => Promise<T>): Promise<T> {
    const seen = [this.visible(one, other), this.visible(other, one)] as const
    const done = await work()
    this.#announceVisibility(one, other, seen[0])
    this.#announceVisibility(other, one, seen[1])
    return done
  }

  /** The retained presence that a new subscription gets. */
  current(user: string): UnloggedMessage {
    return unlogged(
      topics.user(user, 'presence'),
      this.#render(this.#users.get(user) ?? new UserPresence(user, () => 0)),
      1,
      {
        retain: true,
      },
    )
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
    const { directory } = this.#store
    yield watcher
    for (const user of [...directory.addedContacts(watcher).keys()]) if (this.visible(user, watcher)) yield user
    for (const room of [...directory.memberships(watcher).keys()]) {
      if (!this.#isSharedIn(room)) continue
      for (const user of [...directory.members(room).keys()]) if (showsPresence(directory, user, watcher)) yield user
    }
  }

  /** Announces `user` to `watcher` if `watcher` may see the user now and could not before, or the other way round. */
  #announceVisibility(user: string, watcher: string, before: boolean): void {
    const now = this.visible(user, watcher)
    if (now === before) return
    if (now) this.#bus.send({ kind: 'presence', user, payload: this.#render(this.#presence(user)), only: watcher })
    else this.#bus.send({ kind: 'presenceHidden', user, payload: this.#unknownPresence(user), only: watcher })
  }

  /** Whether members of the room see each other's presence. */
  #isSharedIn(room: string): boolean {
    const record = this.#store.directory.room(room)
    return record?.access === 'private' && !record.direct && !this.#largeRooms.suppresses(room, 'presence')
  }

  #shareRoom(one: string, other: string): boolean {
    const { directory } = this.#store
    const [mine, theirs] = [directory.memberships(one), directory.memberships(other)]
    const [few, many] = mine.size <= theirs.size ? [mine, theirs] : [theirs, mine]
    for (const room of few.keys()) if (many.has(room) && this.#isSharedIn(room)) return true
    return false
  }

  #presence(user: string): UserPresence {
    let presence = this.#users.get(user)
    if (!presence) {
      presence = new UserPresence(user, (expired) => this.#offline(expired))
      this.#users.set(user, presence)
    }
    return presence
  }

  /** A user who reconnects within `offlineDelay` is announced only if the number of devices differs. */
  #devicesChanged(presence: UserPresence): void {
    if (presence.announcedDevices === shownDevices(presence) || !this.#mayAnnounce(presence)) return
    this.#bus.send({ kind: 'presence', user: presence.user, payload: this.#render(presence) })
  }

  /** Whether a change may be announced now; otherwise it is pending, or replaced by the next one. */
  #mayAnnounce(presence: UserPresence): boolean {
    if (this.#pending.has(presence)) {
      this.#count('dropped.presence_rate')
      return false
    }
    if (this.#rate.take(presence.user) === 0) return true
    if (this.#pending.size === 0) this.#wheel.set(this.#pendingTimer, this.#wheel.now)
    this.#pending.add(presence)
    return false
  }

  #announcePending(now: number): number {
    for (const presence of this.#pending) if (this.#rate.take(presence.user) === 0) this.#announce(presence)
    return this.#pending.size === 0 ? 0 : now + RETRY_INTERVAL
  }

  #offline(presence: UserPresence): number {
    if (presence.devices > 0 || !presence.online) return 0
    presence.online = false
    this.#announce(presence)
    return 0
  }

  #announce(presence: UserPresence): void {
    this.#pending.delete(presence)
    const { user, online, status, away, lastSeen } = presence
    const record: PresenceRecord = { user, online, status, away, lastSeen: online ? Date.now() : lastSeen }
    this.#store.sessions.writeLazily([this.#store.directory.presenceOp(record)]).catch(this.#failed)
    this.#bus.send({ kind: 'presence', user, payload: this.#render(presence) })
  }

  /** The presence of a user who has never been online. */
  #unknownPresence(user: string): Buffer {
    return this.#render(new UserPresence(user, () => 0))
  }

  #render(presence: UserPresence): Buffer {
    const { user, online, away, status, lastSeen } = presence
    const devices = shownDevices(presence)
    presence.announcedDevices = devices
    const state = online ? (away ? 'away' : 'online') : 'offline'
    return Buffer.from(
      JSON.stringify({ user, state, status, lastSeen: online ? Date.now() : lastSeen || null, devices }),
    )
  }
}

/** A user who is announced as online has at least one device. */
function shownDevices({ online, devices }: UserPresence): number {
  return online ? Math.max(1, devices) : 0
}

class UserPresence implements Deadline {
  readonly user: string
  online = false
  away = false
  status: string | null = null
  /** Unix ms. */
  lastSeen = 0
  devices = 0
  /** Number of devices in the last announcement. */
  announcedDevices = 0
  readonly #expired: (presence: UserPresence) => number

  constructor(user: string, expired: (presence: UserPresence) => number) {
    this.user = user
    this.#expired = expired
  }

  due(): number {
    return this.#expired(this)
  }
}
