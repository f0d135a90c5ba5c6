/** A client that knows its rooms by `sync` alone, to be compared with one that received everything live. */
import type { Person } from './people.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

/** A message, with what both clients can know of it. */
export interface Known {
  text?: string
  gone?: string
  edits?: number
  reactions?: Record<string, number>
  pinned?: boolean
  from?: string
  thread?: number
  mentions?: string[]
}

export interface KnownRoom {
  at: Json
  messages: Map<number, Known>
  counts: { read: number; unread: number; mentions: number }
  receipts: Map<string, number>
}

export interface Asked {
  limit?: number
  maxBytes?: number
  maxRooms?: number
  order?: 'room' | 'recent'
}

export class SyncedClient {
  readonly rooms = new Map<string, KnownRoom>()
  readonly #by: 'places' | 'token'
  epoch: string | undefined
  since: string | undefined
  pages = 0
  /** Events of the user that were told, in order. */
  events: Json[] = []
  /** Rooms that were told of, in order. */
  told: string[] = []

  /** @param by What it keeps: where it is in each room, or one token */
  constructor(by: 'places' | 'token' = 'places') {
    this.#by = by
  }

  async sync(person: Person, asked: Asked = {}): Promise<void> {
    this.events = []
    this.told = []
    const behind = await this.#sync(person, this.#known(), asked)
    // A commit took so long that the broker took its entries for known.
    if (Object.keys(behind).length > 0) await this.#sync(person, { ...this.#known(), rooms: behind }, asked)
  }

  #known(): object {
    if (this.#by === 'token') return this.since === undefined ? {} : { since: this.since }
    const rooms = Object.fromEntries([...this.rooms].map(([room, { at }]) => [room, at]))
    return this.epoch === undefined ? {} : { epoch: this.epoch, rooms }
  }

  /** Returns the places in rooms of which not all was told that is missing. */
  async #sync(person: Person, known: object, asked: Asked): Promise<Record<string, Json>> {
    const behind: Record<string, Json> = {}
    for (let cursor: string | undefined, more = true; more; ) {
      const page = await person.get('sync', { ...known, ...asked, ...(cursor === undefined ? {} : { cursor }) })
      this.pages++
      if (page.reset) this.rooms.clear()
      for (const room of page.left) this.rooms.delete(room)
      for (const room of page.rooms) {
        const place = this.rooms.get(room.room)?.at ?? { seq: 0 }
        this.told.push(room.room)
        if (!room.reset && room.since > place.seq) behind[room.room] = place
        else await this.#apply(person, room)
      }
      this.events.push(...page.me.events)
      ;({ cursor, more } = page)
      if (!more) {
        this.epoch = page.epoch
        this.since = page.since
      }
    }
    return behind
  }

  async #apply(person: Person, news: Json): Promise<void> {
    const { room, at, reset, messages, changed, more, before, tail, read, unread, mentions } = news
    const known = reset ? undefined : this.rooms.get(room)
    const mine: KnownRoom = known ?? {
      at,
      messages: new Map(),
      counts: { read: 0, unread: 0, mentions: 0 },
      receipts: new Map(),
    }
    const since = known?.at.seq ?? 0
    for (const message of [...messages, ...changed]) mine.messages.set(message.seq, knownOf(message))
    if (more)
      for (const message of await olderMessages(person, room, before, since))
        mine.messages.set(message.seq, knownOf(message))
    for (const seq of mine.messages.keys()) if (seq < tail) mine.messages.delete(seq)
    for (const receipt of news.receipts ?? []) mine.receipts.set(receipt.user, receipt.read)
    this.rooms.set(room, Object.assign(mine, { at, counts: { read, unread, mentions } }))
  }
}

async function olderMessages(person: Person, room: string, first: number, since: number): Promise<Json[]> {
  const found: Json[] = []
  for (let before: number | undefined = first; before !== undefined && before > since + 1; ) {
    const page: Json = await person.get('history', { room, view: 'folded', before, limit: 50 })
    found.push(...page.messages.filter(({ seq }: Json) => seq > since))
    before = page.before
  }
  return found
}

function knownOf({ text, gone, edits, reactions = [], pinned, from, thread, mentions }: Json): Known {
  if (gone) return { gone }
  const counted = Object.fromEntries(reactions.map(({ emoji, count }: Json) => [emoji, count]))
  return {
    text,
    edits: edits ?? 0,
    reactions: counted,
    pinned: pinned !== undefined,
    from,
    ...(thread === undefined ? {} : { thread }),
    mentions: mentions ?? [],
  }
}

/** The folded messages of a room, from its raw messages. */
export function foldMessages(heard: readonly Json[]): Map<number, Known> {
  const messages = new Map<number, Known>()
  const reacted = new Map<string, boolean>()
  for (const { seq, type, target, from, text, data, thread, mentions } of heard) {
    const about = messages.get(target)
    if (type === 'text') messages.set(seq, knownOf({ text, from, thread, mentions }))
    else if (type === 'delete') messages.set(target, { gone: 'deleted' })
    else if (!about || about.gone) throw new Error(`${type} of ${target}, which is not there`)
    else if (type === 'edit') Object.assign(about, { text, mentions: mentions ?? [], edits: about.edits! + 1 })
    else if (type === 'pin' || type === 'unpin') about.pinned = type === 'pin'
    else {
      const { emoji, remove = false } = data
      const id = `${target} ${from} ${emoji}`
      if ((reacted.get(id) ?? false) !== remove) continue
      reacted.set(id, !remove)
      const count = (about.reactions![emoji] ?? 0) + (remove ? -1 : 1)
      if (count > 0) about.reactions![emoji] = count
      else delete about.reactions![emoji]
    }
  }
  return messages
}

/** Unread and mention counts of a user who has read up to `read`. */
export function countUnread(messages: ReadonlyMap<number, Known>, user: string, read: number) {
  const others = [...messages].filter(([seq, { gone, from }]) => seq > read && !gone && from !== user)
  const unread = others.filter(([, { thread }]) => thread === undefined).length
  const mine = [`@${user}`, '@room']
  const mentions = others.filter(([, message]) => message.mentions!.some((each) => mine.includes(each))).length
  return { read, unread: Math.min(unread, 100), mentions: Math.min(mentions, 100) }
}
