/** Commands to export a user's data, and to delete the account. */
import Type from 'typebox'
import { code, command, NOTHING, object, password, time, user } from './parts.js'

export const ACCOUNT_COMMANDS = {
  'account.export': command({
    summary:
      'Creates a link to a zip file of everything the broker has about the caller. The link is valid for one download.',
    params: object({}),
    result: object({
      url: Type.String({ description: 'Where GET finds it, below the HTTP address of the broker. It needs no login.' }),
      expiresAt: time('When the link expires: the download must begin before.'),
    }),
    rate: 'create',
    http: { method: 'POST', path: '/account/export', status: 201 },
  }),
  'account.delete': command({
    summary:
      'Removes the caller’s account for good: logins, profile, contacts and devices at once, and everything they wrote in the background.',
    params: object({
      user: { ...user, description: 'The caller’s own user id, as a confirmation.' },
      password: Type.Optional(password('Of the account, if it has one.')),
      code: Type.Optional(code),
    }),
    result: NOTHING,
    rate: 'login',
    http: { method: 'POST', path: '/account/delete' },
  }),
} as const
