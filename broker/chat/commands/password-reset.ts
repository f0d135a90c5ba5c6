import { type PASSWORD_RESET_COMMANDS, RESET_EXPIRES_IN } from '../../../schemas/commands/password-reset.js'
import type { Accounts } from '../../auth/accounts.js'
import type { PasswordResets } from '../../auth/password-resets.js'
import type { Bus } from '../../store/bus.js'
import { requireAdmin } from '../actor.js'
import type { Handlers } from '../commands.js'
import { requireWithinRoles, withinLife } from '../made-by-key.js'
import type { Signal } from '../signals.js'

export interface PasswordResetParts {
  readonly passwordResets: Pick<PasswordResets, 'create' | 'use'>
  readonly managed: Pick<Accounts, 'get'>
}

export function passwordResetCommands(
  { passwordResets, managed }: PasswordResetParts,
  bus: Bus<Signal>,
): Handlers<keyof typeof PASSWORD_RESET_COMMANDS> {
  const rolesOfAccount = async (user: string) => (await managed.get(user)).roles
  return {
    'auth.reset': async (actor, { user, expiresIn = RESET_EXPIRES_IN.default }) => {
      requireAdmin(actor, 'passwords are reset by admins')
      if (actor.principal.byKey) requireWithinRoles(actor, await rolesOfAccount(user))
      return JSON.stringify(await passwordResets.create(user, withinLife(actor, expiresIn)))
    },
    'auth.resetPassword': async ({ address = '' }, { token, password }) => {
      const user = await passwordResets.use(token, password, address)
      bus.send({ kind: 'logout', user, forget: false })
      return '{}'
    },
  }
}
