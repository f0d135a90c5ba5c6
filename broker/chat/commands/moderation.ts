import type { MODERATION_COMMANDS } from '../../../schemas/commands/moderation.js'
import type { Roles } from '../rooms/roles.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Sanctions } from '../rooms/sanctions.js'
import { pageOf, withoutRoom } from './pages.js'
import { memberInfo } from './rooms.js'
import type { Handlers } from './table.js'

export interface ModerationCommandDeps {
  readonly rules: RoomRules
  readonly roles: Roles
  readonly sanctions: Sanctions
}

export function moderationCommands({
  rules,
  roles,
  sanctions,
}: ModerationCommandDeps): Handlers<keyof typeof MODERATION_COMMANDS> {
  return {
    'rooms.setRole': async (actor, { room, user, role }) =>
      JSON.stringify(memberInfo(await roles.set(actor, rules.resolve(actor, room), user, role))),
    'rooms.transfer': async (actor, { room, user }) =>
      JSON.stringify(memberInfo(await roles.transfer(actor, rules.resolve(actor, room), user))),
    'rooms.ban': async (actor, { room, user, for: seconds, reason }) =>
      JSON.stringify(withoutRoom(await sanctions.ban(actor, rules.resolve(actor, room), user, seconds, reason))),
    'rooms.unban': async (actor, { room, user }) => {
      await sanctions.unban(actor, rules.resolve(actor, room), user)
      return '{}'
    },
    'rooms.bans': async (actor, { room, ...page }) => {
      const { items, more } = pageOf(sanctions.bans(actor, rules.resolve(actor, room)), page)
      return JSON.stringify({ bans: items.map(withoutRoom), more })
    },
    'rooms.mute': async (actor, { room, user, for: seconds }) =>
      JSON.stringify(withoutRoom(await sanctions.mute(actor, rules.resolve(actor, room), user, seconds))),
    'rooms.unmute': async (actor, { room, user }) => {
      await sanctions.unmute(actor, rules.resolve(actor, room), user)
      return '{}'
    },
    'rooms.mutes': async (actor, { room, ...page }) => {
      const { items, more } = pageOf(sanctions.mutes(actor, rules.resolve(actor, room)), page)
      return JSON.stringify({ mutes: items.map(withoutRoom), more })
    },
  }
}
