/** Sending messages, and reading the history. */
import Type from 'typebox'
import { MessageInput } from '../message.js'
import { command, limit, more, object, room, seq, time } from './parts.js'
import { LoggedMessage } from './shown-message.js'

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

/** Of one request for given messages. */
const MAX_SEQS = 50

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
      'A page of a room’s messages, ascending: the newest ones, those before a seq, after one, or around a message or a time; or those with given seqs. For members.',
    params: object({
      room,
      view: Type.Optional(
        Type.Enum(['raw', 'folded'], {
          default: 'raw',
          description:
            'raw: the log as it is. folded: messages as they are now, with edits, reactions and pins applied, and a summary of their replies.',
        }),
      ),
      thread: Type.Optional(seq('Only the replies in the thread this message began.')),
      roots: Type.Optional(Type.Boolean({ description: 'Only messages that are not in a thread.' })),
      pinned: Type.Optional(Type.Boolean({ description: 'Only the pinned messages.' })),
      before: Type.Optional(seq('Only messages below this seq.')),
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only messages above this seq, from there on.' })),
      around: Type.Optional(seq('Messages on both sides of this seq, without before and after.')),
      aroundTs: Type.Optional(
        Type.Integer({
          minimum: 0,
          description: 'Messages on both sides of a time, Unix ms: of the first message at or after it.',
        }),
      ),
      seqs: Type.Optional(
        Type.Array(seq('One.'), {
          minItems: 1,
          maxItems: MAX_SEQS,
          description: 'Only the messages with these seqs; those that do not exist yet are left out.',
        }),
      ),
      limit: limit(50, 1000),
      maxBytes: Type.Optional(
        Type.Integer({ minimum: 1, default: 65536, description: 'Maximum bytes of messages in the page.' }),
      ),
    }),
    result: object({
      messages: Type.Array(LoggedMessage),
      anchor: Type.Optional(seq('With around or aroundTs: the seq that the page is around.')),
      more: Type.Boolean({
        description: 'Whether there is another page: of newer messages with after, otherwise of older ones.',
      }),
      before: Type.Optional(seq('If there is more: the before of the next page.')),
      after: Type.Optional(
        seq(
          'If there are newer messages, and the page was requested with after, around or aroundTs: the after of the next page.',
        ),
      ),
    }),
    rate: 'read',
    http: {
      method: 'GET',
      path: '/rooms/{room}/messages',
      page: { items: 'messages', key: 'seq', back: true, start: ['around', 'aroundTs'] },
    },
  }),
  edits: command({
    summary:
      'The versions of a message, ascending: the message as it was sent, then its edits as they were sent. For members.',
    params: object({
      room,
      seq: seq('The message.'),
      after: Type.Optional(seq('The last version of the previous page.')),
      limit: limit(50, 1000),
    }),
    result: object({
      versions: Type.Array(LoggedMessage, { description: 'Their seqs are those of the edits.' }),
      more,
    }),
    rate: 'read',
    http: {
      method: 'GET',
      path: '/rooms/{room}/messages/{seq}/edits',
      page: { items: 'versions', key: 'seq' },
    },
  }),
  reactions: command({
    summary: 'Who reacted to a message and with what, in a stable order of users. For members.',
    params: object({
      room,
      seq: seq('The message.'),
      emoji: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Only who reacted with it.' })),
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the previous page.' })),
      limit: limit(100, 1000),
    }),
    result: object({
      reactions: Type.Array(
        object({
          user: Type.String({ description: 'User id.' }),
          emoji: Type.Array(Type.String(), { description: 'With what.' }),
        }),
      ),
      more,
    }),
    rate: 'read',
    http: {
      method: 'GET',
      path: '/rooms/{room}/messages/{seq}/reactions',
      page: { items: 'reactions', key: 'user' },
    },
  }),
} as const
