/** Roles, and what is done about those who disturb. */
import { command, object, role, room, user } from './parts.js'
import { Member } from './rooms.js'

export const MODERATION_COMMANDS = {
  'rooms.setRole': command({
    summary: 'Gives a member a role, up to the asker’s own. For owners and admins of the room.',
    params: object({ room, user, role }),
    result: Member,
    rate: 'write',
    http: { method: 'PUT', path: '/rooms/{room}/members/{user}' },
  }),
  'rooms.transfer': command({
    summary: 'Makes a member the owner in place of the asker, who becomes an admin. For owners of the room.',
    params: object({ room, user }),
    result: Member,
    rate: 'write',
    http: { method: 'POST', path: '/rooms/{room}/transfer' },
  }),
} as const
