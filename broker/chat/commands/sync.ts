import type { SYNC_COMMANDS } from '../../../schemas/commands/sync.js'
import { Refusal } from '../../../schemas/errors.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Sync } from '../history/sync.js'
import type { Unread } from '../history/unread.js'
import { type Actor, requireUser } from '../model/actor.js'
import { logs } from '../model/views.js'
import type { RoomPreferences } from '../rooms/room-preferences.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Handlers } from './table.js'

export interface SyncCommandDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly unread: Unread
  readonly sync: Sync
  readonly preferences: RoomPreferences
}

export function syncCommands(deps: SyncCommandDeps): Handlers<keyof typeof SYNC_COMMANDS> {
  const { store, rules, unread, sync, preferences } = deps
  const countsOf = async (member: MemberRecord) => {
    const { head } = await store.log.open(logs.messages(member.room))
    return { room: member.room, head, ...(await unread.of(member, head)) }
  }
  const ofThread = async (actor: Actor, room: string | undefined, thread: number) => {
    if (room === undefined) throw new Refusal('bad_request', 'a thread is of a room', { field: 'room' })
    const member = rules.requireMember(actor, rules.resolve(actor, room))
    const { head } = await store.log.open(logs.messages(member.room))
    return { room: member.room, thread, head, ...(await unread.ofThread(member, thread)) }
  }
  return {
    sync: (actor, params) => sync.page(actor, params),
    markUnread: async (actor, { room, seq }) => {
      const id = rules.resolve(actor, room)
      rules.requireMember(actor, id)
      const { head } = await store.log.open(logs.messages(id))
      if (seq > head) throw new Refusal('bad_request', `${id} has ${head} messages so far`, { field: 'seq' })
      await preferences.set(actor, id, { unreadFrom: seq })
      return JSON.stringify(await countsOf(rules.requireMember(actor, id)))
    },
    unread: async (actor, { room, thread, after = '', limit = 100 }) => {
      const user = requireUser(actor)
      if (thread !== undefined) return JSON.stringify({ rooms: [await ofThread(actor, room, thread)], more: false })
      const mine =
        room === undefined
          ? [...store.directory.memberships(user).values()].sort((a, b) => (a.room < b.room ? -1 : 1))
          : [rules.requireMember(actor, rules.resolve(actor, room))]
      const page = mine.filter((member) => member.room > after)
      const rooms: object[] = []
      // One at a time: hundreds at once would block other work.
      for (const member of page.slice(0, limit)) rooms.push(await countsOf(member))
      return JSON.stringify({ rooms, more: page.length > limit })
    },
  }
}
