/** Rooms and who is in them. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, orNull, room, time, user } from './parts.js'

const access = Type.Enum(['public', 'private'], { description: 'public: anyone may join. private: by invitation.' })
const role = Type.Enum(['owner', 'admin', 'moderator', 'member', 'reader'], { description: 'What the member may do.' })
const text = (maxLength: number, description: string) => orNull(Type.String({ maxLength, description }))

const details = {
  access: Type.Optional(access),
  name: Type.Optional(text(128, 'Name to show.')),
  topic: Type.Optional(text(1024, 'What the room is about.')),
  avatar: Type.Optional(text(2048, 'URL of a picture.')),
}

export const Member = object(
  { user, role, since: time('When the membership began.') },
  { title: 'Member', description: 'A member of a room.' },
)

export const Room = object(
  {
    id: Type.String({ description: 'Room id.' }),
    access,
    direct: Type.Boolean({ description: 'A direct conversation.' }),
    name: text(128, 'Name to show.'),
    topic: text(1024, 'What the room is about.'),
    avatar: text(2048, 'URL of a picture.'),
    createdBy: Type.String({ description: 'User id.' }),
    createdAt: time('When it was made.'),
    members: Type.Integer({ minimum: 0, description: 'Number of members.' }),
    role: orNull(role),
    head: Type.Integer({ minimum: 0, description: 'seq of the newest message; 0: none yet.' }),
  },
  { title: 'Room', description: 'A room as the asker sees it; role is the asker’s own.' },
)

export const ROOM_COMMANDS = {
  'rooms.create': command({
    summary: 'Makes a room, with the asker as its owner.',
    params: object({ room, ...details }),
    result: Room,
    rate: 'create',
    http: { method: 'POST', path: '/rooms', status: 201, location: '/rooms/{id}' },
  }),
  'rooms.update': command({
    summary: 'Changes a room, or with user and role a member’s role. For owners and admins of the room.',
    params: object({ room, ...details, user: Type.Optional(user), role: Type.Optional(role) }),
    result: Type.Union([Room, Member]),
    rate: 'write',
    http: { method: 'PATCH', path: '/rooms/{room}' },
  }),
  'rooms.delete': command({
    summary: 'Removes a room and its messages for good. For owners of the room.',
    params: object({ room }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/rooms/{room}' },
  }),
  'rooms.join': command({
    summary: 'Joins a public room, or a private one by its invitation.',
    params: object({ room }),
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
    http: { method: 'POST', path: '/rooms/{room}/invites' },
  }),
  'rooms.remove': command({
    summary: 'Removes a member, or an invitation. For owners and admins of the room.',
    params: object({ room, user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/rooms/{room}/members/{user}' },
  }),
  'rooms.members': command({
    summary: 'The members of a room, by user id. For members.',
    params: object({
      room,
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the page before.' })),
      limit: limit(100, 1000),
    }),
    result: object({ members: Type.Array(Member), more }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/members', page: { items: 'members', key: 'user' } },
  }),
  'rooms.list': command({
    summary: 'The rooms the asker is in, or those anyone may join, by id.',
    params: object({
      scope: Type.Optional(
        Type.Enum(['joined', 'public'], {
          default: 'joined',
          description: 'joined: the asker’s own. public: all public ones.',
        }),
      ),
      after: Type.Optional(Type.String({ maxLength: 300, description: 'The last room of the page before.' })),
      limit: limit(100, 1000),
    }),
    result: object({ rooms: Type.Array(Room), more }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms', page: { items: 'rooms', key: 'id' } },
  }),
} as const
