/** How each member wants to see a room: their own affair, told to their other devices. */
import { commit } from '../store/commit.js'
import type { MemberSettings, Store } from '../store/store.js'
import type { Turns } from '../turns.js'
import type { Actor } from './actor.js'
import { userEvent } from './events.js'
import type { RoomRules } from './room-rules.js'

const DEFAULTS: MemberSettings = { notifications: 'all', pinned: false, hidden: false }

export interface RoomPreferencesParts {
  readonly store: Store
  readonly rules: RoomRules
  readonly turns: Turns
}

export class RoomPreferences {
  readonly #store: Store
  readonly #rules: RoomRules
  readonly #turns: Turns

  constructor({ store, rules, turns }: RoomPreferencesParts) {
    this.#store = store
    this.#rules = rules
    this.#turns = turns
  }

  /** Changes what is given, and answers with all. They end with the membership. */
  set(actor: Actor, room: string, changes: Partial<MemberSettings>): Promise<MemberSettings> {
    return this.#turns.take(room, async () => {
      const member = this.#rules.requireMember(actor, room)
      const settings = { ...settingsOf(member), ...changes }
      if (Object.keys(changes).length === 0) return settings
      const drafts = [userEvent(member.user, { type: 'settings', room, ...settings })]
      await commit(this.#store, { drafts, ops: [this.#store.directory.memberOp({ ...member, settings })] })
      return settings
    })
  }
}

export function settingsOf({ settings }: { settings?: MemberSettings }): MemberSettings {
  return settings ?? DEFAULTS
}
