/** A second factor for who logs in with a password: codes of an authenticator app (TOTP, RFC 6238). */
import Type from 'typebox'
import { code, command, NOTHING, object, orNull, password, time } from './parts.js'

const SecondFactor = object(
  {
    enabled: Type.Boolean({ description: 'Codes are asked for.' }),
    since: orNull(time('Since when; null: it is not on.')),
    recoveryCodes: Type.Integer({ description: 'Recovery codes that were not used yet.' }),
  },
  { title: 'SecondFactor', description: 'The second factor of an account.' },
)

export const TOTP_COMMANDS = {
  'auth.totp.begin': command({
    summary: 'Makes a secret for an authenticator app. It counts once auth.totp.confirm has shown a code of it.',
    params: object({ password: password('Of the account.') }),
    result: object({
      secret: Type.String({ description: 'To be typed into the app, in base 32.' }),
      uri: Type.String({ description: 'otpauth://…, to be shown as a QR code.' }),
    }),
    rate: 'login',
    http: { method: 'POST', path: '/auth/totp' },
  }),
  'auth.totp.confirm': command({
    summary: 'Turns the second factor on: from now on a password needs a code too.',
    params: object({ code }),
    result: object({
      recoveryCodes: Type.Array(Type.String(), {
        description: 'Each is good once in place of a code of the app. They are told this once.',
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
    summary: 'Whether the asker has a second factor.',
    params: object({}),
    result: SecondFactor,
    rate: 'read',
    http: { method: 'GET', path: '/auth/totp' },
  }),
} as const
