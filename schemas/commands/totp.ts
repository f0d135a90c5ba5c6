/** Second factors: codes of an authenticator app (TOTP, RFC 6238). */
import Type from 'typebox'
import { code, command, NOTHING, object, orNull, password, time } from './parts.js'

const SecondFactor = object(
  {
    enabled: Type.Boolean({ description: 'Whether the second factor is on.' }),
    since: orNull(time('Since when; null: it is off.')),
    recoveryCodes: Type.Integer({ description: 'Number of unused recovery codes.' }),
  },
  { title: 'SecondFactor', description: 'The second factor of an account.' },
)

export const TOTP_COMMANDS = {
  'auth.totp.begin': command({
    summary:
      'Creates a secret for an authenticator app. It takes effect when auth.totp.confirm is called with a code of it.',
    params: object({ password: password('Of the account.') }),
    result: object({
      secret: Type.String({ description: 'To be typed into the app, in base 32.' }),
      uri: Type.String({ description: 'otpauth://…, to be shown as a QR code.' }),
    }),
    rate: 'login',
    http: { method: 'POST', path: '/auth/totp' },
  }),
  'auth.totp.confirm': command({
    summary: 'Turns the second factor on: a password needs a code too from now on.',
    params: object({ code }),
    result: object({
      recoveryCodes: Type.Array(Type.String(), {
        description: 'Each is valid once in place of a code of the app. Shown only once.',
      }),
    }),
    rate: 'login',
    http: { method: 'POST', path: '/auth/totp/confirm' },
  }),
  'auth.totp.remove': command({
    summary: 'Turns the second factor off.',
    params: object({ password: password('Of the account.'), code }),
    result: NOTHING,
    rate: 'login',
    http: { method: 'POST', path: '/auth/totp/remove' },
  }),
  'auth.totp.status': command({
    summary: 'Whether the caller has a second factor.',
    params: object({}),
    result: SecondFactor,
    rate: 'read',
    http: { method: 'GET', path: '/auth/totp' },
  }),
} as const
