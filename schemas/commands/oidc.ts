/** Logins by an identity provider. */
import Type from 'typebox'
import { cookie, Tokens } from './auth.js'
import { command, object } from './parts.js'

export const OIDC_COMMANDS = {
  'auth.oidc': command({
    summary: 'Exchanges the code of a login confirmed by an identity provider for a login here; once, within a minute.',
    params: object({
      code: Type.String({ minLength: 1, maxLength: 100, description: 'The `code` of that address.' }),
      verifier: Type.String({
        minLength: 43,
        maxLength: 128,
        description: 'What the `challenge` of /v1/auth/oidc/start is the SHA-256 of.',
      }),
      cookie,
    }),
    result: Tokens,
    rate: 'login',
    open: true,
    http: { method: 'POST', path: '/auth/oidc', cookie: 'sets' },
  }),
} as const
