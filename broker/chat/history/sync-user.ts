/** What `sync` tells of the user: events, and the lists that no events tell in full. */
import { isPositionIn } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { contactsOf } from '../model/contacts.js'
import { countFitting, listedBytes, renderFitting } from '../model/paging.js'
import { logs } from '../model/views.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { describePending } from '../rooms/room-view.js'
import { tombstone } from './history-page.js'
import { digest, type SyncCursor, type SyncPoint } from './sync-token.js'

/** Maximum number of missed events; beyond that the client begins anew. */
const MAX_MISSED = 2000
/** Entries and bytes per read. */
const PAGE = 200
const PAGE_BYTES = 1024 * 1024
/** Maximum numbers of entries in one answer. */
const MAX_EVENTS = 200
const MAX_INVITATIONS = 100
const MAX_CONTACTS = 1000

/** Events after which the user is not in the room any more. */
const ENDS: ReadonlySet<string> = new Set(['left', 'removed', 'banned', 'deleted'])

interface UserEvent {
  readonly seq: number
  /** As it was sent, or `{seq, gone}`. */
  readonly text: string
}

/** The events since a point. */
export interface UserNews {
  readonly events: readonly UserEvent[]
  /** Rooms with settings of the user that were changed. */
  readonly settings: ReadonlySet<string>
  /** Rooms that the user left, was removed from, or that were deleted; perhaps the user has come back. */
  readonly ended: ReadonlySet<string>
}

export const NO_NEWS: UserNews = { events: [], settings: new Set(), ended: new Set() }

export interface SyncUserDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly largeRooms: LargeRoomPolicy
}

export class SyncUser {
  readonly #deps: SyncUserDeps

  constructor(deps: SyncUserDeps) {
    this.#deps = deps
  }

  /** Whose points they are, and of which store. */
  of(user: string): string {
    return digest(user, this.#deps.store.epoch)
  }

  /** To be taken before anything is read. */
  async point(user: string): Promise<SyncPoint> {
    const { store } = this.#deps
    const { lastCommit: commit } = store
    const { head: events, incarnation } = await store.log.open(logs.userEvents(user))
    return {
      ...{ of: this.of(user), commit, ts: Date.now(), events, incarnation },
      invitations: digest(...this.#invitations(user).map(({ room, at }) => `${room} ${at}`)),
      contacts: digest(JSON.stringify(contactsOf(store.directory, user))),
    }
  }

  /** The events between two points. Null: not all of them are known any more, or too many; the client begins anew. */
  async news(user: string, since: SyncPoint, to: SyncPoint): Promise<UserNews | null> {
    const { log } = this.#deps.store
    const name = logs.userEvents(user)
    const info = await log.open(name)
    const isCut = info.tail > since.events + 1 || to.events - since.events > MAX_MISSED
    if (isCut || since.events > to.events || !isPositionIn(info, since.events, since.incarnation)) return null
    const events: UserEvent[] = []
    const settings = new Set<string>()
    const ended = new Set<string>()
    for (let after = since.events; after < to.events; ) {
      const page = await log.read(name, after, PAGE, PAGE_BYTES, 'shown')
      if (page.length === 0) break
      for (const entry of page) {
        if (entry.seq > to.events) break
        const text = entry.gone ? tombstone(entry) : entry.payload.toString('utf8')
        const { type, room } = JSON.parse(text) as { type?: string; room?: string }
        if (room !== undefined && type === 'settings') settings.add(room)
        if (room !== undefined && ENDS.has(type!)) ended.add(room)
        events.push({ seq: entry.seq, text })
      }
      after = page.at(-1)!.seq
    }
    return { events, settings, ended }
  }

  /**
   * JSON of the events after `cursor.events`, as many as fit, and of the lists if they have changed; the lists are on the first page only. `seq`: of the
   * last event that is given.
   */
  async render(
    actor: Actor,
    news: UserNews,
    since: SyncPoint | null,
    { start, events: given }: SyncCursor,
    { isFirst, maxBytes }: { isFirst: boolean; maxBytes: number },
  ): Promise<{ text: string; seq: number }> {
    const { user } = actor.principal
    const rest = news.events.filter(({ seq }) => seq > given)
    const fitting = countFitting(rest, ({ text }) => listedBytes(text), maxBytes / 2)
    const shown = rest.slice(0, Math.min(fitting, MAX_EVENTS))
    const seq = shown.length < rest.length ? shown.at(-1)!.seq : start.events
    const head = (await this.#deps.store.log.open(logs.notifications(user))).head
    const parts = [`"seq":${seq}`, `"events":[${shown.map(({ text }) => text).join(',')}]`, `"notifications":${head}`]
    if (isFirst && since?.invitations !== start.invitations)
      parts.push(`"invitations":${await this.#renderInvitations(actor, maxBytes / 4)}`)
    if (isFirst && since?.contacts !== start.contacts)
      parts.push(`"contacts":${this.#renderContacts(user, maxBytes / 4)}`)
    return { text: `{${parts.join(',')}}`, seq }
  }

  #invitations(user: string) {
    const { directory } = this.#deps.store
    const there = [...directory.invitesOf(user).values()].filter(({ room }) => directory.room(room))
    return there.sort((a, b) => (a.room < b.room ? -1 : 1))
  }

  async #renderInvitations(actor: Actor, maxBytes: number): Promise<string> {
    const all = this.#invitations(actor.principal.user)
    const render = (invitation: (typeof all)[number]) => describePending(this.#deps, actor, invitation)
    const shown = await renderFitting(all.slice(0, MAX_INVITATIONS), render, maxBytes)
    return `{"invitations":[${shown.join(',')}],"more":${shown.length < all.length}}`
  }

  #renderContacts(user: string, maxBytes: number): string {
    const all = contactsOf(this.#deps.store.directory, user).map((contact) => JSON.stringify(contact))
    const fitting = countFitting(all, listedBytes, maxBytes)
    const shown = all.slice(0, Math.min(fitting, MAX_CONTACTS))
    return `{"contacts":[${shown.join(',')}],"more":${shown.length < all.length}}`
  }
}
