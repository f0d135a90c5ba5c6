/** Who reacted to a message with what: one note per user and emoji, which names the entry that tells of it. */
import { Refusal } from '../../../schemas/errors.js'
import type { Note, NoteReader, NoteWrite } from '../../store/notes.js'
import { normalizeEmoji } from '../model/emoji.js'

/** Different emoji of one user on one message. */
const MAX_EMOJI = 20

/** The last entry by which a user put an emoji on a message, or took it off. */
export interface Reaction {
  readonly on: boolean
  readonly seq: number
}

/** What one user did with one emoji: with each way of spelling it where it was taken before those were one. */
export interface Reacted extends Reaction {
  readonly spellings: readonly (Reaction & { readonly emoji: string })[]
}

export class Reactions {
  readonly #notes: NoteReader

  constructor(notes: NoteReader) {
    this.#notes = notes
  }

  /** By emoji, as it is spelled now, in no order. */
  async of(log: string, target: number, user: string): Promise<Map<string, Reacted>> {
    // Ids of users hold no slash; 0 is the character after it.
    const names = { gte: `${user}/`, lt: `${user}0` }
    const notes = await this.#notes.list(log, { kind: 'reaction', targets: [target, target], names, limit: MAX_EMOJI })
    const mine = new Map<string, Reacted>()
    for (const note of notes) {
      const one = { emoji: note.name.slice(user.length + 1), ...readReaction(note) }
      const known = mine.get(normalizeEmoji(one.emoji))
      const { on, seq } = known?.on ? known : one
      mine.set(normalizeEmoji(one.emoji), { on, seq, spellings: [...(known?.spellings ?? []), one] })
    }
    return mine
  }

  /** That the entry to be appended puts the emoji on, or takes it off, however it was spelled before. */
  notesOf(target: number, user: string, emoji: string, on: boolean, before: Reacted | undefined): NoteWrite[] {
    const old = before?.spellings.filter((one) => one.emoji !== emoji) ?? []
    return [
      { kind: 'reaction', target, name: `${user}/${emoji}`, value: [`{"on":${on},"seq":`, '}'] },
      ...old.map((one): NoteWrite => ({ kind: 'reaction', target, name: `${user}/${one.emoji}`, value: null })),
    ]
  }

  requireRoom(mine: ReadonlyMap<string, Reaction>, emoji: string): void {
    if (mine.has(emoji) || mine.size < MAX_EMOJI) return
    throw new Refusal('conflict', `you reacted with ${MAX_EMOJI} emoji already`, { field: 'data' })
  }
}

export function readReaction({ value }: Note): Reaction {
  return JSON.parse(value) as Reaction
}
