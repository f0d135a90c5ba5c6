/** Joining a room without an invitation: links and join requests. */
import Type from 'typebox'
import { command, limit, link, more, NOTHING, object, orNull, room, time, user, userPage, was } from './parts.js'
import { Member, Room } from './rooms.js'

const message = Type.String({ maxLength: 500, description: 'A message to those who decide.' })
const expiresAt = orNull(time('Until when it is valid; null: without end.'))
const Link = object(
  {
    link: Type.String({ description: 'The link, as rooms.join takes it.' }),
    by: Type.String({ description: 'Who created it, a user id.' }),
    at: time('When.'),
    expiresAt,
    expires: was('expiresAt', expiresAt),
    uses: orNull(Type.Integer({ minimum: 0, description: 'How many users may still join with it; null: any number.' })),
  },
  { title: 'RoomLink', description: 'A link into a room.' },
)
const JoinRequest = object(
  { user, at: time('When the user asked.'), message: orNull(message) },
  { title: 'JoinRequest', description: 'Someone who wants to join.' },
)

const roomId = Type.String({ description: 'Room id.' })
const roomInfo = { ...orNull(Room), description: 'Null: the room is hidden from the caller by now.' }
export const Invitation = object(
  {
    room: roomId,
    by: Type.String({ description: 'Who invited, a user id.' }),
    at: time('When.'),
    info: roomInfo,
  },
  { title: 'Invitation', description: 'An invitation into a room.' },
)

const roomPage = {
  after: Type.Optional(Type.String({ maxLength: 300, description: 'The last room of the previous page.' })),
  limit: limit(100, 1000),
}

export const ENTRY_COMMANDS = {
  'rooms.links.create': command({
    summary: 'Creates a link with which anyone may join the room. For owners and admins of the room.',
    params: object({
      room,
      expiresIn: Type.Optional(
        Type.Number({ exclusiveMinimum: 0, maximum: 1e10, description: 'Seconds it is valid; left out: without end.' }),
      ),
      uses: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 1e6,
          description: 'How many users may join with it; left out: any number.',
        }),
      ),
    }),
    result: Link,
    rate: 'create',
    audit: ['expiresIn', 'uses'],
    deprecated: { expires: 'expiresIn' },
    http: { method: 'POST', path: '/rooms/{room}/links', status: 201 },
  }),
  'rooms.links.list': command({
    summary: 'The valid links of a room. For owners and admins of the room.',
    params: object({ room }),
    result: object({ links: Type.Array(Link, { maxItems: 100 }) }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/links' },
  }),
  'rooms.links.revoke': command({
    summary: 'Revokes a link; users who joined with it stay. For owners and admins of the room.',
    params: object({ room, link }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/rooms/{room}/links/{link}' },
  }),
  'rooms.request': command({
    summary: 'Asks to join a room whose access is request. For everyone who is not banned from it.',
    params: object({ room, message: Type.Optional(message) }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'POST', path: '/rooms/{room}/requests' },
  }),
  'rooms.requests': command({
    summary: 'The pending requests to join, by user id. For moderators of the room and above.',
    params: object(userPage),
    result: object({ requests: Type.Array(JoinRequest), more }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/requests', page: { items: 'requests', key: 'user' } },
  }),
  'rooms.invited': command({
    summary: 'The caller’s pending invitations, by room id. rooms.join accepts one, rooms.decline declines it.',
    params: object(roomPage),
    result: object({
      invitations: Type.Array(Invitation),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/invitations', page: { items: 'invitations', key: 'room' } },
  }),
  'rooms.decline': command({
    summary: 'Declines an invitation; the caller may be invited again. For invited users.',
    params: object({ room }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/invitations/{room}' },
  }),
  'rooms.requested': command({
    summary: 'The caller’s pending requests to join, by room id.',
    params: object(roomPage),
    result: object({
      requests: Type.Array(
        object({
          room: roomId,
          at: time('When the caller asked.'),
          message: orNull(message),
          info: roomInfo,
        }),
      ),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/requests', page: { items: 'requests', key: 'room' } },
  }),
  'rooms.withdraw': command({
    summary: 'Takes back the caller’s request to join a room.',
    params: object({ room }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/requests/{room}' },
  }),
  'rooms.approve': command({
    summary: 'Accepts a request to join. For moderators of the room and above.',
    params: object({ room, user }),
    result: Member,
    rate: 'write',
    audit: true,
    http: { method: 'PUT', path: '/rooms/{room}/requests/{user}' },
  }),
  'rooms.deny': command({
    summary: 'Denies a request to join; the user may ask again. For moderators of the room and above.',
    params: object({ room, user }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/rooms/{room}/requests/{user}' },
  }),
} as const
