import type { ENTRY_COMMANDS } from '../../../schemas/commands/entry.js'
import type { LinkRecord } from '../../store/rooms.js'
import type { JoinRequests } from '../rooms/join-requests.js'
import type { Links } from '../rooms/links.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { pageOf, withoutRoom } from './pages.js'
import { memberInfo } from './rooms.js'
import type { Handlers } from './table.js'

export interface EntryCommandDeps {
  readonly rules: RoomRules
  readonly links: Links
  readonly joinRequests: JoinRequests
}

export function entryCommands({ rules, links, joinRequests }: EntryCommandDeps): Handlers<keyof typeof ENTRY_COMMANDS> {
  return {
    'rooms.links.create': async (actor, { room, expiresIn, uses }) =>
      JSON.stringify(shownLink(await links.create(actor, rules.resolve(actor, room), expiresIn, uses))),
    'rooms.links.list': async (actor, { room }) =>
      JSON.stringify({ links: links.list(actor, rules.resolve(actor, room)).map(shownLink) }),
    'rooms.links.revoke': async (actor, { room, link }) => {
      await links.revoke(actor, rules.resolve(actor, room), link)
      return '{}'
    },
    'rooms.request': async (actor, { room, message = null }) => {
      await joinRequests.ask(actor, rules.resolve(actor, room), message)
      return '{}'
    },
    'rooms.requests': async (actor, { room, ...page }) => {
      const { items, more } = pageOf(joinRequests.list(actor, rules.resolve(actor, room)), page)
      return JSON.stringify({ requests: items.map(withoutRoom), more })
    },
    'rooms.approve': async (actor, { room, user }) =>
      JSON.stringify(memberInfo(await joinRequests.approve(actor, rules.resolve(actor, room), user))),
    'rooms.deny': async (actor, { room, user }) => {
      await joinRequests.deny(actor, rules.resolve(actor, room), user)
      return '{}'
    },
  }
}

function shownLink(record: LinkRecord) {
  return { ...withoutRoom(record), expiresAt: record.expires }
}
