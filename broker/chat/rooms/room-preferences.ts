/**
 * Each member's own settings for a room (notifications, muted, pinned, hidden, marked as unread), and the threads they follow. Only the member's own
 * sessions see them.
 */
import { MAX_FOLLOWED } from '../../../schemas/commands/threads.js'
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { LogGrowth } from '../../store/logs.js'
import type { MemberRecord, MemberSettings } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Decision } from '../../store/transaction.js'
import type { Actor } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { logs } from '../model/views.js'
import { membershipsOf } from './members.js'
import type { RoomRules } from './room-rules.js'

/** As the member sees them. */
export type ShownSettings = Required<Omit<MemberSettings, 'hiddenIn'>>

const DEFAULTS: Required<MemberSettings> = {
  notifications: 'default',
  mutedUntil: null,
  pinned: false,
  hidden: false,
  hiddenIn: null,
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
  async set(actor: Actor, room: string, changes: Partial<ShownSettings>): Promise<ShownSettings> {
    const { value } = await this.#store.transact(membershipsOf(actor.principal.user), async ({ directory }) => {
      const member = this.#rules.with(directory).requireMember(actor, room)
      const { lastCommit } = this.#store
      const messages = await this.#messagesOf(room)
      if (Object.keys(changes).length === 0) return { value: shownSettings(member, messages) }
      const settings = { ...settingsOf(member), ...changes }
      if (changes.hidden !== undefined) settings.hiddenIn = changes.hidden && isDirectRoom(room) ? lastCommit : null
      return change(directory, member, settings, messages)
    })
    return value
  }

  #messagesOf(room: string): Promise<LogGrowth> {
    return this.#store.log.open(logs.messages(room))
  }

  /** Follows a thread, or follows it no more. Idempotent. It ends with the membership. @throws Refusal */
  async follow(actor: Actor, room: string, thread: number, following: boolean): Promise<void> {
    const { tail } = await this.#messagesOf(room)
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
    const messages = await this.#messagesOf(room)
    await this.#store.transact(membershipsOf(user), ({ directory }) => {
      const member = directory.member(room, user)
      if (!isMarkedBy(member, seq)) return { value: undefined }
      const unreadFrom = seq < furthest ? seq + 1 : null
      return { ...change(directory, member, { ...settingsOf(member), unreadFrom }, messages), value: undefined }
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
  messages: LogGrowth,
): Decision<ShownSettings> {
  const changed = { ...member, settings }
  const value = shownSettings(changed, messages)
  const drafts = [userEvent(member.user, { type: 'settings', room: member.room, ...value })]
  return { drafts, ops: [directory.memberOp(changed)], value }
}

/** The member's settings as they are in force. `messages`: the log of the room. */
export function shownSettings(member: MemberRecord, { spokenIn }: LogGrowth): ShownSettings {
  const { hiddenIn, ...settings } = settingsOf(member)
  return { ...settings, hidden: settings.hidden && (hiddenIn === null || spokenIn <= hiddenIn) }
}

/** As they are now: a mute ends by itself. */
export function settingsOf({ settings }: { settings?: MemberSettings }): Required<MemberSettings> {
  const mutedUntil = (settings?.mutedUntil ?? 0) > Date.now() ? settings!.mutedUntil! : null
  const isBefore = settings?.mutedUntil === undefined && settings?.notifications === 'all'
  return { ...DEFAULTS, ...settings, ...(isBefore ? { notifications: 'default' } : {}), mutedUntil }
}
