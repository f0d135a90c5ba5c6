/** Rooms and members. */
import Type from 'typebox'
import { RoomPolicies } from '../policies.js'
import { unreadCounts } from './counts.js'
import { NOTIFY_LEVELS } from './notification-settings.js'
import {
  command,
  limit,
  link,
  more,
  NOTHING,
  object,
  orNull,
  role,
  room,
  seq,
  thinned,
  time,
  user,
  userPage,
  was,
} from './parts.js'
import { LoggedMessage } from './shown-message.js'
import { MAX_PROFILES, Profile } from './users.js'

const access = Type.Enum(['public', 'request', 'private'], {
  description: 'public: anyone may join. request: anyone may ask to join. private: by invitation; hidden from others.',
})
const newRoom = Type.String({
  minLength: 1,
  maxLength: 300,
  description:
    'The id of the new room: letters, digits, `.`, `_` and `-`, at most 64, the first a letter or digit; no other room may have it in another case.',
})
const text = (maxLength: number, description: string) => orNull(Type.String({ maxLength, description }))

const slowMode = Type.Integer({
  minimum: 0,
  maximum: 86400,
  description: 'Seconds between two messages of a member; 0: none. Moderators are exempt.',
})
const write = Type.Enum(['members', 'moderators'], { description: 'Who writes; moderators: from that role up.' })
const archived = Type.Boolean({ description: 'Nobody writes or joins; members can read.' })
const maxMembers = orNull(
  Type.Integer({ minimum: 1, description: 'Maximum number of members; null: that of the broker.' }),
)

const policies = orNull(RoomPolicies)

const details = {
  access: Type.Optional(access),
  name: Type.Optional(text(128, 'Name to show.')),
  topic: Type.Optional(text(1024, 'What the room is about.')),
  avatar: Type.Optional(text(2048, 'URL of a picture.')),
  slowMode: Type.Optional(slowMode),
  write: Type.Optional(write),
  archived: Type.Optional(archived),
  maxMembers: Type.Optional(maxMembers),
  policies: Type.Optional(policies),
}

export const Member = object(
  {
    user,
    role,
    since: time('When the membership began.'),
    profile: Type.Optional(Profile),
  },
  { title: 'Member', description: 'A member of a room.' },
)

const mine = {
  notifications: Type.Enum(['default', ...NOTIFY_LEVELS], {
    description:
      'Of which messages to be notified: all, those that mention the user or have a keyword, or none; default: as in notifications.settings.',
  }),
  pinned: Type.Boolean({ description: 'Whether clients should show it first.' }),
  hidden: Type.Boolean({
    description: 'Whether clients should hide it; a direct conversation is shown again with its next message.',
  }),
}
const mutedUntil = orNull(time('Until when nothing in the room notifies, not even mentions; null: not muted.'))
export const RoomSettings = object(
  { ...mine, mutedUntil, unreadFrom: orNull(seq('The first message that was marked as unread; null: none.')) },
  {
    title: 'RoomSettings',
    description: 'The caller’s settings for the room.',
  },
)

const roomId = Type.String({ description: 'Room id.' })

export const Room = object(
  {
    room: roomId,
    id: was('room', roomId),
    access,
    direct: Type.Boolean({ description: 'A direct conversation.' }),
    name: text(128, 'Name to show.'),
    topic: text(1024, 'What the room is about.'),
    avatar: text(2048, 'URL of a picture.'),
    slowMode,
    write,
    archived,
    maxMembers,
    policies,
    createdBy: Type.String({ description: 'User id.' }),
    createdAt: time('When it was created.'),
    members: Type.Integer({ minimum: 0, description: 'Number of members.' }),
    thinned,
    role: orNull(role),
    mine: orNull(RoomSettings),
    head: orNull(Type.Integer({ minimum: 0, description: 'seq of the newest message; 0: none yet.' })),
    peer: {
      ...orNull(Profile),
      description: 'Of a direct conversation: the other user; the caller’s own in notes to oneself.',
    },
  },
  {
    title: 'Room',
    description:
      'A room as the caller sees it; role and mine are the caller’s; they and head are null for non-members. peer: null in other rooms.',
  },
)

const ListedRoom = object(
  {
    ...Room.properties,
    last: Type.Optional({
      ...orNull(LoggedMessage),
      description:
        'In the order recent: the newest message as it is now; of one of more than 2 kB the beginning of the text, with cut: true. null: none.',
    }),
    lastTs: Type.Optional(orNull(time('In the order recent: when that was sent.'))),
    read: Type.Optional(unreadCounts.read),
    unread: Type.Optional(unreadCounts.unread),
    mentions: Type.Optional(unreadCounts.mentions),
    notify: Type.Optional(unreadCounts.notify),
    atLeast: unreadCounts.atLeast,
  },
  { title: 'ListedRoom', description: 'A room in a list; read and the counts in the order recent.' },
)

export const ROOM_COMMANDS = {
  'rooms.create': command({
    summary: 'Creates a room, with the caller as its owner.',
    params: object({ room: newRoom, ...details, access: Type.Optional({ ...access, default: 'public' }) }),
    result: Room,
    rate: 'create',
    http: { method: 'POST', path: '/rooms', status: 201, location: '/rooms/{room}' },
  }),
  'rooms.update': command({
    summary: 'Changes a room, or with user and role the role of a member. For owners and admins of the room.',
    params: object({ room, ...details, user: Type.Optional(user), role: Type.Optional(role) }),
    result: Type.Union([Room, Member]),
    rate: 'write',
    audit: ['role', 'access', 'name', 'slowMode', 'write', 'archived', 'maxMembers', 'policies'],
    http: { method: 'PATCH', path: '/rooms/{room}' },
  }),
  'rooms.delete': command({
    summary: 'Removes a room and its messages for good. For owners of the room.',
    params: object({ room }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/rooms/{room}' },
  }),
  'rooms.join': command({
    summary: 'Joins a public room, or another one by an invitation or a link.',
    params: object({ room, link: Type.Optional(link) }),
    result: Room,
    rate: 'write',
    http: { method: 'POST', path: '/rooms/{room}/join' },
  }),
  'rooms.leave': command({
    summary: 'Leaves a room.',
    params: object({ room }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'POST', path: '/rooms/{room}/leave' },
  }),
  'rooms.invite': command({
    summary: 'Invites a user to a room. For owners and admins of the room.',
    params: object({ room, user }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'POST', path: '/rooms/{room}/invites' },
  }),
  'rooms.remove': command({
    summary: 'Removes a member, for moderators and above; or an invitation, for owners and admins of the room.',
    params: object({ room, user }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/rooms/{room}/members/{user}' },
  }),
  'rooms.members': command({
    summary: 'The members of a room, by user id, and how many there are. For members.',
    params: object({
      ...userPage,
      query: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 128,
          description:
            'Only members whose user id begins with it, or in whose name each word of it begins a word; of many users so named, whether members or not, the first 1,000 by these words.',
        }),
      ),
      role: Type.Optional(role),
      profiles: Type.Optional(
        Type.Boolean({ description: `With the profile of each; a page then has ${MAX_PROFILES} members at most.` }),
      ),
    }),
    result: object({
      members: Type.Array(Member),
      count: Type.Integer({ minimum: 0, description: 'Number of all members.' }),
      thinned,
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/members', page: { items: 'members', key: 'user' } },
  }),
  'rooms.events': command({
    summary:
      'A page of what happened in a room (rooms/{room}/events), ascending: the newest, those before a seq, or those after one. For members.',
    params: object({
      room,
      before: Type.Optional(seq('Only events below this seq.')),
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only events above this seq, from there on.' })),
      limit: limit(50, 1000),
    }),
    result: object({
      events: Type.Array(
        Type.Object(
          { seq: seq('Number among the events of the room.') },
          {
            additionalProperties: true,
            description: 'An event as members received it; or {seq, gone} with the reason why it is withheld.',
          },
        ),
      ),
      more,
      before: Type.Optional(seq('If there is more: the before of the next page.')),
      after: Type.Optional(seq('If there is more, and the page was requested with after: the after of the next page.')),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/events', page: { items: 'events', key: 'seq', back: true } },
  }),
  'rooms.get': command({
    summary:
      'A room as the caller sees it. For everyone who is logged in; a private room for members and invited users.',
    params: object({ room }),
    result: Room,
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}' },
  }),
  'rooms.settings': command({
    summary:
      'Changes the caller’s settings for a room; answers with all of them. For members, direct conversations included.',
    params: object({
      room,
      notifications: Type.Optional(mine.notifications),
      mutedUntil: Type.Optional(mutedUntil),
      pinned: Type.Optional(mine.pinned),
      hidden: Type.Optional(mine.hidden),
    }),
    result: RoomSettings,
    rate: 'write',
    http: { method: 'PATCH', path: '/rooms/{room}/settings' },
  }),
  'rooms.list': command({
    summary:
      'The rooms of the caller, or the rooms that anyone may join or ask to join: by id, or the one with the newest message first.',
    params: object({
      scope: Type.Optional(
        Type.Enum(['joined', 'direct', 'public'], {
          default: 'joined',
          description:
            'joined: the caller’s rooms. direct: of these the direct conversations. public: all that are not private.',
        }),
      ),
      order: Type.Optional(
        Type.Enum(['id', 'recent'], {
          default: 'id',
          description:
            'recent, of the caller’s rooms: the one with the newest message first, with that message and what is unread. Rooms in which somebody writes while pages are read come last.',
        }),
      ),
      query: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 128,
          description:
            'Only rooms in whose id or name each word of it begins a word; of direct conversations, in the user id of the other.',
        }),
      ),
      after: Type.Optional(
        Type.String({
          maxLength: 320,
          description: 'The last room of the previous page; in the order recent, the after of that page.',
        }),
      ),
      limit: limit(100, 1000),
    }),
    result: object({
      rooms: Type.Array(ListedRoom),
      more,
      after: Type.Optional(
        Type.String({ description: 'In the order recent, if there is more: the after of the next page.' }),
      ),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms', page: { items: 'rooms', key: 'id' } },
  }),
} as const
