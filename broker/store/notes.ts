/** Notes: small values beside a log, each about one entry. */

import type { LogName } from './log-name.js'
import { numberOf, numberPart } from './tables.js'

/**
 * What a note holds: the summary of an entry's changes, a reaction, an edit, a reply in its thread, that it began a thread,
 * in which thread it is, that it is pinned, whom it mentions, the state of a notification; and that an entry refers to a file, whose
 * number is the target.
 */
export type NoteKind =
  | ('state' | 'reaction' | 'edit' | 'reply' | 'thread' | 'inThread' | 'pin' | 'mention' | 'notice')
  | 'file'

/** Each kind in the keys of an adapter. */
export const NOTE_LETTERS: Readonly<Record<NoteKind, string>> = {
  state: 's',
  reaction: 'r',
  edit: 'e',
  reply: 't',
  thread: 'b',
  inThread: 'i',
  pin: 'p',
  mention: 'm',
  notice: 'n',
  file: 'f',
}

/** Those that others are decided on; not those that come with a message by itself, such as mentions. */
export const GUARDED_NOTES: ReadonlySet<NoteKind> = new Set(['state', 'reaction', 'edit', 'pin', 'notice'])

/** A small value beside a log, keyed by the entry it is about and removed with it. */
export interface Note {
  readonly kind: NoteKind
  readonly target: number
  /** Distinguishes several notes of a kind; else empty. Notes sort by it. */
  readonly name: string
  readonly value: string
}

export interface NoteWrite extends Pick<Note, 'kind'> {
  /** Null: the entry that is being appended. */
  readonly target: number | null
  /** Null: the number assigned to the entry, in a sortable form. */
  readonly name: string | null
  /** A pair: the assigned number is inserted between. Null removes the note. */
  readonly value: string | readonly [string, string] | null
}

export interface NoteQuery {
  readonly kind: NoteKind
  /** First and last entry that the notes are about. */
  readonly targets: readonly [number, number]
  /** Names with `gte <= name < lt`; for a single target only. */
  readonly names?: { readonly gte: string; readonly lt: string }
  readonly limit: number
  readonly reverse?: boolean
}

export interface NoteReader {
  get(log: LogName, kind: NoteKind, target: number): Promise<string | null>
  /** In the order of the targets. */
  getMany(log: LogName, kind: NoteKind, targets: readonly number[]): Promise<(string | null)[]>
  /** Ordered by target and name. */
  list(log: LogName, query: NoteQuery): Promise<Note[]>
}

/** The name of a note that is named by an entry: names sort as the numbers do. */
export function noteName(seq: number): string {
  return numberPart(seq)
}

/** The entry that a note is named by. */
export function seqOfName(name: string): number {
  return numberOf(name)
}
