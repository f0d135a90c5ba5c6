import type { ENTRY_COMMANDS } from '../../../schemas/commands/entry.js'
import type { InviteRecord, JoinRequestRecord, LinkRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { renderFitting } from '../model/paging.js'
import type { Invitations } from '../rooms/invitations.js'
import type { JoinRequests } from '../rooms/join-requests.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import type { Links } from '../rooms/links.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { describePending } from '../rooms/room-view.js'
import { pageOf, withoutRoom } from './pages.js'
import { memberInfo } from './rooms.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the entries. */
const ENVELOPE = 1024

type Pending = InviteRecord | JoinRequestRecord

export interface EntryCommandDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly links: Links
  readonly joinRequests: JoinRequests
  readonly invitations: Invitations
  readonly largeRooms: LargeRoomPolicy
  readonly replyBytes: number
}

export function entryCommands(deps: EntryCommandDeps): Handlers<keyof typeof ENTRY_COMMANDS> {
  const { store, rules, links, joinRequests, invitations, replyBytes } = deps
  const { directory } = store
  /** A page of what is pending between the actor and rooms, each with its room as the actor may see it. */
  const pageOfRooms = async (
    actor: Actor,
    items: string,
    all: Iterable<Pending>,
    { after = '', limit = 100 }: { after?: string; limit?: number },
  ): Promise<string> => {
    const rest = [...all].filter(({ room }) => room > after).sort((a, b) => (a.room < b.room ? -1 : 1))
    const render = (pending: Pending) => describePending(deps, actor, pending)
    const shown = await renderFitting(rest.slice(0, limit), render, replyBytes - ENVELOPE)
    return `{"${items}":[${shown.join(',')}],"more":${shown.length < rest.length}}`
  }
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
    'rooms.invited': (actor, page) =>
      pageOfRooms(
        actor,
        'invitations',
        [...invitations.of(actor)].filter(({ room }) => directory.room(room)),
        page,
      ),
    'rooms.decline': async (actor, { room }) => {
      await invitations.decline(actor, rules.resolve(actor, room))
      return '{}'
    },
    'rooms.requested': (actor, page) => pageOfRooms(actor, 'requests', joinRequests.of(actor), page),
    'rooms.withdraw': async (actor, { room }) => {
      await joinRequests.withdraw(actor, rules.resolve(actor, room))
      return '{}'
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
