import type { CONTACT_COMMANDS } from '../../../schemas/commands/contacts.js'
import { Refusal } from '../../../schemas/errors.js'
import { requireSameAccount } from '../../auth/account-version.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Op } from '../../store/op.js'
import type { Transaction } from '../../store/transaction.js'
import { type Actor, requireUser } from '../model/actor.js'
import { requireNotBlocked } from '../model/blocks.js'
import { contactsOf } from '../model/contacts.js'
import { userEvent } from '../model/events.js'
import { DEFAULT_PRIVACY } from '../model/privacy.js'
import { pageOf } from './pages.js'
import type { Handlers } from './table.js'
import { type PeopleCommandDeps, requireKnown } from './users.js'

/** Maximum number of contacts and requests per user, in each direction. */
const MAX_CONTACTS = 1000

/** Whether one user may want another as a contact, and what else to write then. @throws Refusal */
type Allow = (tx: Transaction) => Op[] | Promise<Op[]>

export function contactCommands(deps: PeopleCommandDeps): Handlers<keyof typeof CONTACT_COMMANDS> {
  const { store, presence, askLimits } = deps
  const { directory } = store
  const addContact = async (actor: Actor, user: string, allow: Allow): Promise<string> => {
    const me = requireUser(actor)
    const add = () =>
      store.transact(pair(me, user), async (tx) => {
        const { directory } = tx
        await requireSameAccount(directory, actor.principal)
        const allowed = await allow(tx)
        const value = directory.addedContacts(user).has(me) ? 'contact' : 'asked'
        if (directory.addedContacts(me).has(user)) return { value }
        const drafts = [userEvent(user, { type: 'contact', by: me })]
        return { drafts, ops: [directory.contactOp(me, user, Date.now()), ...allowed], value }
      })
    const { value: state } = await presence.updateVisibility(me, user, add)
    return JSON.stringify({ state })
  }
  /** Not guarded by those who ask a user: they do not wait for each other. */
  const requirePlace = (me: string, user: string): void => {
    if (directory.addedContacts(me).size >= MAX_CONTACTS || directory.addedBy(user).size >= MAX_CONTACTS)
      throw new Refusal('conflict', `at most ${MAX_CONTACTS} contacts and requests at a time`)
  }
  return {
    'contacts.request': async (actor, { user }) => {
      const me = requireUser(actor)
      if (user === me) throw new Refusal('bad_request', 'that is your own name', { field: 'user' })
      return addContact(actor, user, async (tx) => {
        const { directory } = tx
        await requireKnown(directory, user)
        requireNotBlocked(directory, user, me, `you may not ask ${user}`)
        if (directory.addedContacts(me).has(user)) return []
        requirePlace(me, user)
        requireAskable(directory, user, me)
        return askLimits.ops(tx, actor, user, 'contact')
      })
    },
    'contacts.accept': (actor, { user }) => {
      const me = requireUser(actor)
      return addContact(actor, user, ({ directory }) => {
        if (!directory.addedContacts(user).has(me))
          throw new Refusal('not_found', `${user} did not ask you`, { field: 'user' })
        if (!directory.addedContacts(me).has(user)) requirePlace(me, user)
        return []
      })
    },
    'contacts.remove': async (actor, { user }) => {
      const me = requireUser(actor)
      const remove = (): Promise<unknown> =>
        store.transact(pair(me, user), async ({ directory }) => {
          await requireSameAccount(directory, actor.principal)
          const isKnown = directory.addedContacts(me).has(user) || directory.addedContacts(user).has(me)
          const ops = [directory.deleteContactOp(me, user), directory.deleteContactOp(user, me)]
          return { ops: isKnown ? ops : [], value: null }
        })
      await presence.updateVisibility(me, user, remove)
      return '{}'
    },
    'contacts.list': async (actor, { after = '', limit = 100 }) => {
      const { items, more } = pageOf(contactsOf(directory, requireUser(actor)), { after, limit })
      return JSON.stringify({ contacts: items, more })
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

/** Decisions about two users are made one after another. */
function pair(one: string, other: string): string {
  return `contacts ${[one, other].sort().join(' ')}`
}
