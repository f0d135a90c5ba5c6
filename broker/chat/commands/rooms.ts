import type { ROOM_COMMANDS } from '../../../schemas/commands/rooms.js'
import { MAX_PROFILES } from '../../../schemas/commands/users.js'
import { Refusal } from '../../../schemas/errors.js'
import type { RoomRole } from '../../../schemas/permissions.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { MemberRecord, RoomRecord } from '../../store/rooms.js'
import { readPage } from '../history/history.js'
import { renderPage } from '../history/history-page.js'
import type { Actor } from '../model/actor.js'
import { usersNamed } from '../model/people-search.js'
import { profileOf } from '../model/profiles.js'
import { hiddenFrom, logs } from '../model/views.js'
import type { Invitations } from '../rooms/invitations.js'
import type { Members } from '../rooms/members.js'
import type { Roles } from '../rooms/roles.js'
import type { RoomPreferences } from '../rooms/room-preferences.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { describeRoom } from '../rooms/room-view.js'
import type { Rooms } from '../rooms/rooms.js'
import { pageOf } from './pages.js'
import { RoomList, type RoomListDeps } from './room-list.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the rooms. */
const ENVELOPE = 1024

export interface RoomCommandDeps extends RoomListDeps {
  readonly rooms: Rooms
  readonly members: Members
  readonly invitations: Invitations
  readonly roles: Roles
  readonly preferences: RoomPreferences
  readonly rules: RoomRules
}

export function roomCommands(deps: RoomCommandDeps): Handlers<keyof typeof ROOM_COMMANDS> {
  const { store, rooms, members, invitations, roles, preferences, rules, largeRooms, replyBytes } = deps
  const { directory } = store
  const list = new RoomList(deps)
  const show = (actor: Actor, room: RoomRecord): Promise<string> => describeRoom(deps, actor, room)
  return {
    'rooms.create': async (actor, { room, ...details }) => show(actor, await rooms.create(actor, room, details)),
    'rooms.update': async (actor, { room, user, role, ...details }) => {
      const id = rules.resolve(actor, room)
      if (user === undefined && role === undefined) return show(actor, await rooms.update(actor, id, details))
      if (user === undefined || role === undefined)
        throw new Refusal('bad_request', 'user and role go together', { field: user === undefined ? 'user' : 'role' })
      if (Object.keys(details).length > 0)
        throw new Refusal('bad_request', 'a role is set in a request of its own', { field: Object.keys(details)[0] })
      return JSON.stringify(memberInfo(await roles.set(actor, id, user, role)))
    },
    'rooms.delete': async (actor, { room }) => {
      await rooms.remove(actor, rules.resolve(actor, room))
      return '{}'
    },
    'rooms.join': async (actor, { room, link }) => {
      const member = await members.join(actor, rules.resolve(actor, room), link)
      return show(actor, directory.room(member.room)!)
    },
    'rooms.leave': async (actor, { room }) => {
      await members.leave(actor, rules.resolve(actor, room))
      return '{}'
    },
    'rooms.invite': async (actor, { room, user }) => {
      await invitations.invite(actor, rules.resolve(actor, room), user)
      return '{}'
    },
    'rooms.remove': async (actor, { room, user }) => {
      await members.removeMember(actor, rules.resolve(actor, room), user)
      return '{}'
    },
    'rooms.members': async (actor, { room, query, role, profiles = false, limit = 100, ...page }) => {
      const id = rules.resolve(actor, room)
      rules.requireMember(actor, id)
      const most = profiles ? Math.min(limit, MAX_PROFILES) : limit
      const wanted = await wantedMembers(directory, directory.members(id).values(), query, role)
      const { items, more } = pageOf(wanted, { ...page, limit: most })
      const count = directory.members(id).size
      const members = await Promise.all(items.map((member) => shownMember(directory, member, profiles)))
      return JSON.stringify({ members, count, thinned: largeRooms.of(id), more })
    },
    'rooms.events': async (actor, { room, limit = 50, ...range }) => {
      const id = rules.resolve(actor, room)
      const hidden = hiddenFrom(rules.requireMember(actor, id), 'events')
      const bounds = { limit, maxBytes: replyBytes - ENVELOPE, hidden, reader: actor.principal.user }
      const page = await readPage(store, logs.roomEvents(id), { ...range, ...bounds })
      return renderPage(page, range.after === undefined ? 'before' : 'after', 'events')
    },
    'rooms.get': async (actor, { room }) => show(actor, rules.requireVisible(actor, rules.resolve(actor, room))),
    'rooms.settings': async (actor, { room, ...changes }) =>
      JSON.stringify(await preferences.set(actor, rules.resolve(actor, room), changes)),
    'rooms.list': (actor, params) => list.page(actor, params),
  }
}

async function wantedMembers(
  directory: DirectoryStore,
  members: Iterable<MemberRecord>,
  query: string | undefined,
  role: RoomRole | undefined,
): Promise<MemberRecord[]> {
  const start = query?.toLowerCase() ?? ''
  const named = query === undefined ? new Set() : await usersNamed(directory, query)
  return [...members].filter(
    (member) =>
      (role === undefined || member.role === role) &&
      (named.has(member.user) || member.user.toLowerCase().startsWith(start)),
  )
}

async function shownMember(directory: DirectoryStore, member: MemberRecord, withProfile: boolean) {
  const info = memberInfo(member)
  return withProfile ? { ...info, profile: await profileOf(directory, member.user) } : info
}

export function memberInfo({ user, role, since }: MemberRecord) {
  return { user, role, since }
}
