/** `sync`: everything a client has missed. */
import Type, { type Static } from 'typebox'
import { Contact } from './contacts.js'
import { counts, place } from './counts.js'
import { Invitation } from './entry.js'
import { command, limit, more, object, room, seq } from './parts.js'
import { Receipt } from './receipts.js'
import { Room, RoomSettings } from './rooms.js'
import { LoggedMessage } from './shown-message.js'

const RoomCounts = object({
  room: Type.String({ description: 'Room id.' }),
  thread: Type.Optional(seq('The counts are of replies in this thread; without notify.')),
  ...counts,
  notify: Type.Optional(counts.notify),
})

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
    since: place(
      'All that came after this number is here, or in history. A client that asked with a token, and has less than that, asks again with its position in rooms.',
    ),
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
    messages: Type.Array(LoggedMessage, { description: 'The newest messages since the client’s seq, ascending.' }),
    more,
    before: Type.Optional(
      place('With more: ask history (view folded) with this before, for the messages down to the client’s seq.'),
    ),
    changed: Type.Array(LoggedMessage, {
      description:
        'Messages up to the client’s seq that were edited, deleted, reacted to, pinned or replied to in their thread since.',
    }),
    ...counts,
    delivered: place('seq of the last message delivered to the caller.'),
    mine: RoomSettings,
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

const SyncedUser = object(
  {
    seq: place(
      'Of the newest event of the caller (users/{user}/events): events up to it are given with this answer and those before.',
    ),
    events: Type.Array(
      Type.Object(
        { seq: seq('Number among the events of the caller.') },
        { additionalProperties: true, description: 'An event as it was sent; or {seq, gone}.' },
      ),
      { description: 'What happened to the caller since, ascending; empty without since.' },
    ),
    notifications: place('seq of the newest notification; 0: none yet. notifications.list has them.'),
    invitations: Type.Optional(
      object(
        { invitations: Type.Array(Invitation), more },
        {
          description: 'The pending invitations, if they have changed; if there are more, rooms.invited has them all.',
        },
      ),
    ),
    contacts: Type.Optional(
      object(
        { contacts: Type.Array(Contact), more },
        {
          description:
            'The contacts and requests, if they have changed; if there are more, contacts.list has them all.',
        },
      ),
    ),
  },
  { description: 'What the client has missed about the caller.' },
)

export const SYNC_COMMANDS = {
  sync: command({
    summary:
      'Brings a client up to date: what is new about the caller, and in each of their rooms. The first call has no parameters, later ones have since: then only rooms with news are listed.',
    params: object({
      since: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'From the last result. It stays short however many rooms there are, and is valid on every node.',
        }),
      ),
      order: Type.Optional(
        Type.Enum(['room', 'recent'], {
          default: 'room',
          description: 'room: by room id. recent: the room with the newest message first.',
        }),
      ),
      maxRooms: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 500, default: 500, description: 'Maximum number of rooms of a page.' }),
      ),
      epoch: Type.Optional(Type.String({ maxLength: 64, description: 'From the last result.' })),
      rooms: Type.Optional(
        Type.Record(Type.String(), Place, {
          description:
            'With since: rooms of which the client has heard more since then, by id, with its position in each; may be left out. Without: all rooms that the client knows.',
        }),
      ),
      cursor: Type.Optional(
        Type.String({ maxLength: 500, description: 'From the previous page; all but limits as with that.' }),
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
      me: SyncedUser,
      epoch: Type.String({
        description:
          'If it differs from the client’s, the store was restored, and everything the client knows is void.',
      }),
      rooms: Type.Array(SyncedRoom),
      left: Type.Array(Type.String(), { description: 'Rooms of the client that the caller is no longer in.' }),
      reset: Type.Optional(
        Type.Boolean({
          description:
            'On the first page. True: the broker cannot tell what came after since (another store, another account of that name, or too long ago); what the client has is void, and this begins anew.',
        }),
      ),
      more,
      cursor: Type.Optional(Type.String({ description: 'With more: where the next page begins.' })),
      since: Type.Optional(
        Type.String({
          description: 'On the last page: for the next call. What comes between is what the client hears live.',
        }),
      ),
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
