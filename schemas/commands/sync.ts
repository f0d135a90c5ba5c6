/** What a client has missed. */
import Type, { type Static } from 'typebox'
import { command, limit, MESSAGE_EXAMPLE, more, object, room, seq } from './parts.js'
import { Receipt } from './receipts.js'
import { Room } from './rooms.js'

const place = (description: string) => Type.Integer({ minimum: 0, description })

const counts = {
  head: place('seq of the newest message; 0: none yet.'),
  read: place(
    'seq of the last message the asker has read, or of the last one from before they came; where they marked an earlier one as unread, the one before it.',
  ),
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
  atLeast: Type.Optional(
    Type.Literal(true, {
      description:
        'There may be more: the counts are of the newest messages alone (limits.unreadEntries, unreadBytes and unreadMentions of the broker).',
    }),
  ),
}

const RoomCounts = object({
  room: Type.String({ description: 'Room id.' }),
  thread: Type.Optional(seq('The counts are of replies in this thread.')),
  ...counts,
})

const message = Type.Object(
  { seq: Type.Integer({ minimum: 1, description: 'Number in the room.' }) },
  {
    additionalProperties: true,
    examples: [MESSAGE_EXAMPLE],
    description: 'A message as it is now (folded); or {seq, gone} and why it is withheld.',
  },
)

/** Where a client is in a room: as it got it from `sync`, with a seq and id that may have moved on since. */
export const Place = object(
  {
    seq: place('The last message the client has, whether a message, an edit or any other.'),
    id: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'Its id: tells where the room has another past than the client knows.',
      }),
    ),
    events: Type.Optional(place('The last room event.')),
    created: Type.Optional(Type.Integer({ description: 'When the room was made, Unix ms.' })),
    ts: Type.Optional(Type.Integer({ description: 'When the client was up to date, by the broker’s clock, Unix ms.' })),
  },
  { description: 'Where a client is in a room; seq alone will do.' },
)
export type Place = Static<typeof Place>

const SyncedRoom = object(
  {
    room: Type.String({ description: 'Room id.' }),
    at: Place,
    reset: Type.Boolean({
      description: 'True: what the client holds of this room is void, and begins anew with this.',
    }),
    gap: Type.Optional(
      object(
        { from: place('The first.'), to: place('The last.') },
        { description: 'Numbers the client has missed for good: retention dropped them.' },
      ),
    ),
    tail: place('The first number still kept; below it the client may forget what it holds.'),
    messages: Type.Array(message, { description: 'The newest of those since the client’s seq, ascending.' }),
    more,
    before: Type.Optional(
      place('With more: ask history (view folded) before this for those down to the client’s seq.'),
    ),
    changed: Type.Array(message, {
      description: 'Messages up to the client’s seq that were edited, deleted, reacted to or pinned since.',
    }),
    ...counts,
    delivered: place('seq of the last message that reached the asker.'),
    receipts: Type.Optional(
      Type.Array(Receipt, { description: 'Of members, as far as new; not in large rooms: ask receipts.' }),
    ),
    info: Type.Optional(Room),
  },
  {
    description:
      'What the client has missed of a room. info: where it is new to the client or something about it changed.',
  },
)

export const SYNC_COMMANDS = {
  sync: command({
    summary:
      'Brings a client up to date: for each room of the asker, by room id, what is new since where the client is. For first use it says nothing.',
    params: object({
      epoch: Type.Optional(Type.String({ maxLength: 64, description: 'From the last result.' })),
      rooms: Type.Optional(
        Type.Record(Type.String(), Place, {
          description: 'The rooms the client knows, by id, and where it is in each.',
        }),
      ),
      cursor: Type.Optional(
        Type.String({ maxLength: 300, description: 'From the page before; with the same rooms and epoch.' }),
      ),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 200, default: 20, description: 'Most messages of each room.' }),
      ),
      maxBytes: Type.Optional(
        Type.Integer({
          minimum: 4096,
          default: 131072,
          description: 'Most bytes of a page, about: as many rooms as fit, one at least.',
        }),
      ),
    }),
    result: object({
      epoch: Type.String({
        description: 'Another one than the client’s: the store was restored, all it knows is void.',
      }),
      rooms: Type.Array(SyncedRoom),
      left: Type.Array(Type.String(), { description: 'Rooms of the client that the asker is in no more.' }),
      more,
      cursor: Type.Optional(Type.String({ description: 'With more: to go on with.' })),
    }),
    rate: 'read',
    http: { method: 'POST', path: '/sync' },
  }),
  markUnread: command({
    summary:
      'Lets messages from one on count as unread for the asker, until they are read again. Receipts do not go back by it. For members.',
    params: object({ room, seq: seq('The first message to count.') }),
    result: RoomCounts,
    rate: 'write',
    http: { method: 'PUT', path: '/rooms/{room}/unread' },
  }),
  unread: command({
    summary: 'What the asker has not read, in one room or in all of them, by room id.',
    params: object({
      room: Type.Optional(Type.String({ minLength: 1, maxLength: 300, description: 'Of this room alone.' })),
      thread: Type.Optional(
        seq('With room: of replies in the thread this message began, since what was read there, else in the room.'),
      ),
      after: Type.Optional(Type.String({ maxLength: 300, description: 'The last room of the page before.' })),
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
