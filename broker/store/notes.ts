/** Notes: small values beside a log, each about one entry. */
import type { LogName } from './log-name.js'
import type { Op } from './op.js'

/** What is kept about an entry: a summary of its changes, who reacted, its edits, the replies in its thread, that it is pinned, whom it mentions, what became of a notification. */
export type NoteKind = 'state' | 'reaction' | 'edit' | 'reply' | 'pin' | 'mention' | 'notice'

/** A small value beside a log, found by the entry it is about; goes with that entry. */
export interface Note {
  readonly kind: NoteKind
  readonly target: number
  /** Of several of a kind; else empty. Notes sort by it. */
  readonly name: string
  readonly value: string
}

export interface NoteWrite extends Pick<Note, 'kind'> {
  /** Null: the entry itself. */
  readonly target: number | null
  /** Null: the number the entry gets, in a form that sorts. */
  readonly name: string | null
  /** Two parts: with the number the entry gets in between. Null removes the note. */
  readonly value: string | readonly [string, string] | null
}

export interface NoteQuery {
  readonly kind: NoteKind
  /** The first and the last entry the notes are about. */
  readonly targets: readonly [number, number]
  /** Names from `gte` on and before `lt`; of one target only. */
  readonly names?: { readonly gte: string; readonly lt: string }
  readonly limit: number
  readonly reverse?: boolean
}

export interface NoteReader {
  get(log: LogName, kind: NoteKind, target: number): Promise<string | null>
  /** In the order of the targets. */
  getMany(log: LogName, kind: NoteKind, targets: readonly number[]): Promise<(string | null)[]>
  /** In order of target and name. */
  list(log: LogName, query: NoteQuery): Promise<Note[]>
  /** Writes a note on its own, not as the effect of an entry. */
  putOp(log: LogName, note: Note): Op
  /** The name of a note that is named by a number. */
  nameOf(seq: number): string
  numberOf(name: string): number
}
