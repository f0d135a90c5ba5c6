import type { TOTP_COMMANDS } from '../../../schemas/commands/totp.js'
import { requireUser } from '../model/actor.js'
import { type AuthCommandDeps, loginAttempt, requirePassword } from './auth.js'
import type { Handlers } from './table.js'

export type TotpCommandDeps = Pick<AuthCommandDeps, 'authenticator' | 'secondFactors' | 'proofs'>

export function totpCommands(deps: TotpCommandDeps): Handlers<keyof typeof TOTP_COMMANDS> {
  const { secondFactors, proofs } = deps
  return {
    'auth.totp.begin': async (actor, { password }) => {
      const user = requireUser(actor)
      // A stolen token must not be able to lock the owner out.
      const verified = await requirePassword(deps, actor, { user, password, field: 'password' })
      return JSON.stringify(await secondFactors.begin(verified))
    },
    'auth.totp.confirm': async (actor, { code }) => {
      requireUser(actor)
      return JSON.stringify({ recoveryCodes: await secondFactors.confirm(actor.principal, code) })
    },
    'auth.totp.remove': async (actor, { password, code }) => {
      const user = requireUser(actor)
      const verified = await requirePassword(deps, actor, { user, password, field: 'password' })
      await proofs.guessable(loginAttempt(actor, user), () => secondFactors.remove(verified, code))
      return '{}'
    },
    'auth.totp.status': async (actor) => JSON.stringify(await secondFactors.status(requireUser(actor))),
  }
}
