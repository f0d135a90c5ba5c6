/** All that the broker has of a user: to take along, and to be erased. */
import Type from 'typebox'
import { code, command, NOTHING, object, password, time, user } from './parts.js'

export const ACCOUNT_COMMANDS = {
  'account.export': command({
    summary: 'Makes a link to a zip file of all that the broker has of the asker. It is good for one download.',
    params: object({}),
    result: object({
      url: Type.String({ description: 'Where GET finds it, below the HTTP address of the broker. It needs no login.' }),
      expiresAt: time('Until when the download has to begin.'),
    }),
    rate: 'create',
    http: { method: 'POST', path: '/account/export', status: 201 },
  }),
  'account.delete': command({
    summary:
      'Removes the asker’s account for good: logins, profile, people and devices at once, and in the background all they wrote, wherever it is.',
    params: object({
      user: { ...user, description: 'The asker’s own user id, so that nothing is deleted by mistake.' },
      password: Type.Optional(password('Of the account, if it has one.')),
      code: Type.Optional(code),
    }),
    result: NOTHING,
    rate: 'login',
    http: { method: 'POST', path: '/account/delete' },
  }),
} as const
