import type { ACCOUNT_ADMIN_COMMANDS } from '../../../schemas/commands/accounts.js'
import { Refusal } from '../../../schemas/errors.js'
import type { Account, Accounts } from '../../auth/accounts.js'
import { type Actor, requireAdmin } from '../model/actor.js'
import { requireWithinRoles } from '../model/api-key-limits.js'
import type { Handlers } from './table.js'

export interface AccountAdminDeps {
  /** Accounts whose changes take effect on live logins. */
  readonly managed: Pick<Accounts, 'add' | 'get' | 'page' | 'setRoles' | 'suspend' | 'resume'>
  /** Deletes an account and all its data. */
  readonly remove: (user: string) => Promise<unknown>
}

export function accountAdminCommands(deps: AccountAdminDeps): Handlers<keyof typeof ACCOUNT_ADMIN_COMMANDS> {
  const { managed, remove } = deps
  const render = (account: Account): string => JSON.stringify(about(account))
  return {
    'accounts.create': async (actor, { user, password = null, roles = [] }) => {
      admin(actor)
      requireWithinRoles(actor, roles)
      return render(await managed.add(user, password, roles))
    },
    'accounts.get': async (actor, { user }) => {
      admin(actor)
      return render(await managed.get(user))
    },
    'accounts.list': async (actor, { query = '', after = '', limit = 100 }) => {
      admin(actor)
      const found = (await managed.page(query, after, limit + 1)).map(about)
      return JSON.stringify({ accounts: found.slice(0, limit), more: found.length > limit })
    },
    'accounts.setRoles': async (actor, { user, roles }) => {
      admin(actor)
      requireWithinRoles(actor, roles)
      return render(await managed.setRoles(user, roles))
    },
    'accounts.suspend': async (actor, { user, reason = null }) => {
      const by = admin(actor)
      if (user === by)
        throw new Refusal('bad_request', 'not your own account: you could not take it back', { field: 'user' })
      return render(await managed.suspend(user, by, reason))
    },
    'accounts.resume': async (actor, { user }) => {
      admin(actor)
      return render(await managed.resume(user))
    },
    'accounts.delete': async (actor, { user }) => {
      const by = admin(actor)
      if (user === by) throw new Refusal('bad_request', 'your own account: use account.delete', { field: 'user' })
      await remove(user)
      return '{}'
    },
  }
}

function admin(actor: Actor): string {
  return requireAdmin(actor, 'accounts are managed by admins')
}

function about({ id, roles, password, createdAt, suspended }: Account) {
  const { at = 0, by = '', reason = null } = suspended ?? {}
  return { user: id, roles, password, createdAt, suspended: suspended && { since: at, by, reason } }
}
