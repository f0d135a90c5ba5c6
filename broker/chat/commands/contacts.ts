import type { CONTACT_COMMANDS } from '../../../schemas/commands/contacts.js'
import { Refusal } from '../../../schemas/errors.js'
import { commit } from '../../store/commit.js'
import type { DirectoryStore } from '../../store/directory.js'
import { requireUser } from '../model/actor.js'
import { requireNotBlocked } from '../model/blocks.js'
import { userEvent } from '../model/events.js'
import { DEFAULT_PRIVACY } from '../model/privacy.js'
import type { Handlers } from './table.js'
import type { PeopleCommandDeps } from './users.js'

/** Maximum number of contacts and requests per user, in each direction. */
const MAX_CONTACTS = 1000

export function contactCommands(deps: PeopleCommandDeps): Handlers<keyof typeof CONTACT_COMMANDS> {
  const { store, locks, presence, askLimits } = deps
  const { directory } = store
  /** `ask`: checks that run before the other user is told of the request. */
  const addContact = (me: string, user: string, ask: () => void): Promise<string> =>
    locks.runExclusive(pair(me, user), async () => {
      if (!directory.addedContacts(me).has(user)) {
        if (directory.addedContacts(me).size >= MAX_CONTACTS || directory.addedBy(user).size >= MAX_CONTACTS)
          throw new Refusal('conflict', `at most ${MAX_CONTACTS} contacts and requests at a time`)
        ask()
        const drafts = [userEvent(user, { type: 'contact', by: me })]
        const ops = [directory.contactOp(me, user, Date.now())]
        await presence.updateVisibility(me, user, () => commit(store, { drafts, ops }))
      }
      return JSON.stringify({ state: directory.addedContacts(user).has(me) ? 'contact' : 'asked' })
    })
  return {
    'contacts.request': async (actor, { user }) => {
      const me = requireUser(actor)
      if (user === me) throw new Refusal('bad_request', 'that is your own name', { field: 'user' })
      if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
      requireNotBlocked(directory, user, me, `you may not ask ${user}`)
      return addContact(me, user, () => {
        requireAskable(directory, user, me)
        askLimits.require(actor, user, 'contact')
      })
    },
    'contacts.accept': async (actor, { user }) => {
      const me = requireUser(actor)
      if (!directory.addedContacts(user).has(me))
        throw new Refusal('not_found', `${user} did not ask you`, { field: 'user' })
      return addContact(me, user, () => {})
    },
    'contacts.remove': (actor, { user }) => {
      const me = requireUser(actor)
      return locks.runExclusive(pair(me, user), async () => {
        const known = directory.addedContacts(me).has(user) || directory.addedContacts(user).has(me)
        const ops = [directory.deleteContactOp(me, user), directory.deleteContactOp(user, me)]
        if (known) await presence.updateVisibility(me, user, () => commit(store, { ops }))
        return '{}'
      })
    },
    'contacts.list': async (actor, { after = '', limit = 100 }) => {
      const me = requireUser(actor)
      const [mine, others] = [directory.addedContacts(me), directory.addedBy(me)]
      const page = [...new Set([...mine.keys(), ...others.keys()])].filter((user) => user > after).sort()
      const contacts = page.slice(0, limit).map((user) => {
        const state = !others.has(user) ? 'asked' : mine.has(user) ? 'contact' : 'asking'
        return { user, state, since: Math.max(mine.get(user) ?? 0, others.get(user) ?? 0) }
      })
      return JSON.stringify({ contacts, more: page.length > limit })
    },
  }
}

/**
 * A user who admits no invitations can only be asked by users they have asked themselves. With `contacts`, requests are allowed: otherwise
 * nobody could become a contact. @throws Refusal
 */
function requireAskable(directory: DirectoryStore, user: string, me: string): void {
  const { invites } = directory.privacy.get(user) ?? DEFAULT_PRIVACY
  if (invites === 'nobody' && !directory.addedContacts(user).has(me))
    throw new Refusal('forbidden', `you may not ask ${user}`)
}

/** Key of the lock for two users, so that two simultaneous requests make them contacts. */
function pair(one: string, other: string): string {
  return `contacts ${[one, other].sort().join(' ')}`
}
