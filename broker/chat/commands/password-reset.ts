import { type PASSWORD_RESET_COMMANDS, RESET_EXPIRES_IN } from '../../../schemas/commands/password-reset.js'
import type { Accounts } from '../../auth/accounts.js'
import type { PasswordResets } from '../../auth/password-resets.js'
import type { Proofs } from '../../auth/proofs.js'
import { readSecret } from '../../auth/secrets.js'
import type { Transaction } from '../../store/transaction.js'
import { requireAdmin, requireCurrent } from '../model/actor.js'
import { limitedLife, requireWithinRoles } from '../model/api-key-limits.js'
import type { EndSessions } from '../model/session-endings.js'
import { loginAttempt } from './auth.js'
import type { Handlers } from './table.js'

export interface PasswordResetDeps {
  readonly passwordResets: Pick<PasswordResets, 'create' | 'use'>
  readonly proofs: Proofs
  readonly managed: Pick<Accounts, 'get'>
}

export function passwordResetCommands(
  { passwordResets, proofs, managed }: PasswordResetDeps,
  end: EndSessions,
): Handlers<keyof typeof PASSWORD_RESET_COMMANDS> {
  const rolesOfAccount = async (user: string) => (await managed.get(user)).roles
  return {
    'auth.reset': async (actor, { user, expiresIn = RESET_EXPIRES_IN.default }) => {
      requireAdmin(actor, 'passwords are reset by admins')
      const allow = ({ directory }: Transaction) => requireCurrent(directory, actor)
      if (actor.principal.byKey) requireWithinRoles(actor, await rolesOfAccount(user))
      return JSON.stringify(await passwordResets.create(user, limitedLife(actor, expiresIn), allow))
    },
    'auth.resetPassword': async (actor, { token, password }) => {
      const shown = loginAttempt(actor, readSecret('reset', token)?.user)
      const user = await proofs.secret(shown, () => passwordResets.use(token, password, shown.address))
      end({ user, deleteState: false })
      return '{}'
    },
  }
}
