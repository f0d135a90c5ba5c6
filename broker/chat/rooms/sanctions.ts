/** Bans and mutes. Each act is one commit with its events; a sanction with an end expires without any write. */
import { Refusal } from '../../../schemas/errors.js'
import type { Draft } from '../../store/changes.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Op } from '../../store/op.js'
import { namesOf, topicOfOwned } from '../../store/persons.js'
import type { BanRecord, MemberRecord, MuteRecord, RoomRecords } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { type Actor, requireAccount } from '../model/actor.js'
import { roomEvent, type Sanction, userEvent } from '../model/events.js'
import { isOver, type RoomRules } from './room-rules.js'

/** Per room, of each kind. */
const MAX_SANCTIONS = 10_000

/** Who is sanctioned, in which room, for how long (`seconds`; undefined: for good). */
interface Sentence {
  readonly room: string
  readonly user: string
  readonly seconds: number | undefined
}

export class Sanctions {
  readonly #store: Store
  readonly #rules: RoomRules

  constructor(store: Store, rules: RoomRules) {
    this.#store = store
    this.#rules = rules
  }

  /**
   * Bans a user, who is removed at once together with their bots and devices; invitations and join requests are deleted. `seconds`:
   * duration; undefined: permanent.
   */
  async ban(
    actor: Actor,
    room: string,
    user: string,
    seconds?: number,
    reason: string | null = null,
  ): Promise<BanRecord> {
    const sentence = { room, user, seconds }
    const { value } = await this.#store.transact(room, (tx) => this.#ban(tx, actor, sentence, reason))
    return value
  }

  async #ban(tx: Transaction, actor: Actor, sentence: Sentence, reason: string | null): Promise<Decision<BanRecord>> {
    const { directory } = tx
    const { room, user } = sentence
    const rules = this.#rules.with(directory)
    rules.require(actor, room, 'ban')
    await requireTarget(directory, rules, actor, room, user)
    const names = [...namesOf(directory, user)]
    for (const name of names) tx.readTopic(topicOfOwned(name))
    const members = names.flatMap((name) => directory.member(room, name) ?? [])
    for (const member of members) rules.requireAbove(actor, member)
    if (members.some(({ role }) => role === 'owner')) rules.requireAnotherOwner(room, ...names)
    const record: BanRecord = { ...sanction(actor, sentence), reason }
    const { by, until } = record
    const ops = [...this.#spaceOps(tx, 'ban', room), directory.bans.putOp(record), ...outOps(directory, room, names)]
    const removed = members.filter((member) => member.user !== user).flatMap((member) => removedDrafts(member, by))
    const drafts = [...eventsOf(room, user, { type: 'banned', by, until, reason }), ...removed]
    return { drafts, ops, value: record }
  }

  /** Removes the bots and devices of `person` from rooms where the person is banned: those created after the ban. */
  async expel(person: string): Promise<void> {
    const { directory } = this.#store
    for (const name of namesOf(directory, person))
      for (const room of [...directory.memberships(name).keys()])
        if (this.#rules.activeSanction('bans', room, name)) await this.#expel(room, name)
  }

  async #expel(room: string, name: string): Promise<void> {
    await this.#store.transact(room, ({ directory }) => {
      const member = directory.member(room, name)
      const ban = this.#rules.with(directory).activeSanction('bans', room, name)
      if (!member || !ban) return { value: undefined }
      return { drafts: removedDrafts(member, ban.by), ops: outOps(directory, room, [name]), value: undefined }
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
    return this.#lift(actor, room, user, 'ban')
  }

  /** Mutes a member, who may still read. The mute stays when the member leaves and joins again. */
  async mute(actor: Actor, room: string, user: string, seconds?: number): Promise<MuteRecord> {
    const { value } = await this.#store.transact(room, async (tx) => {
      const { directory } = tx
      const { mutes } = directory
      const rules = this.#rules.with(directory)
      rules.require(actor, room, 'mute')
      rules.memberOf(room, user)
      await requireTarget(directory, rules, actor, room, user)
      const record = sanction(actor, { room, user, seconds })
      const { by, until } = record
      const ops = [...this.#spaceOps(tx, 'mute', room), mutes.putOp(record)]
      return { drafts: eventsOf(room, user, { type: 'muted', by, until }), ops, value: record }
    })
    return value
  }

  unmute(actor: Actor, room: string, user: string): Promise<void> {
    return this.#lift(actor, room, user, 'mute')
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

  /** Writes that delete expired records once the list is full. @throws Refusal `conflict` if none has expired. */
  #spaceOps(tx: Transaction, what: 'ban' | 'mute', room: string): Op[] {
    const recordsOf = ({ bans, mutes }: DirectoryStore): RoomRecords<MuteRecord> => (what === 'ban' ? bans : mutes)
    if (recordsOf(this.#store.directory).of(room).size < MAX_SANCTIONS) {
      tx.limit({ table: what, owner: room, most: MAX_SANCTIONS })
      return []
    }
    const records = recordsOf(tx.directory)
    const over = [...records.of(room).values()].filter((record) => isOver(record))
    if (over.length === 0) throw new Refusal('conflict', `${MAX_SANCTIONS} users of ${room} are in that list already`)
    return over.map(({ user }) => records.deleteOp(room, user))
  }

  async #lift(actor: Actor, room: string, user: string, act: 'ban' | 'mute'): Promise<void> {
    await this.#store.transact(room, ({ directory }) => {
      this.#rules.with(directory).require(actor, room, act)
      const records: RoomRecords<MuteRecord> = act === 'ban' ? directory.bans : directory.mutes
      const record = records.get(room, user)
      const done = act === 'ban' ? 'banned' : 'muted'
      if (!record || isOver(record))
        throw new Refusal('not_found', `${user} is not ${done} in ${room}`, { field: 'user' })
      const drafts = eventsOf(room, user, { type: `un${done}`, by: actor.principal.user })
      return { drafts, ops: [records.deleteOp(room, user)], value: undefined }
    })
  }
}

async function requireTarget(
  directory: DirectoryStore,
  rules: RoomRules,
  actor: Actor,
  room: string,
  user: string,
): Promise<void> {
  if (user === actor.principal.user) throw new Refusal('bad_request', 'that is your own name', { field: 'user' })
  const member = directory.member(room, user)
  if (member) rules.requireAbove(actor, member)
  else if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
  if (member?.role === 'owner') rules.requireAnotherOwner(room, user)
  await requireAccount(directory, actor.principal)
}

/** Writes that remove these users, their invitations and their join requests. After a ban they come back only by `rooms.join`. */
function outOps(directory: DirectoryStore, room: string, names: readonly string[]): Op[] {
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

function eventsOf(room: string, user: string, event: Sanction): Draft[] {
  return [roomEvent(room, { ...event, user }), userEvent(user, { ...event, room })]
}

function removedDrafts({ room, user }: MemberRecord, by: string): Draft[] {
  return [roomEvent(room, { type: 'removed', user, by }), userEvent(user, { type: 'removed', room, by })]
}

function sanction(actor: Actor, { room, user, seconds }: Sentence): MuteRecord {
  const at = Date.now()
  return { room, user, by: actor.principal.user, at, until: seconds === undefined ? null : at + seconds * 1000 }
}

function standing<T extends MuteRecord>(records: ReadonlyMap<string, T>): T[] {
  return [...records.values()].filter((record) => !isOver(record))
}
