import { RESET_EXPIRES_IN } from '../../schemas/commands/password-reset.js'
import { Refusal } from '../../schemas/errors.js'
import { SYSTEM } from '../../schemas/ids.js'
import type { Account, Accounts } from '../auth/accounts.js'
import type { PasswordResets } from '../auth/password-resets.js'
import type { SecondFactors } from '../auth/second-factor.js'
import type { AdminCommands } from './control-socket.js'

export interface AccountCommandDeps {
  readonly accounts: Pick<Accounts, 'add' | 'get' | 'setPassword' | 'list' | 'setRoles' | 'suspend' | 'resume'>
  /** `erased`: whether the user's data is erased already; false: that follows in the background. */
  readonly removeAccount: (user: string) => Promise<{ erased: boolean }>
  readonly secondFactors: Pick<SecondFactors, 'reset'>
  readonly passwordResets: Pick<PasswordResets, 'create'>
}

/**
 * The commands of `topictalk user …`: answered by a running broker on its control socket, or run on the store if there
 * is none. `password` may be null for a user that logs in by token only.
 */
export function accountCommands({
  accounts,
  removeAccount,
  secondFactors,
  passwordResets,
}: AccountCommandDeps): AdminCommands {
  return {
    'user.add': (params) => {
      const { password } = fields(params)
      return accounts.add(text(params, 'name'), password === null ? null : text(params, 'password'), roles(params))
    },
    'user.passwd': (params) => accounts.setPassword(text(params, 'name'), text(params, 'password')),
    'user.get': (params) => accounts.get(text(params, 'name')),
    'user.role': (params) => accounts.setRoles(text(params, 'name'), roles(params)),
    'user.suspend': (params) => {
      const { reason = null } = fields(params)
      return accounts.suspend(text(params, 'name'), SYSTEM, reason === null ? null : text(params, 'reason'))
    },
    'user.resume': (params) => accounts.resume(text(params, 'name')),
    'user.remove': (params) => removeAccount(text(params, 'name')),
    'user.totpReset': async (params) => {
      const name = text(params, 'name')
      if (!(await secondFactors.reset(name)))
        throw new Refusal('not_found', `${name} has no second factor`, { field: 'name' })
    },
    'user.reset': (params) => passwordResets.create(text(params, 'name'), RESET_EXPIRES_IN.default),
    'user.list': async () => {
      const all: Account[] = []
      for await (const account of accounts.list()) all.push(account)
      return all
    },
  }
}

function fields(params: unknown): Record<string, unknown> {
  return typeof params === 'object' && params !== null ? (params as Record<string, unknown>) : {}
}

function text(params: unknown, field: string): string {
  const value = fields(params)[field]
  if (typeof value === 'string') return value
  throw new Refusal('bad_request', `${field}: expected text`, { field })
}

function roles(params: unknown): string[] {
  const value = fields(params)['roles'] ?? []
  if (Array.isArray(value) && value.every((role) => typeof role === 'string')) return value
  throw new Refusal('bad_request', 'roles: expected a list of texts', { field: 'roles' })
}
