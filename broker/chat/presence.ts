/**
 * Who is online. Many sessions make one user; going offline is said only after a delay, and a restart of the broker is not an absence:
 * whoever was online before has `restartGrace` seconds to come back unnoticed.
 */
import { topics } from '../../schemas/topics.js'
import { type Direct, direct } from '../hub.js'
import type { Bus } from '../store/bus.js'
import { commit } from '../store/commit.js'
import type { DirectoryStore, PresenceRecord, Store } from '../store/store.js'
import type { Deadline, Wheel } from '../wheel.js'
import { areContacts, blocks } from './blocks.js'
import type { Signal } from './signals.js'

export interface PresenceOptions {
  /** Seconds. */
  offlineDelay: number
  restartGrace: number
}

export class Presence {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #wheel: Wheel
  readonly #options: PresenceOptions
  readonly #people = new Map<string, Person>()
  readonly #failed: (error: unknown) => void

  constructor(
    store: Store,
    bus: Bus<Signal>,
    wheel: Wheel,
    options: PresenceOptions,
    failed: (error: unknown) => void,
  ) {
    this.#store = store
    this.#bus = bus
    this.#wheel = wheel
    this.#options = options
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
      })
      if (person.online) this.#wheel.set(person, this.#wheel.now + this.#options.restartGrace * 1000)
    }
  }

  connected(user: string): void {
    const person = this.#person(user)
    person.devices++
    this.#wheel.delete(person)
    if (person.online && person.devices > 1) return
    const known = person.online
    person.online = true
    if (!known) this.#announce(person)
  }

  disconnected(user: string): void {
    const person = this.#people.get(user)
    if (!person) return
    person.devices--
    person.lastSeen = Date.now()
    if (person.devices === 0) this.#wheel.set(person, person.lastSeen + this.#options.offlineDelay * 1000)
  }

  /** The account is gone, and nobody is connected any more. */
  async forget(user: string): Promise<void> {
    const person = this.#people.get(user)
    if (person) this.#wheel.delete(person)
    this.#people.delete(user)
    await commit(this.#store, { ops: [this.#store.directory.deletePresenceOp(user)] })
  }

  /** The user's own words. */
  set(user: string, { status, away }: { status?: string | null; away?: boolean }): void {
    const person = this.#person(user)
    if (status !== undefined) person.status = status
    if (away !== undefined) person.away = away
    this.#announce(person)
  }

  /** Whether `watcher` may see `user`: oneself, contacts, and people one shares a private room with, unless they block one. */
  visible(user: string, watcher: string): boolean {
    if (user === watcher) return true
    const { directory } = this.#store
    if (blocks(directory, user, watcher)) return false
    return areContacts(directory, user, watcher) || sharesPrivateRoom(directory, user, watcher)
  }

  /** What a subscription to someone's presence gets at once. */
  current(user: string): Direct {
    return direct(topics.user(user, 'presence'), this.#render(this.#people.get(user) ?? new Person(user, () => 0)), 1, {
      retain: true,
    })
  }

  /** Those whom `watcher` may see. */
  visibleTo(watcher: string): string[] {
    const seen = new Set([watcher])
    const { directory } = this.#store
    for (const user of directory.wanted(watcher).keys()) if (this.visible(user, watcher)) seen.add(user)
    for (const room of directory.memberships(watcher).keys()) {
      const record = directory.room(room)
      if (record?.access !== 'private' || record.direct) continue
      for (const user of directory.members(room).keys()) if (!blocks(directory, user, watcher)) seen.add(user)
    }
    return [...seen]
  }

  #person(user: string): Person {
    let person = this.#people.get(user)
    if (!person) {
      person = new Person(user, (gone) => this.#offline(gone))
      this.#people.set(user, person)
    }
    return person
  }

  #offline(person: Person): number {
    if (person.devices > 0 || !person.online) return 0
    person.online = false
    this.#announce(person)
    return 0
  }

  #announce(person: Person): void {
    const { user, online, status, away, lastSeen } = person
    const record: PresenceRecord = { user, online, status, away, lastSeen: online ? Date.now() : lastSeen }
    this.#store.sessions.writeLazily([this.#store.directory.presenceOp(record)]).catch(this.#failed)
    this.#bus.send({ kind: 'presence', user, payload: this.#render(person) })
  }

  #render({ user, online, away, status, lastSeen, devices }: Person): Buffer {
    const state = online ? (away ? 'away' : 'online') : 'offline'
    return Buffer.from(
      JSON.stringify({ user, state, status, lastSeen: online ? Date.now() : lastSeen || null, devices }),
    )
  }
}

class Person implements Deadline {
  readonly user: string
  online = false
  away = false
  status: string | null = null
  /** Unix ms. */
  lastSeen = 0
  devices = 0
  readonly #gone: (person: Person) => number

  constructor(user: string, gone: (person: Person) => number) {
    this.user = user
    this.#gone = gone
  }

  due(): number {
    return this.#gone(this)
  }
}

function sharesPrivateRoom(directory: DirectoryStore, one: string, other: string): boolean {
  const [mine, theirs] = [directory.memberships(one), directory.memberships(other)]
  const [few, many] = mine.size <= theirs.size ? [mine, theirs] : [theirs, mine]
  for (const room of few.keys()) {
    const record = directory.room(room)
    if (record?.access === 'private' && !record.direct && many.has(room)) return true
  }
  return false
}
