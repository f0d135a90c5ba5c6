import type { Gone } from './logs.js'
import type { NoteWrite } from './notes.js'

/** What changes about entries of a log, beside what is appended. */
export interface Effect {
  readonly notes?: readonly NoteWrite[]
  /** Entries whose payload is removed. */
  readonly erase?: { readonly seqs: readonly number[]; readonly gone: Gone }
}
