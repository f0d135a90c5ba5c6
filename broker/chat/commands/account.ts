import type { ACCOUNT_COMMANDS } from '../../../schemas/commands/account.js'
import { API, EXPORTS } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { AccountRemovals } from '../erasure/account-removals.js'
import type { Exports } from '../exports/exports.js'
import { type Actor, requireUser } from '../model/actor.js'
import { requireNoKey } from '../model/api-key-limits.js'
import { type AuthCommandDeps, requireCode, requirePassword } from './auth.js'
import type { Handlers } from './table.js'

export interface AccountDeps extends Pick<AuthCommandDeps, 'authenticator' | 'secondFactors' | 'proofs'> {
  readonly directory: Pick<DirectoryStore, 'user'>
  readonly exports: Pick<Exports, 'createLink'>
  readonly removals: Pick<AccountRemovals, 'removeSelf'>
}

export function accountCommands(deps: AccountDeps): Handlers<keyof typeof ACCOUNT_COMMANDS> {
  const { exports, removals } = deps
  return {
    'account.export': async (actor) => {
      const { ticket, expiresAt } = await exports.createLink(actor)
      return JSON.stringify({ url: `${API}${EXPORTS}/${ticket}`, expiresAt })
    },
    'account.delete': async (actor, { user, password, code }) => {
      if (user !== requireUser(actor))
        throw new Refusal('forbidden', 'only your own account; admins remove others on the command line', {
          field: 'user',
        })
      requireNoKey(actor, 'removes no account')
      await requireOwner(deps, actor, password, code)
      await removals.removeSelf(actor)
      return '{}'
    },
  }
}

/** Asks for the password too, if there is one: a stolen token alone must not be enough. @throws Refusal */
async function requireOwner(
  deps: AccountDeps,
  actor: Actor,
  password: string | undefined,
  code: string | undefined,
): Promise<void> {
  const { user } = actor.principal
  const record = await deps.directory.user(user)
  if (record?.passwordHash == null) return
  if (password === undefined)
    throw new Refusal('unauthorized', 'this needs the password of the account', { field: 'password' })
  await requirePassword(deps, actor, { user, password, field: 'password' })
  await requireCode(deps, actor, user, code)
}
