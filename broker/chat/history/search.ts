/**
 * Finding messages by their words. The index only says where to look: what is answered is read from the log, as history reads it, and
 * only from rooms the asker is a member of at that moment.
 */
import type { CommandParams } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { LogEntry } from '../../store/logs.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireUser } from '../model/actor.js'
import { logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { FoldedMessages } from './folded.js'

/** Bytes of a result that is not messages. */
const ENVELOPE = 1024
/** Hits that turn out to be gone are followed by others; so often at most in one page. */
const MAX_ROUNDS = 20

export interface TextQuery {
  readonly user: string
  readonly rooms: readonly string[]
  /** As the user wrote it. */
  readonly text: string
  readonly from: string | null
  /** Unix ms, both exclusive; null: no bound. */
  readonly after: number | null
  readonly before: number | null
  /** Only what is older than this hit. */
  readonly below: number | null
  readonly limit: number
}

export interface TextHit {
  /** Higher is newer. */
  readonly id: number
  readonly room: string
  readonly seq: number
}

/** Where words are, among the messages of rooms. */
export interface TextSearch {
  /** Newest first. `pending`: how many entries of these rooms it has not read yet. Throws a refusal where the text is no query. */
  find(query: TextQuery): Promise<{ hits: TextHit[]; pending: number }>
  /** The message is not what the index says. */
  stale(room: string, seq: number): void
  /** Whether it has read this entry. */
  indexed(room: string, seq: number): boolean
}

interface Found extends TextHit {
  readonly entry: LogEntry
  readonly member: MemberRecord
}

export interface MessageSearchParts {
  readonly store: Store
  readonly rules: RoomRules
  /** Null: it is switched off. */
  readonly index: TextSearch | null
  readonly replyBytes: number
}

export class MessageSearch {
  readonly #parts: MessageSearchParts

  constructor(parts: MessageSearchParts) {
    this.#parts = parts
  }

  /** A page as JSON. */
  async page(actor: Actor, params: CommandParams<'search'>): Promise<string> {
    const { index } = this.#parts
    if (!index) throw new Refusal('not_implemented', 'this broker keeps no search index (search.enabled)')
    const user = requireUser(actor)
    const { query: text, limit = 20, cursor, from = null, after = null, before = null } = params
    const rooms = this.#rooms(actor, params.room)
    const query = { user, rooms, text, from, after, before }
    const found: Found[] = []
    let below = cursor === undefined ? null : readCursor(cursor)
    let pending = 0
    let ended = false
    // One more than is shown says whether there is more.
    for (let round = 0; !ended && found.length <= limit && round < MAX_ROUNDS; round++) {
      const wanted = limit + 1 - found.length
      const answer = await index.find({ ...query, below, limit: wanted })
      for (const hit of answer.hits) {
        const still = await this.#read(user, hit, query)
        if (still) found.push(still)
        below = hit.id
      }
      pending = answer.pending
      ended = answer.hits.length < wanted
    }
    const shown = await this.#render(user, found.slice(0, limit))
    const more = !ended || found.length > shown.length
    // Nothing shown, and yet more to look at.
    const last = shown.at(-1)?.id ?? below
    return page(shown, more && last !== null ? last : null, pending)
  }

  #rooms(actor: Actor, room: string | undefined): string[] {
    const { store, rules } = this.#parts
    if (room === undefined) return [...store.directory.memberships(requireUser(actor)).keys()]
    const id = rules.resolve(actor, room)
    // Nobody has written there yet; history says so, too.
    if (isDirectRoom(id) && !store.directory.room(id)) return []
    return [rules.requireMember(actor, id).room]
  }

  /** Null: it is nothing for the asker, or not there any more. */
  async #read(
    user: string,
    hit: TextHit,
    { from, after, before }: Pick<TextQuery, 'from' | 'after' | 'before'>,
  ): Promise<Found | null> {
    const { store, index } = this.#parts
    const member = store.directory.member(hit.room, user)
    // The past of a direct conversation belongs to who had the name then.
    if (!member || (isDirectRoom(hit.room) && hit.seq <= member.joined.messages)) return null
    const [entry] = await store.log.read(logs.messages(hit.room), hit.seq - 1, 1, 1)
    if (entry?.seq !== hit.seq || entry.aside) {
      index!.stale(hit.room, hit.seq)
      return null
    }
    const asked = (from === null || entry.from === from) && entry.ts > (after ?? 0) && entry.ts < (before ?? Infinity)
    return asked ? { ...hit, entry, member } : null
  }

  /** As many as fit, one always; none of a room that was left meanwhile. */
  async #render(user: string, found: readonly Found[]): Promise<{ id: number; text: string }[]> {
    const { store, replyBytes } = this.#parts
    const texts = new Map<Found, string>()
    for (const room of new Set(found.map((one) => one.room))) {
      const there = found.filter((one) => one.room === room)
      const folded = new FoldedMessages(store, logs.messages(room), user)
      const rendered = await folded.render(there.map(({ entry }) => entry))
      there.forEach((one, i) => void texts.set(one, rendered[i]!))
    }
    let bytes = 0
    const allowed = found.filter(({ room, member }) => store.directory.member(room, user)?.since === member.since)
    const parts = allowed.map((one) => ({ id: one.id, text: `{"message":${texts.get(one)}}` }))
    const over = parts.findIndex(
      ({ text }, i) => (bytes += Buffer.byteLength(text) + 1) > replyBytes - ENVELOPE && i > 0,
    )
    return over === -1 ? parts : parts.slice(0, over)
  }
}

function page(shown: readonly { text: string }[], last: number | null, pending: number): string {
  const cursor = last === null ? {} : { cursor: last.toString(36) }
  const rest = { more: last !== null, ...cursor, pending }
  return `{"results":[${shown.map(({ text }) => text).join(',')}],${JSON.stringify(rest).slice(1)}`
}

function readCursor(cursor: string): number {
  const id = /^[0-9a-z]{1,11}$/.test(cursor) ? Number.parseInt(cursor, 36) : Number.NaN
  if (Number.isSafeInteger(id)) return id
  throw new Refusal('bad_request', 'cursor is none that search has given', { field: 'cursor' })
}
