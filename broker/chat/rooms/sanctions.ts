/** Bans and mutes. Each act is one commit with its events; a sanction with an end expires without any write. */
import { Refusal } from '../../../schemas/errors.js'
import type { Bus } from '../../store/bus.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import { namesOf } from '../../store/persons.js'
import type { BanRecord, MemberRecord, MuteRecord, RoomRecords } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import type { Actor } from '../model/actor.js'
import { roomEvent, type Sanction, userEvent } from '../model/events.js'
import type { Signal } from '../model/signals.js'
import { memberLock } from './members.js'
import { isOver, type RoomRules } from './room-rules.js'

/** Per room, of each kind. */
const MAX_SANCTIONS = 10_000

export interface SanctionsDeps {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly rules: RoomRules
  readonly locks: KeyedMutex
}

export class Sanctions {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #rules: RoomRules
  readonly #locks: KeyedMutex

  constructor({ store, bus, rules, locks }: SanctionsDeps) {
    this.#store = store
    this.#bus = bus
    this.#rules = rules
    this.#locks = locks
  }

  /**
   * Bans a user, who is removed at once together with their bots and devices; invitations and join requests are deleted. `seconds`:
   * duration; undefined: permanent.
   */
  ban(actor: Actor, room: string, user: string, seconds?: number, reason: string | null = null): Promise<BanRecord> {
    return this.#locks.runExclusive(room, () => {
      const names = [...namesOf(this.#store.directory, user)]
      // Waits for joins under way, and holds up later ones.
      return this.#withMemberLocks(room, names, () => this.#ban(actor, room, user, names, { seconds, reason }))
    })
  }

  #withMemberLocks<T>(room: string, [user, ...others]: readonly string[], act: () => Promise<T>): Promise<T> {
    return user === undefined
      ? act()
      : this.#locks.runExclusive(memberLock(room, user), () => this.#withMemberLocks(room, others, act))
  }

  async #ban(
    actor: Actor,
    room: string,
    user: string,
    names: readonly string[],
    { seconds, reason }: { seconds: number | undefined; reason: string | null },
  ): Promise<BanRecord> {
    const { directory } = this.#store
    this.#rules.require(actor, room, 'ban')
    await this.#requireTarget(actor, room, user)
    const members = names.flatMap((name) => directory.member(room, name) ?? [])
    for (const member of members) this.#rules.requireAbove(actor, member)
    if (members.some(({ role }) => role === 'owner')) this.#rules.requireAnotherOwner(room, ...names)
    const record: BanRecord = { ...sanction(actor, room, user, seconds), reason }
    const { by, until } = record
    const ops = [...this.#room(directory.bans, room), directory.bans.putOp(record), ...this.#outOps(room, names)]
    const removed = members.filter((member) => member.user !== user).flatMap((member) => removedDrafts(member, by))
    await this.#commit(room, user, { type: 'banned', by, until, reason }, ops, removed)
    for (const member of members) this.#bus.send({ kind: 'membership', room, user: member.user, member: false })
    return record
  }

  /** Writes that remove these users, their invitations and their join requests. After the ban they come back only by `rooms.join`. */
  #outOps(room: string, names: readonly string[]): Op[] {
    const { directory } = this.#store
    const ops: Op[] = []
    for (const [i, name] of names.entries()) {
      const member = directory.member(room, name)
      if (member) ops.push(...directory.deleteMemberOps(room, name))
      if (member || i === 0) ops.push(directory.departedOp(room, name))
      if (directory.invite(room, name)) ops.push(directory.deleteInviteOp(room, name))
      if (directory.joinRequests.get(room, name)) ops.push(directory.joinRequests.deleteOp(room, name))
    }
    return ops
  }

  /** Removes the bots and devices of `person` from rooms where the person is banned: those created after the ban. */
  async expel(person: string): Promise<void> {
    const { directory } = this.#store
    for (const name of namesOf(directory, person))
      for (const room of [...directory.memberships(name).keys()])
        if (this.#rules.activeSanction('bans', room, name)) await this.#expel(room, name)
  }

  #expel(room: string, name: string): Promise<void> {
    return this.#locks.runExclusive(room, async () => {
      const member = this.#store.directory.member(room, name)
      const ban = this.#rules.activeSanction('bans', room, name)
      if (!member || !ban) return
      await commit(this.#store, { drafts: removedDrafts(member, ban.by), ops: this.#outOps(room, [name]) })
      this.#bus.send({ kind: 'membership', room, user: name, member: false })
    })
  }

  /** The same for all banned users. */
  async expelAll(): Promise<void> {
    const { directory } = this.#store
    const banned = new Set<string>()
    for (const { id } of directory.rooms()) for (const user of directory.bans.of(id).keys()) banned.add(user)
    for (const user of banned) await this.expel(user)
  }

  unban(actor: Actor, room: string, user: string): Promise<void> {
    return this.#locks.runExclusive(room, () => this.#lift(actor, room, user, 'ban'))
  }

  /** Mutes a member, who may still read. The mute stays when the member leaves and joins again. */
  mute(actor: Actor, room: string, user: string, seconds?: number): Promise<MuteRecord> {
    return this.#locks.runExclusive(room, async () => {
      const { mutes } = this.#store.directory
      this.#rules.require(actor, room, 'mute')
      this.#rules.memberOf(room, user)
      await this.#requireTarget(actor, room, user)
      const record = sanction(actor, room, user, seconds)
      const { by, until } = record
      await this.#commit(room, user, { type: 'muted', by, until }, [...this.#room(mutes, room), mutes.putOp(record)])
      return record
    })
  }

  unmute(actor: Actor, room: string, user: string): Promise<void> {
    return this.#locks.runExclusive(room, () => this.#lift(actor, room, user, 'mute'))
  }

  /** The sanctions in force. */
  bans(actor: Actor, room: string): BanRecord[] {
    this.#rules.require(actor, room, 'ban')
    return standing(this.#store.directory.bans.of(room))
  }

  mutes(actor: Actor, room: string): MuteRecord[] {
    this.#rules.require(actor, room, 'mute')
    return standing(this.#store.directory.mutes.of(room))
  }

  async #lift(actor: Actor, room: string, user: string, act: 'ban' | 'mute'): Promise<void> {
    const { bans, mutes } = this.#store.directory
    this.#rules.require(actor, room, act)
    const records: RoomRecords<MuteRecord> = act === 'ban' ? bans : mutes
    const record = records.get(room, user)
    const done = act === 'ban' ? 'banned' : 'muted'
    if (!record || isOver(record))
      throw new Refusal('not_found', `${user} is not ${done} in ${room}`, { field: 'user' })
    await this.#commit(room, user, { type: `un${done}`, by: actor.principal.user }, [records.deleteOp(room, user)])
  }

  async #requireTarget(actor: Actor, room: string, user: string): Promise<void> {
    const { directory } = this.#store
    if (user === actor.principal.user) throw new Refusal('bad_request', 'that is your own name', { field: 'user' })
    const member = directory.member(room, user)
    if (member) this.#rules.requireAbove(actor, member)
    else if (!(await directory.user(user)))
      throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
    if (member?.role === 'owner') this.#rules.requireAnotherOwner(room, user)
  }

  /** Writes that delete expired records once the list is full. @throws Refusal `conflict` if none has expired. */
  #room(records: RoomRecords<MuteRecord>, room: string): Op[] {
    const all = records.of(room)
    if (all.size < MAX_SANCTIONS) return []
    const over = [...all.values()].filter((record) => isOver(record))
    if (over.length === 0) throw new Refusal('conflict', `${MAX_SANCTIONS} users of ${room} are in that list already`)
    return over.map(({ user }) => records.deleteOp(room, user))
  }

  async #commit(room: string, user: string, event: Sanction, ops: Op[], more: Draft[] = []): Promise<void> {
    const drafts = [roomEvent(room, { ...event, user }), userEvent(user, { ...event, room }), ...more]
    await commit(this.#store, { drafts, ops })
  }
}

function removedDrafts({ room, user }: MemberRecord, by: string): Draft[] {
  return [roomEvent(room, { type: 'removed', user, by }), userEvent(user, { type: 'removed', room, by })]
}

function sanction(actor: Actor, room: string, user: string, seconds?: number): MuteRecord {
  const at = Date.now()
  return { room, user, by: actor.principal.user, at, until: seconds === undefined ? null : at + seconds * 1000 }
}

function standing<T extends MuteRecord>(records: ReadonlyMap<string, T>): T[] {
  return [...records.values()].filter((record) => !isOver(record))
}
