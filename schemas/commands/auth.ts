/** Logins. */
import Type from 'typebox'
import { command, object, orNull, time } from './parts.js'

export const AUTH_COMMANDS = {
  'auth.refresh': command({
    summary: 'Renews the login of the connection that asks, with another token of the same user.',
    params: object({ token: Type.String({ minLength: 1, description: 'A JWT.' }) }),
    result: object({
      expiresAt: orNull(time('When the login ends; null: never by itself.')),
      roles: Type.Array(Type.String()),
    }),
    rate: 'login',
    http: null,
  }),
} as const
