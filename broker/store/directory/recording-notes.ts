/** Notes, with what is read of them as guards. */
import type { LogName } from '../log-name.js'
import type { Note, NoteKind, NoteQuery, NoteReader } from '../notes.js'
import type { Reads } from './reads.js'

export class RecordingNotes implements NoteReader {
  readonly #notes: NoteReader
  readonly #reads: Reads

  constructor(notes: NoteReader, reads: Reads) {
    this.#notes = notes
    this.#reads = reads
  }

  get(log: LogName, kind: NoteKind, target: number): Promise<string | null> {
    this.#reads.notes(log, target)
    return this.#notes.get(log, kind, target)
  }

  getMany(log: LogName, kind: NoteKind, targets: readonly number[]): Promise<(string | null)[]> {
    for (const target of targets) this.#reads.notes(log, target)
    return this.#notes.getMany(log, kind, targets)
  }

  list(log: LogName, query: NoteQuery): Promise<Note[]> {
    const [first, last] = query.targets
    if (first === last) this.#reads.notes(log, first)
    else this.#reads.allNotes(log)
    return this.#notes.list(log, query)
  }
}
