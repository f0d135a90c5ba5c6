/** Receipts and read positions. */
import Type from 'typebox'
import { command, limit, more, object, room, seq, thinned, time, user } from './parts.js'

const place = (description: string) => Type.Integer({ minimum: 0, description })

export const Receipt = object(
  {
    user,
    read: place('seq of the last message they have read; 0: none, or it is private.'),
    delivered: place('seq of the last message delivered to them.'),
    ts: time('When that last changed.'),
  },
  { description: 'How far a member has come.' },
)

export const RECEIPT_COMMANDS = {
  read: command({
    summary: 'Marks the messages of a room as read by the caller up to one; the position never decreases. For members.',
    params: object({
      room,
      seq: place('The last message read; 0: none.'),
      private: Type.Optional(Type.Boolean({ default: false, description: 'True: others are not told.' })),
      thread: Type.Optional(seq('Only in the thread this message began; others are not told.')),
    }),
    result: object({
      read: place('seq of the last message the caller has read; with thread: in that thread.'),
      delivered: place('seq of the last message delivered to the caller.'),
    }),
    rate: 'write',
    http: { method: 'PUT', path: '/rooms/{room}/read' },
  }),
  receipts: command({
    summary: 'The receipts of the members of a room; or who has received and read one message. For members.',
    params: object({
      room,
      seq: Type.Optional(seq('Only members to whom this message was delivered; read tells who has read it.')),
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the previous page.' })),
      limit: limit(100, 1000),
    }),
    result: object({
      receipts: Type.Array(Receipt),
      read: Type.Optional(place('With seq: how many have read it.')),
      delivered: Type.Optional(
        place('With seq: to how many it was delivered; in large rooms, since the broker started.'),
      ),
      thinned,
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/receipts', page: { items: 'receipts', key: 'user' } },
  }),
} as const
