/** Reactions to messages: one note per user and emoji, which names the entry of the reaction. */
import { Refusal } from '../../../schemas/errors.js'
import type { Note, NoteReader, NoteWrite } from '../../store/notes.js'
import { normalizeEmoji } from '../model/emoji.js'

/** Maximum number of different emoji of one user on one message. */
const MAX_EMOJI = 20
/** Notes per read. */
const PAGE = 500

/** The last entry by which a user added an emoji to a message, or removed it. */
export interface Reaction {
  readonly on: boolean
  readonly seq: number
}

/** A user's reaction with one emoji, with the notes of all its variants (old notes are not normalised). */
export interface UserReaction extends Reaction {
  readonly variants: readonly (Reaction & { readonly emoji: string })[]
}

export interface ReactionQuery {
  readonly emoji?: string | undefined
  /** Empty: from the first. */
  readonly after: string
  readonly limit: number
}

export interface ReactionPage {
  readonly reactions: { user: string; emoji: string[] }[]
  readonly more: boolean
}

export class Reactions {
  readonly #notes: NoteReader

  constructor(notes: NoteReader) {
    this.#notes = notes
  }

  /** The user's reactions by normalised emoji, in no particular order. */
  async of(log: string, target: number, user: string): Promise<Map<string, UserReaction>> {
    // User names contain no slash, and 0 is the character after it.
    const names = { gte: `${user}/`, lt: `${user}0` }
    const notes = await this.#notes.list(log, { kind: 'reaction', targets: [target, target], names, limit: MAX_EMOJI })
    const mine = new Map<string, UserReaction>()
    for (const note of notes) {
      const one = { emoji: note.name.slice(user.length + 1), ...readReaction(note) }
      const known = mine.get(normalizeEmoji(one.emoji))
      const { on, seq } = known?.on ? known : one
      mine.set(normalizeEmoji(one.emoji), { on, seq, variants: [...(known?.variants ?? []), one] })
    }
    return mine
  }

  /** Note changes for a reaction that is being appended; notes of other variants are deleted. */
  notesOf(target: number, user: string, emoji: string, on: boolean, before: UserReaction | undefined): NoteWrite[] {
    const old = before?.variants.filter((one) => one.emoji !== emoji) ?? []
    return [
      { kind: 'reaction', target, name: `${user}/${emoji}`, value: [`{"on":${on},"seq":`, '}'] },
      ...old.map((one): NoteWrite => ({ kind: 'reaction', target, name: `${user}/${one.emoji}`, value: null })),
    ]
  }

  /** Who reacted, in the order of the notes, from behind `after` (a user id) on. `emoji`: only with this one. */
  async page(log: string, target: number, { emoji, after, limit }: ReactionQuery): Promise<ReactionPage> {
    const wanted = emoji === undefined ? undefined : normalizeEmoji(emoji)
    const reactions: ReactionPage['reactions'] = []
    // User names contain no slash, and 0 is the character after it.
    for (let gte = after === '' ? '' : `${after}0`; ; ) {
      const names = { gte, lt: '\u{10ffff}' }
      const notes = await this.#notes.list(log, { kind: 'reaction', targets: [target, target], names, limit: PAGE })
      for (const note of notes) {
        const [user, used] = partsOf(note.name)
        if (!readReaction(note).on || (wanted !== undefined && used !== wanted)) continue
        const last = reactions.at(-1)
        if (last?.user !== user && reactions.length === limit) return { reactions, more: true }
        if (last?.user !== user) reactions.push({ user, emoji: [used] })
        else if (!last.emoji.includes(used)) last.emoji.push(used)
      }
      if (notes.length < PAGE) return { reactions, more: false }
      gte = `${notes.at(-1)!.name}\0`
    }
  }

  requireCapacity(mine: ReadonlyMap<string, Reaction>, emoji: string): void {
    if (mine.has(emoji) || mine.size < MAX_EMOJI) return
    throw new Refusal('conflict', `you reacted with ${MAX_EMOJI} emoji already`, { field: 'data' })
  }
}

/** User and normalised emoji. */
function partsOf(name: string): [user: string, emoji: string] {
  const end = name.indexOf('/')
  return [name.slice(0, end), normalizeEmoji(name.slice(end + 1))]
}

export function readReaction({ value }: Note): Reaction {
  return JSON.parse(value) as Reaction
}
