/**
 * A small model of who may know what. It shares no code with the broker: it is told what people do, says whether they may, and of
 * everything that reaches someone whether they may know it.
 */
import { matches } from '../model/matching.js'
import { hears, type PlainRights, says } from './plain-rights.js'
import type { Access, Role, RoomAct } from './words.js'

export interface Member {
  role: Role
  /** The step in which the membership began. */
  since: number
}

export interface Room {
  access: Access
  members: Map<string, Member>
  /** By what stands between a user and the room. */
  invited: Set<string>
  asked: Set<string>
  banned: Set<string>
  muted: Set<string>
  /** Left, or was removed: comes back by rooms.join alone. */
  departed: Set<string>
}

/** Something said that others may not know. `marker` is in its payload, and nowhere else. */
export interface Secret {
  marker: string
  /** Where it may be shown; empty: nowhere. `{reader}` stands for whoever reads. */
  topics: string[]
  /** What decides who may know it. */
  of:
    | { kind: 'room'; room: string; details?: true }
    | { kind: 'pair'; users: string[] }
    | { kind: 'plain' }
    | { kind: 'status' }
    | { kind: 'everyone' }
    | { kind: 'nobody' }
  from: string
  /** The step in which it was said. */
  at: number
}

/** Whoever hears something: a session or a stream. */
export interface Reader extends PlainRights {
  anonymous: boolean
}

const RANK: Record<Role, number> = { reader: 0, member: 1, moderator: 2, admin: 3, owner: 4 }

export class World {
  step = 0
  rooms = new Map<string, Room>()
  /** `a>b`: a blocks b. */
  blocks = new Set<string>()
  /** `a>b`: a wants b as a contact. */
  wants = new Set<string>()
  /** Direct conversations that have begun. */
  pairs = new Set<string>()
  /** Markers of what was deleted. */
  erased = new Set<string>()
  /** Who is logged out for good. */
  gone = new Set<string>()

  clone(): World {
    return Object.assign(new World(), structuredClone({ ...this }))
  }

  // --- who may know what ----------------------------------------------------------------------------------------------------

  member(room: string, user: string): Member | undefined {
    return this.rooms.get(room)?.members.get(user)
  }

  roomsOf(user: string): string[] {
    const direct = [...this.pairs].filter((pair) => pair.split(':').includes(user))
    return [...[...this.rooms.keys()].filter((room) => this.member(room, user)), ...direct].sort()
  }

  /** Whether `watcher` may see the presence of `user`. */
  sees(watcher: string, user: string): boolean {
    if (watcher === user) return true
    if (this.blocks.has(`${user}>${watcher}`)) return false
    const contacts = this.wants.has(`${user}>${watcher}`) && this.wants.has(`${watcher}>${user}`)
    const shares = ({ access, members }: Room) => access === 'private' && members.has(user) && members.has(watcher)
    return contacts || [...this.rooms.values()].some(shares)
  }

  /** Whether anything at all may come to `reader` on `topic`. */
  mayHear(reader: Reader, topic: string): boolean {
    const { user, anonymous } = reader
    const [first, second = '', third] = topic.split('/')
    if (!anonymous && this.gone.has(user)) return false
    switch (first) {
      case 'rooms':
        if (anonymous) return false
        return second.startsWith('dm:') ? second.split(':').includes(user) : this.member(second, user) !== undefined
      case 'users':
        if (anonymous) return false
        return third === 'presence' ? this.sees(user, second) : second === user && third !== 'requests'
      case 'broadcast':
        return !anonymous
      case '$SYS':
        return false
      default:
        return (first === 'devices' && second === user && !anonymous) || hears(reader, topic)
    }
  }

  /** Whether `secret` may be pushed to `reader` on `topic`. */
  mayBeTold(reader: Reader, topic: string, { marker, topics, of, from, at }: Secret): boolean {
    const { user } = reader
    if (this.erased.has(marker) || !this.mayHear(reader, topic)) return false
    // What one asked for oneself comes as a reply.
    if (topic === `users/${user}/replies`) return false
    if (!topics.some((one) => one.replace('{reader}', user) === topic)) return false
    switch (of.kind) {
      case 'room': {
        const member = this.member(of.room, user)
        return member !== undefined && (of.details === true || member.since <= at)
      }
      case 'pair':
        return of.users.includes(user)
      case 'status':
        return this.sees(user, from)
      default:
        return of.kind !== 'nobody'
    }
  }

  /** Whether `user` may read it when asking for it. Everyone knows their own words. */
  mayRead(user: string, { marker, of, from }: Secret): boolean {
    if (from === user) return true
    if (this.erased.has(marker)) return false
    switch (of.kind) {
      case 'room': {
        const room = this.rooms.get(of.room)!
        const known = room.access !== 'private' || room.invited.has(user)
        return room.members.has(user) || (of.details === true && known)
      }
      case 'pair':
        return of.users.includes(user)
      case 'status':
        return this.sees(user, from)
      default:
        return of.kind === 'everyone'
    }
  }

  // --- what filters show ----------------------------------------------------------------------------------------------------

  /** Whether a SUBSCRIBE has to be granted; if not, it has to be refused. */
  grants(reader: Reader, filter: string, universe: readonly string[]): boolean {
    const { user, anonymous } = reader
    const [first, second = '', third] = filter.split('/')
    const wild = /^[+#]$/.test(second)
    switch (first) {
      case '$share':
        return this.grants(reader, filter.split('/').slice(2).join('/'), universe)
      case 'rooms':
        if (anonymous || wild) return wild && !anonymous
        return second.startsWith('dm:') ? second.split(':').includes(user) : this.member(second, user) !== undefined
      case 'users':
        if (anonymous) return false
        return wild || second === user || (third === 'presence' && this.sees(user, second))
      case 'broadcast':
        return !anonymous
      case '$SYS':
        return false
      case 'devices':
        if (second === user && !anonymous) return true
    }
    return universe.some((topic) => matches(filter, topic) && hears(reader, topic))
  }

  // --- who may do what ------------------------------------------------------------------------------------------------------

  /** Joins where a first message or an exact subscription does that. */
  enter(room: string, user: string): void {
    const { access, members, departed, banned } = this.rooms.get(room)!
    if (members.has(user) || access !== 'public' || departed.has(user) || banned.has(user)) return
    this.#admit(room, user)
  }

  mayWrite(room: string, user: string): boolean {
    const member = this.member(room, user)
    return member !== undefined && RANK[member.role] >= RANK.member && !this.rooms.get(room)!.muted.has(user)
  }

  mayTell(from: string, to: string): boolean {
    return from !== to && !this.blocks.has(`${to}>${from}`)
  }

  mayModerate(room: string, user: string): boolean {
    return RANK[this.member(room, user)?.role ?? 'reader'] >= RANK.moderator
  }

  maySay(rights: PlainRights, topic: string): boolean {
    return topic.startsWith(`devices/${rights.user}/`) || says(rights, topic)
  }

  /** An act on a room. Returns whether it is allowed, and if so it is done. */
  act(user: string, { act, room: name, peer, role, access }: RoomAct): boolean {
    const room = this.rooms.get(name)!
    const mine = room.members.get(user)
    const theirs = room.members.get(peer)
    const least = (least: Role): boolean => mine !== undefined && RANK[mine.role] >= RANK[least]
    const above = !theirs || mine?.role === 'owner' || RANK[mine?.role ?? 'reader'] > RANK[theirs.role]
    const other = user !== peer
    switch (act) {
      case 'join': {
        if (mine) return true
        const open = room.access === 'public' || room.invited.has(user)
        return open && !room.banned.has(user) && this.#admit(name, user)
      }
      case 'leave':
        return mine !== undefined && this.#dismiss(name, user)
      case 'invite':
        return least('admin') && !theirs && !room.banned.has(peer) && this.#invite(room, user, peer)
      case 'remove':
        if (!theirs) return least('admin') && room.invited.delete(peer)
        return least('moderator') && other && above && this.#dismiss(name, peer)
      case 'ban':
        return least('moderator') && other && above && this.#dismiss(name, peer) && !!room.banned.add(peer)
      case 'unban':
        return least('moderator') && room.banned.delete(peer)
      case 'mute':
        return least('moderator') && other && above && theirs !== undefined && !!room.muted.add(peer)
      case 'unmute':
        return least('moderator') && room.muted.delete(peer)
      case 'setRole': {
        const fits = mine?.role === 'owner' || RANK[role] <= RANK[mine?.role ?? 'reader']
        if (!least('admin') || !theirs || !fits || (other && !above)) return false
        theirs.role = role
        return true
      }
      case 'update':
        if (!least('admin')) return false
        room.access = access
        return true
      case 'request':
        if (mine || room.access !== 'request' || room.banned.has(user)) return false
        return !!room.asked.add(user)
      case 'approve':
        return least('moderator') && room.asked.has(peer) && (theirs !== undefined || this.#admit(name, peer))
    }
  }

  #invite(room: Room, by: string, user: string): boolean {
    return !this.blocks.has(`${user}>${by}`) && !!room.invited.add(user)
  }

  #admit(name: string, user: string): true {
    const room = this.rooms.get(name)!
    room.members.set(user, { role: 'member', since: this.step })
    for (const list of [room.invited, room.asked, room.departed]) list.delete(user)
    return true
  }

  #dismiss(name: string, user: string): true {
    const { members, invited, asked, departed } = this.rooms.get(name)!
    for (const list of [members, invited, asked]) list.delete(user)
    departed.add(user)
    return true
  }
}
