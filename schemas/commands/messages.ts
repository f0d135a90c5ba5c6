/** Sending messages, and reading the history. */
import Type from 'typebox'
import { MessageInput } from '../message.js'
import { command, limit, MESSAGE_EXAMPLE, more, object, room, seq, time } from './parts.js'

const Sent = object(
  {
    id: Type.String({ description: 'UUIDv7 of the message.' }),
    room: Type.String({ description: 'The room: a room id, or dm:{a}:{b}.' }),
    seq: Type.Integer({
      minimum: 0,
      description: 'Its number in the room; 0: it was a slash command, which is not in the room.',
    }),
    ts: time('When the broker accepted it.'),
    command: Type.Optional(
      object(
        {
          bot: Type.String({ description: 'User id.' }),
          name: Type.String(),
          owner: Type.String({ description: 'The owner of the bot.' }),
        },
        { description: 'The bot that got it.' },
      ),
    ),
  },
  { title: 'Sent', description: 'What became of a message.' },
)

const Message = Type.Object(
  { seq: seq('Number in the room.') },
  {
    title: 'LoggedMessage',
    additionalProperties: true,
    examples: [MESSAGE_EXAMPLE],
    description: 'A message as everyone received it; or {seq, gone} with the reason why it is withheld.',
  },
)

export const MESSAGE_COMMANDS = {
  send: command({
    summary:
      'Sends a message to a room, or to a user (@user). For members who may write; sending to a public room joins it.',
    params: object({ room, ...MessageInput.properties }),
    result: Sent,
    rate: 'write',
    http: { method: 'POST', path: '/rooms/{room}/messages', status: 201 },
  }),
  history: command({
    summary:
      'A page of a room’s messages, ascending: the newest ones, those before a seq, or those after one. For members.',
    params: object({
      room,
      view: Type.Optional(
        Type.Enum(['raw', 'folded'], {
          default: 'raw',
          description:
            'raw: the log as it is. folded: messages as they are now, with edits, reactions and pins applied.',
        }),
      ),
      thread: Type.Optional(seq('Only the replies in the thread this message began.')),
      pinned: Type.Optional(Type.Boolean({ description: 'Only the pinned messages.' })),
      before: Type.Optional(seq('Only messages below this seq.')),
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only messages above this seq, from there on.' })),
      limit: limit(50, 1000),
      maxBytes: Type.Optional(
        Type.Integer({ minimum: 1, default: 65536, description: 'Maximum bytes of messages in the page.' }),
      ),
    }),
    result: object({
      messages: Type.Array(Message),
      more,
      before: Type.Optional(seq('If there is more: the before of the next page.')),
      after: Type.Optional(seq('If there is more, and the page was requested with after: the after of the next page.')),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/messages', page: { items: 'messages', key: 'seq', back: true } },
  }),
} as const
