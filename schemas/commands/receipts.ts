/** Who has got and read what. */
import Type from 'typebox'
import { command, limit, more, object, room, seq, thinned, time, user } from './parts.js'

const place = (description: string) => Type.Integer({ minimum: 0, description })

export const Receipt = object(
  {
    user,
    read: place('seq of the last message they have read; 0: none, or they do not tell.'),
    delivered: place('seq of the last message that reached them.'),
    ts: time('When that last changed.'),
  },
  { description: 'How far a member has come.' },
)

export const RECEIPT_COMMANDS = {
  read: command({
    summary: 'Says that the asker has read a room’s messages up to one; it never goes back. For members.',
    params: object({
      room,
      seq: place('The last message read; 0: none.'),
      private: Type.Optional(Type.Boolean({ default: false, description: 'True: others are not told.' })),
      thread: Type.Optional(seq('Only in the thread this message began; others are not told.')),
    }),
    result: object({
      read: place('seq of the last message the asker has read; with thread, there.'),
      delivered: place('seq of the last message that reached the asker.'),
    }),
    rate: 'write',
    http: { method: 'PUT', path: '/rooms/{room}/read' },
  }),
  receipts: command({
    summary: 'How far the members of a room have come; or who has got and read one message. For members.',
    params: object({
      room,
      seq: Type.Optional(seq('Only those whom this message has reached; read tells who has read it.')),
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the page before.' })),
      limit: limit(100, 1000),
    }),
    result: object({
      receipts: Type.Array(Receipt),
      read: Type.Optional(place('With seq: how many have read it.')),
      delivered: Type.Optional(
        place('With seq: how many it has reached; where receipts are thinned, since the broker started.'),
      ),
      thinned,
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/receipts', page: { items: 'receipts', key: 'user' } },
  }),
} as const
