/** Each member's own settings for a room (notifications, pinned, hidden, marked as unread). Only the member's own sessions see them. */
import { commit } from '../../store/commit.js'
import type { MemberRecord, MemberSettings } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import type { Actor } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import type { RoomRules } from './room-rules.js'

const DEFAULTS: Required<MemberSettings> = { notifications: 'all', pinned: false, hidden: false, unreadFrom: null }

export interface RoomPreferencesDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly locks: KeyedMutex
}

export class RoomPreferences {
  readonly #store: Store
  readonly #rules: RoomRules
  readonly #locks: KeyedMutex

  constructor({ store, rules, locks }: RoomPreferencesDeps) {
    this.#store = store
    this.#rules = rules
    this.#locks = locks
  }

  /** Changes the given settings and returns all of them. The settings end with the membership. */
  set(actor: Actor, room: string, changes: Partial<MemberSettings>): Promise<Required<MemberSettings>> {
    return this.#locks.runExclusive(room, async () => {
      const member = this.#rules.requireMember(actor, room)
      const settings = { ...settingsOf(member), ...changes }
      if (Object.keys(changes).length === 0) return settings
      await this.#commit(member, settings)
      return settings
    })
  }

  /**
   * Clears the mark as unread as far as the member has read: up to `seq`. `furthest`: the member's read receipt so far; messages between
   * the two stay marked.
   */
  async clearUnreadMark({ room, user }: MemberRecord, seq: number, furthest: number): Promise<void> {
    const { directory } = this.#store
    const from = (): number => directory.member(room, user)?.settings?.unreadFrom ?? Number.POSITIVE_INFINITY
    if (seq < from()) return
    await this.#locks.runExclusive(room, async () => {
      if (seq < from()) return
      const member = directory.member(room, user)!
      await this.#commit(member, { ...settingsOf(member), unreadFrom: seq < furthest ? seq + 1 : null })
    })
  }

  async #commit(member: MemberRecord, settings: Required<MemberSettings>): Promise<void> {
    const drafts = [userEvent(member.user, { type: 'settings', room: member.room, ...settings })]
    await commit(this.#store, { drafts, ops: [this.#store.directory.memberOp({ ...member, settings })] })
  }
}

export function settingsOf({ settings }: { settings?: MemberSettings }): Required<MemberSettings> {
  return { ...DEFAULTS, ...settings }
}
