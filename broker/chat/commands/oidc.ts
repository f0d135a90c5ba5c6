import type { OIDC_COMMANDS } from '../../../schemas/commands/oidc.js'
import type { LoginCodes } from '../../auth/login-codes.js'
import type { Logins } from '../../auth/logins.js'
import type { Proofs } from '../../auth/proofs.js'
import { loginAttempt } from './auth.js'
import type { Handlers } from './table.js'

export interface OidcCommandDeps {
  readonly proofs: Proofs
  readonly loginCodes: Pick<LoginCodes, 'take'>
  readonly logins: Pick<Logins, 'begin'>
}

export function oidcCommands({ loginCodes, logins, proofs }: OidcCommandDeps): Handlers<keyof typeof OIDC_COMMANDS> {
  return {
    'auth.oidc': async (actor, { code, verifier }) => {
      const verified = await proofs.secret(loginAttempt(actor, undefined), () => loginCodes.take(code, verifier))
      const attempt = loginAttempt(actor, verified.user)
      return JSON.stringify(await proofs.secret(attempt, () => logins.begin(verified, 'code')))
    },
  }
}
