/**
 * A small model of authorisation: who may know what. It shares no code with the broker. It is told what users do and says whether it is
 * allowed, and for each received message whether the receiver may know it.
 */
import { matches } from '../session/matching.js'
import { hears, type PlainRights, says } from './plain-rights.js'
import { type Access, type Audience, DEVICE, type Privacy, type Role, type RoomAct, VOICES } from './words.js'

export interface Member {
  role: Role
  /** The step in which the membership began. */
  since: number
}

export interface Room {
  access: Access
  members: Map<string, Member>
  /** Users by their state towards the room. */
  invited: Set<string>
  asked: Set<string>
  banned: Set<string>
  muted: Set<string>
  /** Left or removed users, who can only come back by rooms.join. */
  departed: Set<string>
}

/** A message that not everyone may read. `marker` is in its payload, and nowhere else. */
export interface Secret {
  marker: string
  /** Topics on which it may be delivered; empty: none. `{reader}` stands for the receiver. */
  topics: string[]
  /** Decides who may know it. */
  of:
    | { kind: 'room'; room: string; details?: true }
    | { kind: 'pair'; users: string[] }
    | { kind: 'plain' }
    | { kind: 'device' }
    /** Announced to users with one of these roles. */
    | { kind: 'roles'; roles: string[] }
    | { kind: 'status' }
    | { kind: 'everyone' }
    | { kind: 'nobody' }
  from: string
  /** Forwards of the message. */
  copies?: (Pick<Secret, 'topics' | 'of' | 'at'> & { by: string })[]
  /** The step in which it was sent. */
  at: number
}

/** A receiver: a session or a stream. */
export interface Reader extends PlainRights {
  anonymous: boolean
}

const RANK: Record<Role, number> = { reader: 0, member: 1, moderator: 2, admin: 3, owner: 4 }

export class World {
  step = 0
  rooms = new Map<string, Room>()
  /** `a>b`: a blocks b. */
  blocks = new Set<string>()
  /** `a>b`: a added b as a contact. */
  wants = new Set<string>()
  /** Privacy settings; `everyone` if not set. */
  privacy = new Map<string, Partial<Record<Privacy, Audience>>>()
  /** `a>b`: a has written to b. */
  wrote = new Set<string>()
  device = { owner: 'ann', shares: new Map<string, 'read' | 'control'>() }
  /** The room in which a message was reported, by marker. */
  reported = new Map<string, string>()
  /** Direct conversations that exist. */
  pairs = new Set<string>()
  /** Markers of deleted messages. */
  erased = new Set<string>()
  /** `a b`: a forward into room a named room b as its origin, when b was public. */
  toldOf = new Set<string>()
  /** Users who were logged out for good. */
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

  contacts(one: string, other: string): boolean {
    return this.wants.has(`${one}>${other}`) && this.wants.has(`${other}>${one}`)
  }

  /** Whether the setting `what` of `user` admits `other`. */
  admits(user: string, other: string, what: Privacy): boolean {
    const audience = this.privacy.get(user)?.[what] ?? 'everyone'
    if (audience !== 'contacts') return audience === 'everyone'
    return this.contacts(user, other) || (what === 'messages' && this.wrote.has(`${user}>${other}`))
  }

  /** Whether `reader` may know the read receipts of `user`: both must share theirs. */
  tellsReading(room: string, user: string, reader: string): boolean {
    if (user === reader) return true
    const blocks = this.blocks.has(`${user}>${reader}`) || this.blocks.has(`${reader}>${user}`)
    if (room.startsWith('dm:') && blocks) return false
    return this.admits(user, reader, 'readReceipts') && this.admits(reader, user, 'readReceipts')
  }

  /** The rights of `user` on the device. */
  mayWith(user: string): 'own' | 'control' | 'read' | null {
    return this.device.owner === user ? 'own' : (this.device.shares.get(user) ?? null)
  }

  /** Whether `watcher` may see the presence of `user`. */
  sees(watcher: string, user: string): boolean {
    if (watcher === user) return true
    if (this.blocks.has(`${user}>${watcher}`)) return false
    if (!this.admits(user, watcher, 'presence')) return false
    const known = this.contacts(user, watcher) || (user === DEVICE && this.mayWith(watcher) !== null)
    const shares = ({ access, members }: Room) => access === 'private' && members.has(user) && members.has(watcher)
    return known || [...this.rooms.values()].some(shares)
  }

  /** Whether any message may be delivered to `reader` on `topic`. */
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
      case 'devices':
        if (!anonymous && (second === user || (second === DEVICE && this.mayWith(user)))) return true
        return hears(reader, topic)
      default:
        return hears(reader, topic)
    }
  }

  /** Whether `secret` may be delivered to `reader` on `topic`. */
  mayBeTold(reader: Reader, topic: string, secret: Secret): boolean {
    const { marker, from, copies = [] } = secret
    if (!this.mayHear(reader, topic)) return false
    const told = [...(this.erased.has(marker) ? [] : [secret]), ...copies]
    return told.some((one) => this.#isTold(reader, topic, from, one))
  }

  #isTold(reader: Reader, topic: string, from: string, { topics, of, at }: Omit<Secret, 'marker' | 'from'>): boolean {
    const { user } = reader
    // Replies carry only what the user asked for.
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
      case 'roles':
        return of.roles.some((role) => reader.roles.includes(role))
      default:
        return of.kind !== 'nobody'
    }
  }

  /** Whether a command may return it to `user`. Authors may read their own messages. */
  mayRead(user: string, secret: Secret): boolean {
    const { marker, from, copies = [] } = secret
    if (from === user) return true
    const there = [...(this.erased.has(marker) ? [] : [secret]), ...copies]
    return there.some(({ of }) => this.#isRead(user, from, of))
  }

  #isRead(user: string, from: string, of: Secret['of']): boolean {
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
      case 'roles':
        return of.roles.some((role) => VOICES[user]!.includes(role))
      case 'device':
        return this.mayWith(user) !== null
      default:
        return of.kind === 'everyone'
    }
  }

  // --- what filters show ----------------------------------------------------------------------------------------------------

  /** Whether a SUBSCRIBE must be granted; if not, it must be refused. */
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
        // A filter over all devices matches those the user may read, now and later.
        if (!anonymous && (second === user || /^[+#]$/.test(second) || (second === 'lamp' && this.mayWith(user))))
          return true
    }
    return universe.some((topic) => matches(filter, topic) && hears(reader, topic))
  }

  // --- who may do what ------------------------------------------------------------------------------------------------------

  /** Joins if a first message or an exact subscription does so. */
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
    return from === to || (!this.blocks.has(`${to}>${from}`) && this.admits(to, from, 'messages'))
  }

  mayModerate(room: string, user: string): boolean {
    return RANK[this.member(room, user)?.role ?? 'reader'] >= RANK.moderator
  }

  /** Shares or transfers the device, if it is allowed. Returns whether it is. */
  handDevice(user: string, peer: string, how: 'read' | 'control' | 'unshare' | 'transfer'): boolean {
    const { shares, owner } = this.device
    const may = this.mayWith(user)
    if (how === 'unshare') return (may === 'own' || (may !== null && user === peer)) && shares.delete(peer)
    if (may !== 'own' || this.blocks.has(`${peer}>${user}`) || (user !== peer && !this.admits(peer, user, 'invites')))
      return false
    if (how !== 'transfer' && peer === owner) return false
    if (how !== 'transfer') shares.set(peer, how)
    else if (peer !== owner) this.device = { owner: peer, shares: new Map() }
    return true
  }

  maySay(rights: PlainRights, topic: string): boolean {
    return topic.startsWith(`devices/${rights.user}/`) || says(rights, topic)
  }

  /** Carries out an act on a room, if it is allowed. Returns whether it is. */
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
    return !this.blocks.has(`${user}>${by}`) && this.admits(user, by, 'invites') && !!room.invited.add(user)
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
