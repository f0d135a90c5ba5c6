/** Full-text search. */
import Type from 'typebox'
import { command, limit, more, object, user } from './parts.js'
import { FoldedMessage } from './shown-message.js'

const MAX_QUERY = 256

const found = object({ message: FoldedMessage })

export const SEARCH_COMMANDS = {
  search: command({
    summary: 'Messages with certain words, in one room of the caller or in all of them, newest first.',
    params: object({
      query: Type.String({
        minLength: 1,
        maxLength: MAX_QUERY,
        description:
          'Words that must all be in the message or the names of its attachments, ignoring case and accents; "a phrase" in quotes; wor* for the beginning of a word.',
      }),
      room: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 300,
          description: 'Only in this room; @user for the direct conversation.',
        }),
      ),
      from: Type.Optional(user),
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only messages sent after this time, Unix ms.' })),
      before: Type.Optional(Type.Integer({ minimum: 0, description: 'Only messages sent before this time, Unix ms.' })),
      limit: limit(20, 100),
      cursor: Type.Optional(
        Type.String({ maxLength: 16, description: 'From the previous page; with the same query.' }),
      ),
    }),
    result: object({
      results: Type.Array(found),
      more,
      cursor: Type.Optional(Type.String({ description: 'With more: where the next page begins.' })),
      pending: Type.Integer({
        minimum: 0,
        description: 'Number of entries of these rooms that are not in the index yet, and so not searched.',
      }),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/search', page: { items: 'results' } },
  }),
} as const
