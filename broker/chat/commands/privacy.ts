import type { PRIVACY_COMMANDS, PrivacySettings } from '../../../schemas/commands/privacy.js'
import { requireSameAccount } from '../../auth/account-version.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Store } from '../../store/store.js'
import { requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { DEFAULT_PRIVACY } from '../model/privacy.js'
import type { Presence } from '../presence/presence.js'
import type { Handlers } from './table.js'

export interface PrivacyCommandDeps {
  readonly store: Store
  readonly presence: Pick<Presence, 'audienceChanged'>
}

export function privacyCommands({ store, presence }: PrivacyCommandDeps): Handlers<keyof typeof PRIVACY_COMMANDS> {
  return {
    'privacy.get': async (actor) => JSON.stringify(settingsOf(store.directory, requireUser(actor))),
    'privacy.update': async (actor, changes) => {
      const user = requireUser(actor)
      const { value } = await store.transact(`privacy ${user}`, async ({ directory }) => {
        await requireSameAccount(directory, actor.principal)
        const before = settingsOf(directory, user)
        const after = { ...before, ...changes }
        const value = { before, after }
        if (Object.keys(changes).length === 0) return { value }
        const drafts = [userEvent(user, { type: 'privacy', ...after })]
        return { drafts, ops: [directory.privacy.putOp({ user, ...after })], value }
      })
      const { before, after } = value
      if (after.presence !== before.presence) presence.audienceChanged(user)
      return JSON.stringify(after)
    },
  }
}

function settingsOf(directory: Pick<DirectoryStore, 'privacy'>, user: string): PrivacySettings {
  const { messages, presence, readReceipts, invites } = directory.privacy.get(user) ?? DEFAULT_PRIVACY
  return { messages, presence, readReceipts, invites }
}
