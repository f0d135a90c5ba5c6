/** Cases of the command about logins by an identity provider. */
import { createHash } from 'node:crypto'
import type { CommandCases } from './command-cases.js'

export const LOGIN_VERIFIER = 'a verifier of at least forty-three characters'
export const LOGIN_CHALLENGE = createHash('sha256').update(LOGIN_VERIFIER).digest('base64url')

export const OIDC_CASES: Record<string, CommandCases> = {
  'auth.oidc': {
    happy: {
      as: 'carol',
      params: { code: '{login code of pat}', verifier: LOGIN_VERIFIER },
      result: { user: 'pat' },
    },
    forbidden: { as: 'carol', params: { code: 'x', verifier: LOGIN_VERIFIER }, code: 'unauthorized code' },
    invalid: { as: 'carol', params: { code: 'x', verifier: 'short' }, answer: 'bad_request verifier' },
  },
}
