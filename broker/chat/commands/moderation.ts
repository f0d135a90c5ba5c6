import type { MODERATION_COMMANDS } from '../../../schemas/commands/moderation.js'
import type { Handlers } from '../commands.js'
import type { Roles } from '../roles.js'
import type { RoomRules } from '../room-rules.js'
import { asMember } from './rooms.js'

export interface ModerationCommandParts {
  readonly rules: RoomRules
  readonly roles: Roles
}

export function moderationCommands({
  rules,
  roles,
}: ModerationCommandParts): Handlers<keyof typeof MODERATION_COMMANDS> {
  return {
    'rooms.setRole': async (actor, { room, user, role }) =>
      JSON.stringify(asMember(await roles.set(actor, rules.resolve(actor, room), user, role))),
    'rooms.transfer': async (actor, { room, user }) =>
      JSON.stringify(asMember(await roles.transfer(actor, rules.resolve(actor, room), user))),
  }
}
