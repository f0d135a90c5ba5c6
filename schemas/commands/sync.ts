/** What a client has missed. */
import Type from 'typebox'
import { command, limit, more, object } from './parts.js'

const place = (description: string) => Type.Integer({ minimum: 0, description })

export const counts = {
  head: place('seq of the newest message; 0: none yet.'),
  read: place('seq of the last message the asker has read, or of the last one from before they came.'),
  unread: Type.Integer({
    minimum: 0,
    maximum: 100,
    description:
      'Messages of others since then; not edits, reactions, replies in threads, nor what is gone. 100 means 100 or more.',
  }),
  mentions: Type.Integer({
    minimum: 0,
    maximum: 100,
    description: 'Messages since then, in threads too, that mention the asker or @room. 100 means 100 or more.',
  }),
}

export const SYNC_COMMANDS = {
  unread: command({
    summary: 'What the asker has not read, in one room or in all of them, by room id.',
    params: object({
      room: Type.Optional(Type.String({ minLength: 1, maxLength: 300, description: 'Of this room alone.' })),
      after: Type.Optional(Type.String({ maxLength: 300, description: 'The last room of the page before.' })),
      limit: limit(100, 1000),
    }),
    result: object({
      rooms: Type.Array(object({ room: Type.String({ description: 'Room id.' }), ...counts })),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/unread' },
  }),
} as const
