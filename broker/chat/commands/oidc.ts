import type { OIDC_COMMANDS } from '../../../schemas/commands/oidc.js'
import { Refusal } from '../../../schemas/errors.js'
import type { LoginCodes } from '../../auth/login-codes.js'
import type { Logins } from '../../auth/logins.js'
import type { Handlers } from '../commands.js'

export interface OidcCommandParts {
  readonly loginCodes: Pick<LoginCodes, 'take'>
  readonly logins: Pick<Logins, 'begin' | 'stands'>
}

export function oidcCommands({ loginCodes, logins }: OidcCommandParts): Handlers<keyof typeof OIDC_COMMANDS> {
  return {
    'auth.oidc': async (_, { code, verifier }) => {
      const { user, issuedAt } = loginCodes.take(code, verifier)
      const proved = { user, issuedAt, roles: new Set<string>(), anonymous: false, expiresAt: null }
      if (!(await logins.stands(proved)))
        throw new Refusal('unauthorized', 'the login was taken back; start it again', { field: 'code' })
      return JSON.stringify(await logins.begin(user))
    },
  }
}
