/** Who reacted to a message with what: one note per user and emoji, which names the entry that tells of it. */
import { Refusal } from '../../schemas/errors.js'
import type { Note, NoteReader, NoteWrite } from '../store/store.js'

/** Different emoji of one user on one message. */
const MAX_EMOJI = 20

/** The last entry by which a user put an emoji on a message, or took it off. */
export interface Reaction {
  readonly on: boolean
  readonly seq: number
}

export class Reactions {
  readonly #notes: NoteReader

  constructor(notes: NoteReader) {
    this.#notes = notes
  }

  /** By emoji, in no order. */
  async of(log: string, target: number, user: string): Promise<Map<string, Reaction>> {
    // Ids of users hold no slash; 0 is the character after it.
    const names = { gte: `${user}/`, lt: `${user}0` }
    const notes = await this.#notes.list(log, { kind: 'reaction', targets: [target, target], names, limit: MAX_EMOJI })
    return new Map(notes.map((note) => [note.name.slice(user.length + 1), readReaction(note)]))
  }

  /** That the entry to be appended puts the emoji on, or takes it off. */
  note(target: number, user: string, emoji: string, on: boolean): NoteWrite {
    return { kind: 'reaction', target, name: `${user}/${emoji}`, value: [`{"on":${on},"seq":`, '}'] }
  }

  requireRoom(mine: ReadonlyMap<string, Reaction>, emoji: string): void {
    if (mine.has(emoji) || mine.size < MAX_EMOJI) return
    throw new Refusal('conflict', `you reacted with ${MAX_EMOJI} emoji already`, { field: 'data' })
  }
}

export function readReaction({ value }: Note): Reaction {
  return JSON.parse(value) as Reaction
}
