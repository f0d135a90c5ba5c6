/** Notes on log entries: written in the commit of the entry that causes them, keyed by the entry they are about. */

import type { LogName } from '../log-name.js'
import {
  NOTE_LETTERS,
  type Note,
  type NoteKind,
  type NoteQuery,
  type NoteReader,
  type NoteWrite,
  noteName,
} from '../notes.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import type { WriteBatch } from './operation.js'

export class LevelNotes implements NoteReader {
  readonly #database: Database
  /** What is on disk of a dropped log may not be read any more. */
  readonly #isDropped: (log: LogName) => boolean

  constructor(database: Database, isDropped: (log: LogName) => boolean) {
    this.#database = database
    this.#isDropped = isDropped
  }

  async get(log: LogName, kind: NoteKind, target: number): Promise<string | null> {
    return (await this.getMany(log, kind, [target]))[0]!
  }

  async getMany(log: LogName, kind: NoteKind, targets: readonly number[]): Promise<(string | null)[]> {
    if (this.#isDropped(log)) return targets.map(() => null)
    const values = await this.#database.getMany(targets.map((target) => keys.note(log, NOTE_LETTERS[kind], target, '')))
    return values.map((value) => value?.toString() ?? null)
  }

  async list(log: LogName, { kind, targets, names, limit, reverse = false }: NoteQuery): Promise<Note[]> {
    if (this.#isDropped(log)) return []
    const letter = NOTE_LETTERS[kind]
    const [from, to] = targets
    const range = names
      ? { gte: keys.note(log, letter, from, names.gte), lt: keys.note(log, letter, from, names.lt) }
      : ranges.notes(log, letter, from, to)
    const found = await this.#database.some(range, limit, reverse)
    return found.map(([key, value]) => ({ kind, ...keys.noteOf(log, key), value: value.toString() }))
  }

  /** Adds the notes caused by entry `seq` to a batch. */
  stage(batch: WriteBatch, log: LogName, seq: number, writes: readonly NoteWrite[]): void {
    for (const { kind, target, name, value } of writes) {
      const key = keys.note(log, NOTE_LETTERS[kind], target ?? seq, name ?? noteName(seq))
      if (value === null) batch.del(key)
      else batch.put(key, typeof value === 'string' ? value : value[0] + seq + value[1])
    }
  }

  /** Deletes all notes about entries `from` to `to`. */
  async forget(log: LogName, from: number, to: number): Promise<void> {
    for (const letter of Object.values(NOTE_LETTERS)) await this.#database.clear(ranges.notes(log, letter, from, to))
  }
}
