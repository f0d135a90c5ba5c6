/** The state note of a message: its edits and reactions in one small record, so that history need not read these entries. */

import { normalizeEmoji } from '../model/emoji.js'

export interface MessageState {
  edits: number
  /** Seq of the last edit; 0: none. */
  edited: number
  /** Unix ms. */
  editedAt: number
  editedBy: string
  /** Seq of the last reaction, or of the last that was taken back; 0: none, or it was before this was kept. */
  reacted: number
  /** Emoji and the number of users who reacted with it (at least 1), in order of first use. */
  reactions: [string, number][]
}

const EMPTY_STATE: MessageState = { edits: 0, edited: 0, editedAt: 0, editedBy: '', reacted: 0, reactions: [] }

export function readState(note: string | null): MessageState {
  if (note === null) return { ...EMPTY_STATE }
  const state = { ...EMPTY_STATE, ...JSON.parse(note) } as MessageState
  return { ...state, reactions: mergeVariants(state.reactions) }
}

/** Merges variants of one emoji that older notes counted apart. */
function mergeVariants(reactions: MessageState['reactions']): MessageState['reactions'] {
  const counts = new Map<string, number>()
  for (const [emoji, count] of reactions)
    counts.set(normalizeEmoji(emoji), (counts.get(normalizeEmoji(emoji)) ?? 0) + count)
  return [...counts]
}

/** The note's value. `change`: what the entry that is being appended is, whose seq is written; null: there is none. */
export function encodeState(state: MessageState, change: 'edited' | 'reacted' | null): string | [string, string] {
  if (change === null) return JSON.stringify(state)
  const { [change]: _, ...rest } = state
  return [`${JSON.stringify(rest).slice(0, -1)},"${change}":`, '}']
}

/** Changes the count of one emoji. */
export function countReaction(state: MessageState, emoji: string, change: number): MessageState {
  const known = state.reactions.some(([other]) => other === emoji)
  const reactions: MessageState['reactions'] = known ? state.reactions : [...state.reactions, [emoji, 0]]
  const counted = reactions.map(([other, count]): [string, number] => [other, other === emoji ? count + change : count])
  return { ...state, reactions: counted.filter(([, count]) => count > 0) }
}
