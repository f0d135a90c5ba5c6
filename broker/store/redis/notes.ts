/** Notes on log entries: a hash for each life of a log, and an index in the order of its fields. */
import type { LogName } from '../log-name.js'
import { NOTE_LETTERS, type Note, type NoteKind, type NoteQuery, type NoteReader } from '../notes.js'
import { numberPart } from '../tables.js'
import type { Keys } from './keys.js'
import type { Reader } from './reader.js'

const NUMBER_WIDTH = numberPart(0).length

/** Which life a log is in. */
type LifeOf = (log: LogName) => number | Promise<number>

export class RedisNotes implements NoteReader {
  readonly #reader: Reader
  readonly #keys: Keys
  readonly #lifeOf: LifeOf

  constructor(reader: Reader, keys: Keys, lifeOf: LifeOf) {
    this.#reader = reader
    this.#keys = keys
    this.#lifeOf = lifeOf
  }

  async get(log: LogName, kind: NoteKind, target: number): Promise<string | null> {
    return (await this.getMany(log, kind, [target]))[0]!
  }

  async getMany(log: LogName, kind: NoteKind, targets: readonly number[]): Promise<(string | null)[]> {
    if (targets.length === 0) return []
    const fields = targets.map((target) => fieldOf(kind, target, ''))
    const values = await this.#reader.hashFields(this.#keys.notes(log, await this.#lifeOf(log)), fields)
    return values.map((value) => value?.toString() ?? null)
  }

  async list(log: LogName, { kind, targets, names, limit, reverse = false }: NoteQuery): Promise<Note[]> {
    const [from, to] = targets
    const life = await this.#lifeOf(log)
    const [first, last] = names
      ? [fieldOf(kind, from, names.gte), fieldOf(kind, from, names.lt)]
      : [fieldOf(kind, from, ''), fieldOf(kind, to + 1, '')]
    const range = { gte: first, lt: last, limit, reverse }
    const fields = await this.#reader.sorted(this.#keys.noteIndex(log, life), range)
    const values = await this.#reader.hashFields(this.#keys.notes(log, life), fields)
    const notes: Note[] = []
    // One may have been removed in between.
    for (const [i, field] of fields.entries())
      if (values[i]) notes.push({ kind, ...targetOf(field), value: values[i].toString() })
    return notes
  }
}

function fieldOf(kind: NoteKind, target: number, name: string): string {
  return noteField(NOTE_LETTERS[kind], target, name)
}

/** @param letter Of the kind (NOTE_LETTERS) */
export function noteField(letter: string, target: number, name: string): string {
  return letter + numberPart(target) + name
}

export function targetOf(field: string): Pick<Note, 'target' | 'name'> {
  return { target: Number.parseInt(field.slice(1, 1 + NUMBER_WIDTH), 36), name: field.slice(1 + NUMBER_WIDTH) }
}
