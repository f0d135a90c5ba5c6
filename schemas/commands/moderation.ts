/** Roles in a room, bans and mutes. */
import Type from 'typebox'
import { command, more, NOTHING, object, orNull, role, room, time, user, userPage } from './parts.js'
import { Member } from './rooms.js'

const seconds = Type.Optional(
  Type.Number({ exclusiveMinimum: 0, maximum: 1e10, description: 'Seconds; left out: without end.' }),
)
const reason = Type.String({ maxLength: 500, description: 'The reason; members and the user see it.' })
const sanction = {
  user,
  by: Type.String({ description: 'Who did it, a user id.' }),
  at: time('When.'),
  until: orNull(time('When it expires; null: never.')),
}
const Mute = object(sanction, { title: 'Mute', description: 'A mute.' })
const Ban = object({ ...sanction, reason: orNull(reason) }, { title: 'Ban', description: 'A ban.' })

export const MODERATION_COMMANDS = {
  'rooms.setRole': command({
    summary: 'Sets the role of a member, up to the caller’s own. For owners and admins of the room.',
    params: object({ room, user, role }),
    result: Member,
    rate: 'write',
    audit: ['role'],
    http: { method: 'PUT', path: '/rooms/{room}/members/{user}' },
  }),
  'rooms.transfer': command({
    summary: 'Makes a member the owner in place of the caller, who becomes an admin. For owners of the room.',
    params: object({ room, user }),
    result: Member,
    rate: 'write',
    audit: true,
    http: { method: 'POST', path: '/rooms/{room}/transfer' },
  }),
  'rooms.ban': command({
    summary: 'Removes a user from a room and keeps them out, links and invitations included. For moderators and above.',
    params: object({ room, user, for: seconds, reason: Type.Optional(reason) }),
    result: Ban,
    rate: 'write',
    audit: ['for', 'reason'],
    http: { method: 'PUT', path: '/rooms/{room}/bans/{user}' },
  }),
  'rooms.unban': command({
    summary: 'Ends a ban; the user may join or be invited again. For moderators of the room and above.',
    params: object({ room, user }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/rooms/{room}/bans/{user}' },
  }),
  'rooms.bans': command({
    summary: 'The bans of a room, by user id. For moderators of the room and above.',
    params: object(userPage),
    result: object({ bans: Type.Array(Ban), more }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/bans', page: { items: 'bans', key: 'user' } },
  }),
  'rooms.mute': command({
    summary:
      'Mutes a member, who may read but not write: messages, changes, reactions, typing. For moderators and above.',
    params: object({ room, user, for: seconds }),
    result: Mute,
    rate: 'write',
    audit: ['for'],
    http: { method: 'PUT', path: '/rooms/{room}/mutes/{user}' },
  }),
  'rooms.unmute': command({
    summary: 'Ends a mute. For moderators of the room and above.',
    params: object({ room, user }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/rooms/{room}/mutes/{user}' },
  }),
  'rooms.mutes': command({
    summary: 'The mutes of a room, by user id. For moderators of the room and above.',
    params: object(userPage),
    result: object({ mutes: Type.Array(Mute), more }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/mutes', page: { items: 'mutes', key: 'user' } },
  }),
} as const
