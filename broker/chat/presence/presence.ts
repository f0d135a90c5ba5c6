/**
 * Who is online. Many sessions make one user; going offline is said only after a delay, and a restart of the broker is not an absence:
 * whoever was online before has `restartGrace` seconds to come back unnoticed. What one user changes too often is told late, and only what
 * it has come to; coming and going is always told.
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

/** Milliseconds between two looks at whether what is late may be told. */
const LATE_EVERY = 250

export interface PresenceOptions {
  /** Seconds. */
  offlineDelay: number
  restartGrace: number
  /** Of the user's own words and of devices, told of one user. */
  perSecond: number
}

export interface PresenceParts {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly wheel: TimerWheel
  readonly largeRooms: LargeRoomPolicy
  readonly options: PresenceOptions
  /** Counts what is left out, by reason. */
  readonly count: (name: string) => void
  readonly failed: (error: unknown) => void
}

export class Presence {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #wheel: TimerWheel
  readonly #largeRooms: LargeRoomPolicy
  readonly #options: PresenceOptions
  readonly #people = new Map<string, Person>()
  readonly #rate: TokenBuckets
  /** Those whose last change is yet to be told. */
  readonly #late = new Set<Person>()
  readonly #tellingLate: Deadline = { due: (now) => this.#tellLate(now) }
  readonly #count: (name: string) => void
  readonly #failed: (error: unknown) => void

  constructor({ store, bus, wheel, largeRooms, options, count, failed }: PresenceParts) {
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
      const person = this.#person(record.user)
      Object.assign(person, {
        online: record.online,
        status: record.status,
        away: record.away,
        lastSeen: record.lastSeen,
        shown: record.online ? 1 : 0,
      })
      if (person.online) this.#wheel.set(person, this.#wheel.now + this.#options.restartGrace * 1000)
    }
  }

  connected(user: string): void {
    const person = this.#person(user)
    person.devices++
    this.#wheel.delete(person)
    if (person.online) return this.#devicesChanged(person)
    person.online = true
    this.#announce(person)
  }

  disconnected(user: string): void {
    const person = this.#people.get(user)
    if (!person) return
    person.devices--
    person.lastSeen = Date.now()
    if (person.devices > 0) this.#devicesChanged(person)
    else this.#wheel.set(person, person.lastSeen + this.#options.offlineDelay * 1000)
  }

  /** The account is gone, and nobody is connected any more. */
  async forget(user: string): Promise<void> {
    const person = this.#people.get(user)
    if (person) {
      this.#wheel.delete(person)
      this.#late.delete(person)
    }
    this.#people.delete(user)
    await commit(this.#store, { ops: [this.#store.directory.deletePresenceOp(user)] })
  }

  /** The user's own words. Above the rate the last of them are told when there is room again. */
  set(user: string, { status, away }: { status?: string | null; away?: boolean }): void {
    const person = this.#person(user)
    if (status !== undefined) person.status = status
    if (away !== undefined) person.away = away
    if (this.#mayTell(person)) this.#announce(person)
  }

  /** Whether `watcher` may see `user`: oneself, and those who know the user, unless they are blocked or left out. */
  visible(user: string, watcher: string): boolean {
    return user === watcher || (showsPresence(this.#store.directory, user, watcher) && this.knows(watcher, user))
  }

  /** Contacts, and people who share a private room that is not too large for it. */
  knows(watcher: string, user: string): boolean {
    return areContacts(this.#store.directory, user, watcher) || this.#shareRoom(user, watcher)
  }

  /** The user shows it to others than before: those who may see it are told, and to the others the user is gone. */
  audienceChanged(user: string): void {
    this.#bus.send({ kind: 'presence', user, payload: this.#render(this.#person(user)) })
    this.#bus.send({ kind: 'unseen', user, payload: this.#unseen(user) })
  }

  /** Does what may let two see each other, or end it; each is told where it did. */
  async changing<T>(one: string, other: string, work: () => Promise<T>): Promise<T> {
    const seen = [this.visible(one, other), this.visible(other, one)] as const
    const done = await work()
    this.#turned(one, other, seen[0])
    this.#turned(other, one, seen[1])
    return done
  }

  /** What a subscription to someone's presence gets at once. */
  current(user: string): UnloggedMessage {
    return unlogged(
      topics.user(user, 'presence'),
      this.#render(this.#people.get(user) ?? new Person(user, () => 0)),
      1,
      {
        retain: true,
      },
    )
  }

  /** Those whom `watcher` may see, each once; looked for as they are asked for. */
  *visibleTo(watcher: string): Generator<string> {
    const seen = new Set<string>()
    for (const user of this.#inSight(watcher)) {
      if (seen.has(user)) continue
      seen.add(user)
      yield user
    }
  }

  *#inSight(watcher: string): Generator<string> {
    const { directory } = this.#store
    yield watcher
    for (const user of [...directory.wanted(watcher).keys()]) if (this.visible(user, watcher)) yield user
    for (const room of [...directory.memberships(watcher).keys()]) {
      if (!this.#isShownIn(room)) continue
      for (const user of [...directory.members(room).keys()]) if (showsPresence(directory, user, watcher)) yield user
    }
  }

  /** Tells `watcher` if they may see `user` now and could not before, or the other way round. */
  #turned(user: string, watcher: string, before: boolean): void {
    const now = this.visible(user, watcher)
    if (now === before) return
    if (now) this.#bus.send({ kind: 'presence', user, payload: this.#render(this.#person(user)), only: watcher })
    else this.#bus.send({ kind: 'unseen', user, payload: this.#unseen(user), only: watcher })
  }

  /** Whether those in the room see each other's presence. */
  #isShownIn(room: string): boolean {
    const record = this.#store.directory.room(room)
    return record?.access === 'private' && !record.direct && !this.#largeRooms.thins(room, 'presence')
  }

  #shareRoom(one: string, other: string): boolean {
    const { directory } = this.#store
    const [mine, theirs] = [directory.memberships(one), directory.memberships(other)]
    const [few, many] = mine.size <= theirs.size ? [mine, theirs] : [theirs, mine]
    for (const room of few.keys()) if (many.has(room) && this.#isShownIn(room)) return true
    return false
  }

  #person(user: string): Person {
    let person = this.#people.get(user)
    if (!person) {
      person = new Person(user, (gone) => this.#offline(gone))
      this.#people.set(user, person)
    }
    return person
  }

  /** Who comes back before they are offline is there with one device, as they were. */
  #devicesChanged(person: Person): void {
    if (person.shown === shownDevices(person) || !this.#mayTell(person)) return
    this.#bus.send({ kind: 'presence', user: person.user, payload: this.#render(person) })
  }

  /** Whether a change may be told now; else it will be, unless another comes before. */
  #mayTell(person: Person): boolean {
    if (this.#late.has(person)) {
      this.#count('dropped.presence_rate')
      return false
    }
    if (this.#rate.take(person.user) === 0) return true
    if (this.#late.size === 0) this.#wheel.set(this.#tellingLate, this.#wheel.now)
    this.#late.add(person)
    return false
  }

  #tellLate(now: number): number {
    for (const person of this.#late) if (this.#rate.take(person.user) === 0) this.#announce(person)
    return this.#late.size === 0 ? 0 : now + LATE_EVERY
  }

  #offline(person: Person): number {
    if (person.devices > 0 || !person.online) return 0
    person.online = false
    this.#announce(person)
    return 0
  }

  #announce(person: Person): void {
    this.#late.delete(person)
    const { user, online, status, away, lastSeen } = person
    const record: PresenceRecord = { user, online, status, away, lastSeen: online ? Date.now() : lastSeen }
    this.#store.sessions.writeLazily([this.#store.directory.presenceOp(record)]).catch(this.#failed)
    this.#bus.send({ kind: 'presence', user, payload: this.#render(person) })
  }

  /** As of one who was never there. */
  #unseen(user: string): Buffer {
    return this.#render(new Person(user, () => 0))
  }

  #render(person: Person): Buffer {
    const { user, online, away, status, lastSeen } = person
    const devices = shownDevices(person)
    person.shown = devices
    const state = online ? (away ? 'away' : 'online') : 'offline'
    return Buffer.from(
      JSON.stringify({ user, state, status, lastSeen: online ? Date.now() : lastSeen || null, devices }),
    )
  }
}

/** Who is said to be online has a device. */
function shownDevices({ online, devices }: Person): number {
  return online ? Math.max(1, devices) : 0
}

class Person implements Deadline {
  readonly user: string
  online = false
  away = false
  status: string | null = null
  /** Unix ms. */
  lastSeen = 0
  devices = 0
  /** How many were said to be there last. */
  shown = 0
  readonly #gone: (person: Person) => number

  constructor(user: string, gone: (person: Person) => number) {
    this.user = user
    this.#gone = gone
  }

  due(): number {
    return this.#gone(this)
  }
}
