/** Password resets. */
import Type from 'typebox'
import { command, NOTHING, object, password, time, user } from './parts.js'

/** Lifetime of a token in seconds. */
export const RESET_EXPIRES_IN = { minimum: 60, maximum: 604_800, default: 3600 }

export const PASSWORD_RESET_COMMANDS = {
  'auth.reset': command({
    summary: 'Creates a token with which a user can set a new password once. For admins, who deliver it to the user.',
    params: object({
      user,
      expiresIn: Type.Optional(Type.Integer({ ...RESET_EXPIRES_IN, description: 'Seconds it is valid.' })),
    }),
    result: object({
      token: Type.String({ description: 'For auth.resetPassword. Previous ones are void.' }),
      expiresAt: time('When it ends.'),
    }),
    rate: 'login',
    audit: ['expiresIn'],
    http: { method: 'POST', path: '/auth/resets', status: 201 },
  }),
  'auth.resetPassword': command({
    summary:
      'Sets a new password with a token of auth.reset. All earlier tokens and sessions end; a second factor stays.',
    params: object({
      token: Type.String({ minLength: 1, maxLength: 400, description: 'The token of auth.reset.' }),
      password: password('At least 6 bytes.'),
    }),
    result: NOTHING,
    rate: 'login',
    open: true,
    http: { method: 'POST', path: '/auth/reset-password' },
  }),
} as const
