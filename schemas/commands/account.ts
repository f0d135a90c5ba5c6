/** All that the broker has of a user, to take along. */
import Type from 'typebox'
import { command, object, time } from './parts.js'

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
} as const
