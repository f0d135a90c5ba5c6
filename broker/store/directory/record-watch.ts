/**
 * Derives from the changes of tables what they mean for sessions. It is told in the next microtask: by then memory has the whole commit, and
 * who follows a log was told of its entries, such as the event that somebody left. If the next commit comes before that, as many do when they are read
 * at once, it is told before that one: who has lost a session gets nothing of what comes behind.
 */
import type { DirectoryStore } from '../directory.js'
import { deviceCount, type PresenceRecord } from '../presence.js'
import type { RecordChange, RecordListener } from '../record-changes.js'
import type { MemberRecord } from '../rooms.js'
import { type Owner, ownerOf, partsOf, type TableChange } from '../tables.js'
import type { Users } from './users.js'

type Members = ReadonlyMap<string, MemberRecord | undefined>

/** What was in memory before a commit: by room, the memberships that it changes. */
export interface Former {
  readonly members: Map<string, Map<string, MemberRecord | undefined>>
  readonly changes: RecordChange[]
  readonly accounts: Set<string>
  /** Devices by user. */
  readonly devices: Map<string, number>
  /** Users whose presence is set. */
  readonly shown: Set<string>
}

/** What was in memory before it was loaded anew. */
export interface FormerMemory {
  readonly members: ReadonlyMap<string, Members>
  readonly channels: ReadonlySet<string>
  readonly presence: ReadonlyMap<string, PresenceRecord>
}

export class RecordWatch {
  readonly #directory: DirectoryStore
  readonly #users: Pick<Users, 'isKnownMissing'>
  readonly #listeners: RecordListener[] = []
  #due: RecordChange[] = []

  constructor(directory: DirectoryStore, users: Pick<Users, 'isKnownMissing'>) {
    this.#directory = directory
    this.#users = users
  }

  add(listener: RecordListener): void {
    this.#listeners.push(listener)
  }

  /** Before memory has these changes. Null: they mean nothing for sessions, as those of most commits. */
  note(changes: readonly TableChange[]): Former | null {
    if (this.#due.length > 0) this.#flush()
    let former: Former | null = null
    for (const change of changes)
      switch (change.table) {
        case 'member':
        case 'room':
        case 'channel':
          this.#note((former ??= nothing()), change)
          break
        case 'session':
          if ('value' in change && change.value === null) (former ??= nothing()).changes.push(sessionRemoved(change))
          break
        case 'owner':
        case 'claimant':
          ;(former ??= nothing()).changes.push({ kind: 'owner', session: ownerOfChange(change) })
          break
        case 'webhook':
          ;(former ??= nothing()).changes.push({ kind: 'webhook', webhook: ownerOfChange(change) })
          break
        case 'retry':
          if ('value' in change && change.value !== null)
            (former ??= nothing()).changes.push({ kind: 'retry', webhook: ownerOfChange(change) })
          break
        case 'job':
          ;(former ??= nothing()).changes.push({ kind: 'job', job: ownerOfChange(change) })
          break
        case 'candidate':
          ;(former ??= nothing()).changes.push({ kind: 'job', job: null })
          break
        case 'openCommand':
          if ('value' in change && change.value !== null)
            (former ??= nothing()).changes.push({ kind: 'openCommand', device: ownerOfChange(change) })
          break
        case 'presence':
        case 'userDevices':
          this.#notePresence((former ??= nothing()), change)
          break
        case 'user':
        case 'credential':
          if (this.#concernsLogins(change)) (former ??= nothing()).accounts.add(ownerOfChange(change))
      }
    return former
  }

  #note({ members, changes }: Former, change: TableChange): void {
    const owner = ownerOfChange(change)
    if (change.table === 'member') this.#noteMembers(members, owner, 'key' in change ? partsOf(change.key)[1]! : null)
    else if (change.table === 'room') changes.push({ kind: 'room', room: owner })
    else changes.push({ kind: 'channel', channel: owner })
  }

  #notePresence({ devices, shown }: Former, change: TableChange): void {
    const user = ownerOfChange(change)
    if (!devices.has(user)) devices.set(user, deviceCount(this.#directory.presence.devices(user)))
    if (change.table === 'presence') shown.add(user)
  }

  /** Only before its first change in a commit a membership is as it was. @param user Null: all of the room */
  #noteMembers(noted: Map<string, Map<string, MemberRecord | undefined>>, room: Owner, user: string | null): void {
    let former = noted.get(room)
    if (!former) noted.set(room, (former = new Map()))
    for (const name of user === null ? this.#directory.members(room).keys() : [user])
      if (!former.has(name)) former.set(name, this.#directory.member(room, name))
  }

  /** Nobody is logged in with a new account, nor with a new credential. */
  #concernsLogins(change: TableChange): boolean {
    if (!('key' in change)) return true
    return change.table === 'user' ? !this.#users.isKnownMissing(ownerOf(change.key)) : change.value === null
  }

  /** Memory has the changes. */
  applied({ members, changes, accounts, devices, shown }: Former): void {
    for (const [room, former] of members) this.#compare(room, former)
    for (const change of changes) this.#tell(change)
    for (const user of accounts) this.#tell({ kind: 'account', user })
    for (const [user, before] of devices) this.#tellPresence(user, before, shown.has(user))
  }

  #tellPresence(user: string, before: number, isSet: boolean): void {
    const record = this.#directory.presence.get(user)
    const after = deviceCount(this.#directory.presence.devices(user))
    if (record) this.#tell({ kind: 'presence', record, isSet, devices: [before, after] })
  }

  /** What is in memory; it stays as it is when memory is loaded anew. */
  memory(): FormerMemory {
    const rooms = [...this.#directory.rooms()]
    const members = new Map(rooms.map(({ id }) => [id, this.#directory.members(id)]))
    const presence = new Map([...this.#directory.presence.all()].map((record) => [record.user, record]))
    return { members, channels: new Set(this.#directory.channels()), presence }
  }

  /** Memory was loaded anew. */
  reloaded({ members, channels, presence }: FormerMemory): void {
    for (const room of new Set([...members.keys(), ...this.memory().members.keys()])) {
      const added = [...this.#directory.members(room).keys()].map((user) => [user, undefined] as const)
      this.#compare(room, new Map([...added, ...(members.get(room) ?? [])]))
    }
    for (const channel of this.#directory.channels())
      if (!channels.has(channel)) this.#tell({ kind: 'channel', channel })
    for (const record of this.#directory.presence.all())
      if (!isShownAlike(record, presence.get(record.user))) this.#tellPresence(record.user, 0, true)
    this.#tell({ kind: 'reloaded' })
  }

  #compare(room: string, former: Members): void {
    const isThere = this.#directory.room(room) !== undefined
    const ended: string[] = []
    for (const [user, before] of former) {
      const after = this.#directory.member(room, user)
      if (before && after && isSame(before, after)) continue
      if (before && isThere) this.#tell({ kind: 'membership', room, user, member: false })
      else if (before) ended.push(user)
      if (after) this.#tell({ kind: 'membership', room, user, member: true })
    }
    if (ended.length > 0) this.#tell({ kind: 'roomEnded', room, members: ended })
  }

  #tell(change: RecordChange): void {
    if (this.#listeners.length > 0 && this.#due.push(change) === 1) queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    for (const change of this.#due.splice(0)) for (const listener of this.#listeners) listener(change)
  }
}

function nothing(): Former {
  return { members: new Map(), changes: [], accounts: new Set(), devices: new Map(), shown: new Set() }
}

function sessionRemoved(change: TableChange): RecordChange {
  return { kind: 'sessionRemoved', session: ownerOfChange(change) }
}

function ownerOfChange(change: TableChange): Owner {
  return 'key' in change ? ownerOf(change.key) : change.owner
}

function isShownAlike(one: PresenceRecord, other: PresenceRecord | undefined): boolean {
  if (one.online !== other?.online || one.away !== other.away || one.status !== other.status) return false
  return one.statusEmoji === other.statusEmoji && one.statusUntil === other.statusUntil
}

/** False: the user left and joined anew in between. */
function isSame(one: MemberRecord, other: MemberRecord): boolean {
  const { messages, events } = one.joined
  return one.since === other.since && messages === other.joined.messages && events === other.joined.events
}
