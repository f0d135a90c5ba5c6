/** Messages as clients receive them: as they were sent, as they are now, or why they are withheld. */
import Type, { type Static } from 'typebox'
import { Forwarded, MessageInput } from '../message.js'
import { MESSAGE_EXAMPLE, object, orNull, seq, time, user } from './parts.js'

export const stamp = {
  id: Type.String({ description: 'UUIDv7.' }),
  seq: seq('Counts from 1 in its log, without gaps.'),
  ts: time('When the broker accepted it.'),
  from: user,
}
const { cid, forward: _, ...said } = MessageInput.properties
/** What a message says, beside who said it where and when. */
export const content = { cid, ...said, forwarded: Type.Optional(Forwarded) }

const sent = { ...stamp, room: Type.String(), to: Type.Optional(user), ...content }
export const SentMessage = Type.Object(sent, {
  title: 'MessageOut',
  description: 'A message as everyone receives it; `to` on direct messages.',
})
export type SentMessage = Static<typeof SentMessage>

/** In place of a message that cannot be read: `gone` is in no message. */
export const GoneMessage = Type.Object(
  {
    seq: seq('Number in the room.'),
    gone: Type.Enum(['deleted', 'expired', 'retention', 'blocked'], {
      description: 'Why it is withheld; blocked: by the reader, or from the reader.',
    }),
    by: Type.Optional(
      orNull(
        Type.String({
          description: 'Of a deleted message: who deleted it; null: it went with the account of its author.',
        }),
      ),
    ),
    at: Type.Optional(time('Of a deleted message: when.')),
    thread: Type.Optional(seq('Of a deleted reply: the message that began its thread.')),
  },
  { title: 'GoneMessage', description: 'In place of a message that cannot be read.' },
)
export type GoneMessage = Static<typeof GoneMessage>

/** What the folded view adds. */
const folded = {
  asOf: Type.Optional(
    seq(
      'Of the last edit, reaction or pin that is applied here: a client that is told of later ones applies these, and no others.',
    ),
  ),
  edits: Type.Optional(Type.Integer({ minimum: 1, description: 'How often it was edited.' })),
  editedAt: Type.Optional(time('When it was edited last.')),
  editedBy: Type.Optional(Type.String({ description: 'Who edited it last.' })),
  reactions: Type.Optional(
    Type.Array(
      object({
        emoji: Type.String(),
        count: Type.Integer({ minimum: 1 }),
        me: Type.Boolean({ description: 'Whether the reader is one of them.' }),
      }),
    ),
  ),
  pinned: Type.Optional(object({ by: Type.String(), at: time('When.') })),
  replies: Type.Optional(
    object(
      {
        count: Type.Integer({
          minimum: 0,
          maximum: 100,
          description: 'Without deleted and expired ones; 100 means 100 or more.',
        }),
        lastSeq: seq('The last reply.'),
        lastTs: time('When that was.'),
        users: Type.Array(Type.String(), { description: 'The last authors, at most three, the last one first.' }),
      },
      { description: 'Of a message that began a thread.' },
    ),
  ),
}
export const FoldedMessage = Type.Object(
  { ...sent, ...folded },
  { title: 'FoldedMessage', description: 'A message as it is now, with edits, reactions and pin applied.' },
)
export type FoldedMessage = Static<typeof FoldedMessage>

/** One of a page, whichever view was asked for. */
export const LoggedMessage = Type.Union([FoldedMessage, GoneMessage], {
  title: 'LoggedMessage',
  examples: [MESSAGE_EXAMPLE],
  description: 'A message, with the view folded as it is now; or {seq, gone} with the reason why it is withheld.',
})
export type LoggedMessage = Static<typeof LoggedMessage>
