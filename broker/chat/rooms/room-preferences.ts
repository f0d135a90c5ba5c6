/**
 * Each member's own settings for a room (notifications, muted, pinned, hidden, marked as unread), and the threads they follow. Only the member's own
 * sessions see them.
 */
import { MAX_FOLLOWED } from '../../../schemas/commands/threads.js'
import { Refusal } from '../../../schemas/errors.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { MemberRecord, MemberSettings } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision } from '../../store/transaction.js'
import type { Actor } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { logs } from '../model/views.js'
import { membershipsOf } from './members.js'
import type { RoomRules } from './room-rules.js'

const DEFAULTS: Required<MemberSettings> = {
  notifications: 'default',
  mutedUntil: null,
  pinned: false,
  hidden: false,
  unreadFrom: null,
}

export class RoomPreferences {
  readonly #store: Store
  readonly #rules: RoomRules

  constructor(store: Store, rules: RoomRules) {
    this.#store = store
    this.#rules = rules
  }

  /** Changes the given settings and returns all of them. The settings end with the membership. */
  async set(actor: Actor, room: string, changes: Partial<MemberSettings>): Promise<Required<MemberSettings>> {
    const { value } = await this.#store.transact(membershipsOf(actor.principal.user), ({ directory }) => {
      const member = this.#rules.with(directory).requireMember(actor, room)
      const settings = { ...settingsOf(member), ...changes }
      return Object.keys(changes).length === 0 ? { value: settings } : change(directory, member, settings)
    })
    return value
  }

  /** Follows a thread, or follows it no more. Idempotent. It ends with the membership. @throws Refusal */
  async follow(actor: Actor, room: string, thread: number, following: boolean): Promise<void> {
    const { tail } = await this.#store.log.open(logs.messages(room))
    await this.#store.transact(membershipsOf(actor.principal.user), ({ directory }) => {
      const member = this.#rules.with(directory).requireMember(actor, room)
      const { followed = [] } = member
      if (followed.includes(thread) === following) return { value: undefined }
      const others = followed.filter((one) => one !== thread && one >= tail)
      if (following && others.length >= MAX_FOLLOWED)
        throw new Refusal('conflict', `you follow ${MAX_FOLLOWED} threads of ${room}; unfollow one first`)
      const now = following ? [...others, thread].sort((a, b) => a - b) : others
      const drafts = [userEvent(member.user, { type: 'thread', room, thread, following })]
      return { drafts, ops: [directory.memberOp({ ...member, followed: now })], value: undefined }
    })
  }

  /**
   * Clears the mark as unread as far as the member has read: up to `seq`. `furthest`: the member's read receipt so far; messages between
   * the two stay marked.
   */
  async clearUnreadMark({ room, user }: MemberRecord, seq: number, furthest: number): Promise<void> {
    if (!isMarkedBy(this.#store.directory.member(room, user), seq)) return
    await this.#store.transact(membershipsOf(user), ({ directory }) => {
      const member = directory.member(room, user)
      if (!isMarkedBy(member, seq)) return { value: undefined }
      const unreadFrom = seq < furthest ? seq + 1 : null
      return { ...change(directory, member, { ...settingsOf(member), unreadFrom }), value: undefined }
    })
  }
}

/** Whether a message up to `seq` is marked as unread. */
function isMarkedBy(member: MemberRecord | undefined, seq: number): member is MemberRecord {
  return seq >= (member?.settings?.unreadFrom ?? Number.POSITIVE_INFINITY)
}

function change(
  directory: DirectoryStore,
  member: MemberRecord,
  settings: Required<MemberSettings>,
): Decision<Required<MemberSettings>> {
  const drafts = [userEvent(member.user, { type: 'settings', room: member.room, ...settings })]
  return { drafts, ops: [directory.memberOp({ ...member, settings })], value: settings }
}

/** As they are now: a mute ends by itself. */
export function settingsOf({ settings }: { settings?: MemberSettings }): Required<MemberSettings> {
  const mutedUntil = (settings?.mutedUntil ?? 0) > Date.now() ? settings!.mutedUntil! : null
  const isBefore = settings?.mutedUntil === undefined && settings?.notifications === 'all'
  return { ...DEFAULTS, ...settings, ...(isBefore ? { notifications: 'default' } : {}), mutedUntil }
}
