import type { OIDC_COMMANDS } from '../../../schemas/commands/oidc.js'
import { Refusal } from '../../../schemas/errors.js'
import type { LoginCodes } from '../../auth/login-codes.js'
import type { Logins } from '../../auth/logins.js'
import type { Principal } from '../../auth/principal.js'
import type { Proofs } from '../../auth/proofs.js'
import { loginAttempt } from './auth.js'
import type { Handlers } from './table.js'

export interface OidcCommandDeps {
  readonly proofs: Proofs
  readonly loginCodes: Pick<LoginCodes, 'take'>
  readonly logins: Pick<Logins, 'begin' | 'isStillValid'>
}

export function oidcCommands({ loginCodes, logins, proofs }: OidcCommandDeps): Handlers<keyof typeof OIDC_COMMANDS> {
  return {
    'auth.oidc': async (actor, { code, verifier }) => {
      const { user, issuedAt } = await proofs.secret(loginAttempt(actor, undefined), () =>
        loginCodes.take(code, verifier),
      )
      const proved = { user, issuedAt, roles: new Set<string>(), anonymous: false, expiresAt: null }
      await proofs.secret(loginAttempt(actor, user), () => requireStanding(logins, proved))
      return JSON.stringify(await logins.begin(user))
    },
  }
}

async function requireStanding(logins: Pick<Logins, 'isStillValid'>, proved: Principal): Promise<void> {
  if (!(await logins.isStillValid(proved)))
    throw new Refusal('unauthorized', 'the login was taken back; start it again', { field: 'code' })
}
