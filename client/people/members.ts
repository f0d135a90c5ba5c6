/** The members of a room, page by page. */
import type { Item, RoomEvent } from '../engine/inbox.js'
import type { Link } from './link.js'
import { Pool } from './pool.js'
import type { Member, Members } from './port.js'
import { ENDS } from './receipts.js'
import type { Profiles } from './users.js'

/** Members of a page, with their profiles. */
const PAGE = 100
/** Members of one request without profiles: as many are still there after a lost connection. */
const MOST = 1000

/** By room. */
export class RoomMembers extends Pool<Members> {
  readonly #profiles: Pick<Profiles, 'know'>
  /** What came live since the last page was asked for. */
  #heard: { readonly room: string; readonly event: RoomEvent }[] = []
  /** The last page. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(link: Link, profiles: Pick<Profiles, 'know'>) {
    super(link, { list: [], count: null, more: true })
    this.#profiles = profiles
  }

  more(room: string): Promise<void> {
    return this.#inTurn(() => this.#ask(room, PAGE, this.get(room).current.list))
  }

  heard(item: Item): void {
    const known = 'room' in item && this.watched(item.room)?.current
    if (!known) return
    if (item.kind === 'info') {
      const count = this.link.replica.rooms.get(item.room)?.info.members ?? null
      if (count !== known.count) this.put(item.room, { ...known, count })
    } else if (item.kind === 'roomEvent') {
      const { type } = item.event
      if (type !== 'joined' && type !== 'role' && !ENDS.has(type)) return
      // Nothing that is kept grows.
      if (this.#heard.push(item) > MOST) this.want(item.room)
      this.#show(item.room, known, [item.event])
    }
  }

  protected override ask(room: string): Promise<void> {
    const { length } = this.get(room).current.list
    return this.#inTurn(() => this.#ask(room, Math.min(Math.max(length, PAGE), MOST), []))
  }

  #inTurn(act: () => Promise<void>): Promise<void> {
    const next = this.#last.then(act)
    this.#last = next.catch(() => {})
    return next
  }

  /** `before`: what comes before the page. */
  async #ask(room: string, limit: number, before: readonly Member[]): Promise<void> {
    this.#heard = []
    const page = await this.link.ask.rooms.members({
      room,
      after: before.at(-1)?.user ?? '',
      limit,
      profiles: limit <= PAGE,
    })
    this.#profiles.know(page.members.flatMap(({ profile }) => profile ?? []))
    const members = page.members.map(({ profile: _, ...member }) => member)
    const heard = this.#heard.filter((one) => one.room === room).map(({ event }) => event)
    this.#show(room, { ...page, list: [...before, ...members] }, heard)
  }

  /** `events`: what came after that. */
  #show(room: string, { list, count, more }: Members, events: readonly RoomEvent[]): void {
    const members = new Map(list.map((member) => [member.user, member]))
    const last = list.at(-1)?.user
    for (const { type, user = '', role = 'member', ts: since } of events) {
      const member = members.get(user)
      if (ENDS.has(type)) members.delete(user)
      else if (type === 'role' && member) members.set(user, { ...member, role })
      else if (type === 'joined' && !member && (!more || user < last!)) members.set(user, { user, role, since })
    }
    const known = new Map(this.get(room).current.list.map((member) => [member.user, member]))
    const shown = [...members.values()].sort((a, b) => (a.user < b.user ? -1 : 1))
    this.put(room, { list: shown.map((member) => same(known.get(member.user), member)), count, more })
  }
}

/** `before` if that is the same. */
function same(before: Member | undefined, now: Member): Member {
  return before?.role === now.role && before.since === now.since ? before : now
}
