/** Ways into a room beside an invitation: links, and asking. */
import Type from 'typebox'
import { command, link, more, NOTHING, object, orNull, room, time, user, userPage, was } from './parts.js'
import { Member } from './rooms.js'

const message = Type.String({ maxLength: 500, description: 'What to say to those who decide.' })
const expiresAt = orNull(time('Until when it is valid; null: for good.'))
const Link = object(
  {
    link: Type.String({ description: 'What to join with.' }),
    by: Type.String({ description: 'Who made it, a user id.' }),
    at: time('When.'),
    expiresAt,
    expires: was('expiresAt', expiresAt),
    uses: orNull(Type.Integer({ minimum: 0, description: 'How many it still lets in; null: any number.' })),
  },
  { title: 'RoomLink', description: 'A link into a room.' },
)
const JoinRequest = object(
  { user, at: time('When it was asked.'), message: orNull(message) },
  { title: 'JoinRequest', description: 'Someone who wants to join.' },
)

export const ENTRY_COMMANDS = {
  'rooms.links.create': command({
    summary: 'Makes a link with which anyone may join the room. For owners and admins of the room.',
    params: object({
      room,
      expiresIn: Type.Optional(
        Type.Number({ exclusiveMinimum: 0, maximum: 1e10, description: 'Seconds it is valid; left out: for good.' }),
      ),
      uses: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1e6, description: 'How many it lets in; left out: any number.' }),
      ),
    }),
    result: Link,
    rate: 'create',
    audit: ['expiresIn', 'uses'],
    deprecated: { expires: 'expiresIn' },
    http: { method: 'POST', path: '/rooms/{room}/links', status: 201 },
  }),
  'rooms.links.list': command({
    summary: 'The links of a room that are valid. For owners and admins of the room.',
    params: object({ room }),
    result: object({ links: Type.Array(Link, { maxItems: 100 }) }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/links' },
  }),
  'rooms.links.revoke': command({
    summary: 'Makes a link invalid; who came by it stays. For owners and admins of the room.',
    params: object({ room, link }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/rooms/{room}/links/{link}' },
  }),
  'rooms.request': command({
    summary: 'Asks to be let into a room of access request. For everyone who is not banned from it.',
    params: object({ room, message: Type.Optional(message) }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'POST', path: '/rooms/{room}/requests' },
  }),
  'rooms.requests': command({
    summary: 'Who asks to be let in, by user id. For moderators of the room and above.',
    params: object(userPage),
    result: object({ requests: Type.Array(JoinRequest), more }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/requests', page: { items: 'requests', key: 'user' } },
  }),
  'rooms.approve': command({
    summary: 'Lets in someone who asked. For moderators of the room and above.',
    params: object({ room, user }),
    result: Member,
    rate: 'write',
    audit: true,
    http: { method: 'PUT', path: '/rooms/{room}/requests/{user}' },
  }),
  'rooms.deny': command({
    summary: 'Says no to someone who asked; they may ask again. For moderators of the room and above.',
    params: object({ room, user }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/rooms/{room}/requests/{user}' },
  }),
} as const
