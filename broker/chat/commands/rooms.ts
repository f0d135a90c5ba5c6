import type { ROOM_COMMANDS } from '../../../schemas/commands/rooms.js'
import { Refusal } from '../../../schemas/errors.js'
import type { MemberRecord, RoomRecord, Store } from '../../store/store.js'
import { type Actor, requireUser } from '../actor.js'
import type { Handlers } from '../commands.js'
import type { Members } from '../members.js'
import type { RoomRules } from '../room-rules.js'
import type { Rooms } from '../rooms.js'
import { logs } from '../views.js'

export interface RoomCommandParts {
  readonly store: Store
  readonly rooms: Rooms
  readonly members: Members
  readonly rules: RoomRules
}

export function roomCommands(parts: RoomCommandParts): Handlers<keyof typeof ROOM_COMMANDS> {
  const { store, rooms, members, rules } = parts
  const { directory } = store
  const show = (actor: Actor, room: RoomRecord): Promise<string> => shownRoom(store, actor, room)
  return {
    'rooms.create': async (actor, { room, ...details }) => show(actor, await rooms.create(actor, room, details)),
    'rooms.update': async (actor, { room, user, role, ...details }) => {
      const id = rules.resolve(actor, room)
      if (user === undefined && role === undefined) return show(actor, await rooms.update(actor, id, details))
      if (user === undefined || role === undefined)
        throw new Refusal('bad_request', 'user and role go together', { field: user === undefined ? 'user' : 'role' })
      if (Object.keys(details).length > 0)
        throw new Refusal('bad_request', 'a role is set in a request of its own', { field: Object.keys(details)[0] })
      return JSON.stringify(asMember(await members.setRole(actor, id, user, role)))
    },
    'rooms.delete': async (actor, { room }) => {
      await rooms.remove(actor, rules.resolve(actor, room))
      return '{}'
    },
    'rooms.join': async (actor, { room }) => {
      const member = await members.join(actor, rules.resolve(actor, room))
      return show(actor, directory.room(member.room)!)
    },
    'rooms.leave': async (actor, { room }) => {
      await members.leave(actor, rules.resolve(actor, room))
      return '{}'
    },
    'rooms.invite': async (actor, { room, user }) => {
      await members.invite(actor, rules.resolve(actor, room), user)
      return '{}'
    },
    'rooms.remove': async (actor, { room, user }) => {
      await members.removeMember(actor, rules.resolve(actor, room), user)
      return '{}'
    },
    'rooms.members': async (actor, { room, after = '', limit = 100 }) => {
      const id = rules.resolve(actor, room)
      rules.requireMember(actor, id)
      const users = [...directory.members(id).values()].filter(({ user }) => user > after).sort(byUser)
      return JSON.stringify({ members: users.slice(0, limit).map(asMember), more: users.length > limit })
    },
    'rooms.list': async (actor, { scope = 'joined', after = '', limit = 100 }) => {
      const user = requireUser(actor)
      const all =
        scope === 'joined'
          ? [...directory.memberships(user).keys()].map((id) => directory.room(id)!)
          : [...directory.rooms()].filter(({ access }) => access === 'public')
      const page = all.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1))
      const shown = await Promise.all(page.slice(0, limit).map((room) => show(actor, room)))
      return `{"rooms":[${shown.join(',')}],"more":${page.length > limit}}`
    },
  }
}

/** A room as its members see it. */
export async function shownRoom({ log, directory }: Store, actor: Actor, room: RoomRecord): Promise<string> {
  const { id, access, name, topic, avatar, direct, createdBy, createdAt } = room
  const { head } = await log.open(logs.messages(id))
  const members = directory.members(id).size
  const role = directory.member(id, actor.principal.user)?.role ?? null
  return JSON.stringify({ id, access, direct, name, topic, avatar, createdBy, createdAt, members, role, head })
}

function asMember({ user, role, since }: MemberRecord) {
  return { user, role, since }
}

function byUser(a: MemberRecord, b: MemberRecord): number {
  return a.user < b.user ? -1 : 1
}
