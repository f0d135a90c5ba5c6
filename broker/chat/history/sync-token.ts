/**
 * What a client keeps between two calls of `sync`, and between its pages: where in the store it was, never what it knows of each room, so that it is as
 * small for thousands of rooms as for one. It is not signed: it only says what its own user need not be told again.
 */
import { createHash } from 'node:crypto'
import { Refusal } from '../../../schemas/errors.js'

const RADIX = 36
const DIGEST = /^[0-9a-f]{12}$/
const NUMBER = /^[0-9a-z]{1,11}$/

/** What was true when a client was brought up to date. */
export interface SyncPoint {
  /** Digest of user and epoch: a token of others, or of a store that was restored since, is void. */
  readonly of: string
  /** All commits up to this one are covered. */
  readonly commit: number
  /** Unix ms, by the clock of the node that answered: for what has a time and no commit, such as receipts. */
  readonly ts: number
  /** The last event of the user that is covered, and the incarnation of that log. */
  readonly events: number
  readonly incarnation: number
  /** Digests of the user's invitations and contacts. */
  readonly invitations: string
  readonly contacts: string
}

/** Where the next page begins. */
export interface SyncCursor {
  /** When the first page was made: what the whole answer covers. */
  readonly start: SyncPoint
  /** The token was void at the first page. */
  readonly reset: boolean
  /** The last event of the user that was given. */
  readonly events: number
  /** The last room that was given, as it was sorted; null: none. */
  readonly room: SyncKey | null
}

/** Rooms are sorted by rank, highest first, then by id. */
export interface SyncKey {
  readonly rank: number
  readonly room: string
}

export function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)
}

export function encodePoint({ of, commit, ts, events, incarnation, invitations, contacts }: SyncPoint): string {
  const numbers = [commit, ts, events, incarnation].map((number) => number.toString(RADIX))
  return [of, ...numbers, invitations, contacts].join('.')
}

/** @throws Refusal if `sync` made no such text */
export function decodePoint(text: string, field: string): SyncPoint {
  const parts = text.split('.')
  const [of, commit, ts, events, incarnation, invitations, contacts] = parts as [string, ...string[]]
  const digests = [of, invitations, contacts]
  const numbers = [commit, ts, events, incarnation]
  const isOne =
    parts.length === 7 && digests.every((part) => DIGEST.test(part!)) && numbers.every((part) => NUMBER.test(part!))
  if (!isOne) throw new Refusal('bad_request', 'sync gave no such token; leave it out to begin anew', { field })
  const [commitAt, tsAt, eventsAt, incarnationAt] = numbers.map((part) => Number.parseInt(part!, RADIX))
  return {
    ...{ of, commit: commitAt!, ts: tsAt!, events: eventsAt!, incarnation: incarnationAt! },
    ...{ invitations: invitations!, contacts: contacts! },
  }
}

/** Where a list of rooms goes on, and the last commit when it began. */
export interface ListPlace {
  readonly commit: number
  readonly key: SyncKey | null
}

export function encodeKey({ commit, key }: ListPlace): string {
  return [commit.toString(RADIX), encodeRoom(key)].join('~')
}

/** @throws Refusal if no list gave such a text */
export function decodeKey(text: string, field: string): ListPlace {
  const [commit, rank, ...room] = text.split('~')
  if (!NUMBER.test(commit ?? '') || !NUMBER.test(rank ?? ''))
    throw new Refusal('bad_request', 'it is the after of the previous page in this order', { field })
  return { commit: Number.parseInt(commit!, RADIX), key: decodeRoom(rank!, room) }
}

function encodeRoom(key: SyncKey | null): string {
  return key ? `${key.rank.toString(RADIX)}~${key.room}` : ''
}

function decodeRoom(rank: string, room: readonly string[]): SyncKey | null {
  return rank === '' ? null : { rank: Number.parseInt(rank, RADIX), room: room.join('~') }
}

export function encodeCursor({ start, reset, events, room }: SyncCursor): string {
  return [encodePoint(start), reset ? 'r' : 'g', events.toString(RADIX), encodeRoom(room)].join('~')
}

/** @throws Refusal if `sync` made no such text */
export function decodeCursor(text: string): SyncCursor {
  const [point, reset, events, rank, ...room] = text.split('~')
  const isOne = /^[gr]$/.test(reset ?? '') && NUMBER.test(events ?? '') && (rank === '' || NUMBER.test(rank ?? ''))
  if (!isOne) throw new Refusal('bad_request', 'sync gave no such cursor; begin without one', { field: 'cursor' })
  return {
    start: decodePoint(point!, 'cursor'),
    reset: reset === 'r',
    events: Number.parseInt(events!, RADIX),
    room: decodeRoom(rank!, room),
  }
}
