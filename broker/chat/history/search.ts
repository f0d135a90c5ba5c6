/**
 * Full-text search. The index only gives candidates: messages are read from the log, as history does, and only from rooms that the actor is
 * a member of at that moment.
 */

import type { CommandParams } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { LogEntry } from '../../store/logs.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireUser } from '../model/actor.js'
import { countFitting, listedBytes } from '../model/paging.js'
import { hiddenFrom, logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { FoldedMessages } from './folded.js'

/** Bytes of the reply beside the messages. */
const ENVELOPE = 1024
/** Rounds per page: hits that turn out to be stale are replaced by further ones. */
const MAX_ROUNDS = 20

export interface TextQuery {
  readonly user: string
  readonly rooms: readonly string[]
  /** The query as the user wrote it. */
  readonly text: string
  readonly from: string | null
  /** Unix ms, both exclusive; null: no bound. */
  readonly after: number | null
  readonly before: number | null
  /** Only hits older than this one. */
  readonly below: number | null
  readonly limit: number
}

export interface TextHit {
  /** Ascending with time. */
  readonly id: number
  readonly room: string
  readonly seq: number
}

/** A full-text index of room messages. */
export interface TextSearch {
  /** Hits, newest first. `pending`: number of entries of these rooms that are not indexed yet. @throws Refusal for an invalid query. */
  find(query: TextQuery): Promise<{ hits: TextHit[]; pending: number }>
  /** Reports a hit whose message is not what the index says. */
  stale(room: string, seq: number): void
  /** Whether the entry is indexed. */
  indexed(room: string, seq: number): boolean
}

/** A hit whose message was read and may be seen by the user. */
interface VerifiedHit extends TextHit {
  readonly entry: LogEntry
  readonly member: MemberRecord
}

export interface MessageSearchDeps {
  readonly store: Store
  readonly rules: RoomRules
  /** Null: search is disabled. */
  readonly index: TextSearch | null
  readonly replyBytes: number
}

export class MessageSearch {
  readonly #deps: MessageSearchDeps

  constructor(deps: MessageSearchDeps) {
    this.#deps = deps
  }

  /** A page as JSON. */
  async page(actor: Actor, params: CommandParams<'search'>): Promise<string> {
    const { index } = this.#deps
    if (!index) throw new Refusal('not_implemented', 'this broker keeps no search index (search.enabled)')
    const user = requireUser(actor)
    const { query: text, limit = 20, cursor, from = null, after = null, before = null } = params
    const rooms = this.#rooms(actor, params.room)
    const query = { user, rooms, text, from, after, before }
    const verified: VerifiedHit[] = []
    let below = cursor === undefined ? null : readCursor(cursor)
    let pending = 0
    let ended = false
    // One more than the page shows tells whether there are more.
    for (let round = 0; !ended && verified.length <= limit && round < MAX_ROUNDS; round++) {
      const wanted = limit + 1 - verified.length
      const answer = await index.find({ ...query, below, limit: wanted })
      for (const hit of answer.hits) {
        const still = await this.#read(user, hit, query)
        if (still) verified.push(still)
        below = hit.id
      }
      pending = answer.pending
      ended = answer.hits.length < wanted
    }
    const shown = await this.#render(user, verified.slice(0, limit))
    const more = !ended || verified.length > shown.length
    // Possibly nothing is shown, and there is still more to search.
    const last = shown.at(-1)?.id ?? below
    return page(shown, more && last !== null ? last : null, pending)
  }

  #rooms(actor: Actor, room: string | undefined): string[] {
    const { store, rules } = this.#deps
    if (room === undefined) return [...store.directory.memberships(requireUser(actor)).keys()]
    const id = rules.resolve(actor, room)
    // Nobody has written in this conversation yet; history returns an empty page, too.
    if (isDirectRoom(id) && !store.directory.room(id)) return []
    return [rules.requireMember(actor, id).room]
  }

  /** Null: the message does not match, is gone, or must not be seen by the user. */
  async #read(
    user: string,
    hit: TextHit,
    { from, after, before }: Pick<TextQuery, 'from' | 'after' | 'before'>,
  ): Promise<VerifiedHit | null> {
    const { store, index } = this.#deps
    const member = store.directory.member(hit.room, user)
    if (!member || hit.seq <= hiddenFrom(member)) return null
    const [entry] = await store.log.read(logs.messages(hit.room), hit.seq - 1, 1, 1)
    if (entry?.seq !== hit.seq || entry.isChange) {
      index!.stale(hit.room, hit.seq)
      return null
    }
    const matches = (from === null || entry.from === from) && entry.ts > (after ?? 0) && entry.ts < (before ?? Infinity)
    return matches ? { ...hit, entry, member } : null
  }

  /** As many as fit, at least one; messages of rooms left meanwhile are omitted. */
  async #render(user: string, verified: readonly VerifiedHit[]): Promise<{ id: number; text: string }[]> {
    const { store, replyBytes } = this.#deps
    const texts = new Map<VerifiedHit, string>()
    for (const room of new Set(verified.map((one) => one.room))) {
      const there = verified.filter((one) => one.room === room)
      const folded = new FoldedMessages(store, logs.messages(room), user)
      const rendered = await folded.render(there.map(({ entry }) => entry))
      there.forEach((one, i) => void texts.set(one, rendered[i]!))
    }
    const allowed = verified.filter(({ room, member }) => store.directory.member(room, user)?.since === member.since)
    const deps = allowed.map((one) => ({ id: one.id, text: `{"message":${texts.get(one)}}` }))
    return deps.slice(
      0,
      countFitting(deps, ({ text }) => listedBytes(text), replyBytes - ENVELOPE),
    )
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
