/** Messages that mention a user, over all rooms. */
import Type from 'typebox'
import { command, limit, more, object } from './parts.js'
import { FoldedMessage } from './shown-message.js'

export const MENTION_COMMANDS = {
  'mentions.list': command({
    summary:
      'The messages of others that mention the caller or @room, in all rooms and conversations of the caller, newest first; in threads too.',
    params: object({
      cursor: Type.Optional(Type.String({ maxLength: 400, description: 'From the previous page.' })),
      limit: limit(20, 100),
    }),
    result: object({
      mentions: Type.Array(
        object({
          room: Type.String({ description: 'Room id.' }),
          read: Type.Boolean({ description: 'Whether the caller has read it, in the room or in its thread.' }),
          message: FoldedMessage,
        }),
      ),
      more: { ...more, description: 'Whether there may be another page, which can be empty.' },
      cursor: Type.Optional(Type.String({ description: 'With more: where the next page begins.' })),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/mentions', page: { items: 'mentions' } },
  }),
} as const
