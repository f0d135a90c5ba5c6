/** `sync`: everything a client has missed. */
import Type, { type Static } from 'typebox'
import { command, limit, MESSAGE_EXAMPLE, more, object, room, seq } from './parts.js'
import { Receipt } from './receipts.js'
import { Room } from './rooms.js'

const place = (description: string) => Type.Integer({ minimum: 0, description })

const counts = {
  head: place('seq of the newest message; 0: none yet.'),
  read: place(
    'seq of the last message the caller has read, or of the last one before they joined; after markUnread, the one before the marked message.',
  ),
  unread: Type.Integer({
    minimum: 0,
    maximum: 100,
    description:
      'Messages of others since then, without edits, reactions, replies in threads, and deleted or expired messages. 100 means 100 or more.',
  }),
  mentions: Type.Integer({
    minimum: 0,
    maximum: 100,
    description: 'Messages since then, in threads too, that mention the caller or @room. 100 means 100 or more.',
  }),
  notify: Type.Integer({
    minimum: 0,
    maximum: 100,
    description:
      'Messages since then that notify the caller, by notifications.settings and rooms.settings as they are now. 100 means 100 or more.',
  }),
  atLeast: Type.Optional(
    Type.Literal(true, {
      description:
        'There may be more: only the newest messages were counted (limits.unreadEntries, unreadBytes, unreadMentions and keywordBytes of the broker).',
    }),
  ),
}

const RoomCounts = object({
  room: Type.String({ description: 'Room id.' }),
  thread: Type.Optional(seq('The counts are of replies in this thread; without notify.')),
  ...counts,
  notify: Type.Optional(counts.notify),
})

const message = Type.Object(
  { seq: Type.Integer({ minimum: 1, description: 'Number in the room.' }) },
  {
    additionalProperties: true,
    examples: [MESSAGE_EXAMPLE],
    description: 'A message as it is now (folded); or {seq, gone} with the reason why it is withheld.',
  },
)

/** A client's position in a room, as returned by `sync`; seq and id may have advanced since. */
export const Place = object(
  {
    seq: place('The last message the client has, whether a message, an edit or any other.'),
    id: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'Its id: tells whether the room still has the history the client knows.',
      }),
    ),
    events: Type.Optional(place('The last room event.')),
    created: Type.Optional(Type.Integer({ description: 'When the room was created, Unix ms.' })),
    ts: Type.Optional(Type.Integer({ description: 'When the client was up to date, by the broker’s clock, Unix ms.' })),
  },
  { description: 'The position of a client in a room; seq is enough.' },
)
export type Place = Static<typeof Place>

const SyncedRoom = object(
  {
    room: Type.String({ description: 'Room id.' }),
    at: Place,
    reset: Type.Boolean({
      description: 'True: what the client has of this room is void; it starts again from this.',
    }),
    gap: Type.Optional(
      object(
        { from: place('The first.'), to: place('The last.') },
        { description: 'Numbers the client has missed and that retention has dropped.' },
      ),
    ),
    tail: place('The first number still kept; the client may drop what is below.'),
    messages: Type.Array(message, { description: 'The newest messages since the client’s seq, ascending.' }),
    more,
    before: Type.Optional(
      place('With more: ask history (view folded) with this before, for the messages down to the client’s seq.'),
    ),
    changed: Type.Array(message, {
      description: 'Messages up to the client’s seq that were edited, deleted, reacted to or pinned since.',
    }),
    ...counts,
    delivered: place('seq of the last message delivered to the caller.'),
    receipts: Type.Optional(
      Type.Array(Receipt, {
        description: 'Receipts of members, as far as they are new; not in large rooms: ask receipts.',
      }),
    ),
    info: Type.Optional(Room),
  },
  {
    description: 'What the client has missed of a room. info: if the room is new to the client or was changed.',
  },
)

export const SYNC_COMMANDS = {
  sync: command({
    summary:
      'Brings a client up to date: for each room of the caller, by room id, what is new since the client’s position. The first call has no parameters.',
    params: object({
      epoch: Type.Optional(Type.String({ maxLength: 64, description: 'From the last result.' })),
      rooms: Type.Optional(
        Type.Record(Type.String(), Place, {
          description: 'The rooms the client knows, by id, with its position in each.',
        }),
      ),
      cursor: Type.Optional(
        Type.String({ maxLength: 300, description: 'From the previous page; with the same rooms and epoch.' }),
      ),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 200,
          default: 20,
          description: 'Maximum number of messages of each room.',
        }),
      ),
      maxBytes: Type.Optional(
        Type.Integer({
          minimum: 4096,
          default: 131072,
          description: 'Approximate maximum bytes of a page: as many rooms as fit, at least one.',
        }),
      ),
    }),
    result: object({
      epoch: Type.String({
        description:
          'If it differs from the client’s, the store was restored, and everything the client knows is void.',
      }),
      rooms: Type.Array(SyncedRoom),
      left: Type.Array(Type.String(), { description: 'Rooms of the client that the caller is no longer in.' }),
      more,
      cursor: Type.Optional(Type.String({ description: 'With more: where the next page begins.' })),
    }),
    rate: 'read',
    http: { method: 'POST', path: '/sync' },
  }),
  markUnread: command({
    summary:
      'Makes messages from one on count as unread for the caller, until they are read again. Receipts do not go back. For members.',
    params: object({ room, seq: seq('The first message to count as unread.') }),
    result: RoomCounts,
    rate: 'write',
    http: { method: 'PUT', path: '/rooms/{room}/unread' },
  }),
  unread: command({
    summary: 'Counts of what the caller has not read, in one room or in all of them, by room id.',
    params: object({
      room: Type.Optional(Type.String({ minLength: 1, maxLength: 300, description: 'Only of this room.' })),
      thread: Type.Optional(
        seq(
          'With room: only replies in the thread this message began, since the position in that thread, or else in the room.',
        ),
      ),
      after: Type.Optional(Type.String({ maxLength: 300, description: 'The last room of the previous page.' })),
      limit: limit(100, 1000),
    }),
    result: object({
      rooms: Type.Array(RoomCounts),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/unread', page: { items: 'rooms', key: 'room' } },
  }),
} as const
