import type { PRIVACY_COMMANDS, PrivacySettings } from '../../../schemas/commands/privacy.js'
import { commit } from '../../store/commit.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import { requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { DEFAULT_PRIVACY } from '../model/privacy.js'
import type { Presence } from '../presence/presence.js'
import type { Handlers } from './table.js'

export interface PrivacyCommandDeps {
  readonly store: Store
  readonly locks: KeyedMutex
  readonly presence: Pick<Presence, 'audienceChanged'>
}

export function privacyCommands(deps: PrivacyCommandDeps): Handlers<keyof typeof PRIVACY_COMMANDS> {
  const { store, locks, presence } = deps
  const { privacy } = store.directory
  const settingsOf = (user: string): PrivacySettings => {
    const { messages, presence, readReceipts, invites } = privacy.get(user) ?? DEFAULT_PRIVACY
    return { messages, presence, readReceipts, invites }
  }
  return {
    'privacy.get': async (actor) => JSON.stringify(settingsOf(requireUser(actor))),
    'privacy.update': (actor, changes) => {
      const user = requireUser(actor)
      return locks.runExclusive(`privacy ${user}`, async () => {
        const before = settingsOf(user)
        const settings = { ...before, ...changes }
        if (Object.keys(changes).length === 0) return JSON.stringify(settings)
        const drafts = [userEvent(user, { type: 'privacy', ...settings })]
        await commit(store, { drafts, ops: [privacy.putOp({ user, ...settings })] })
        if (settings.presence !== before.presence) presence.audienceChanged(user)
        return JSON.stringify(settings)
      })
    },
  }
}
