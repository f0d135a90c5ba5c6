/** The state note of a message: its edits and reactions in one small record, so that history need not read these entries. */

import { normalizeEmoji } from '../model/emoji.js'

export interface MessageState {
  edits: number
  /** Seq of the last edit; 0: none. */
  edited: number
  /** Unix ms. */
  editedAt: number
  editedBy: string
  /** Emoji and the number of users who reacted with it (at least 1), in order of first use. */
  reactions: [string, number][]
}

const EMPTY_STATE: MessageState = { edits: 0, edited: 0, editedAt: 0, editedBy: '', reactions: [] }

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

/** The note's value. `edit`: whether the last edit is the one known before, or the entry that is being appended. */
export function encodeState(
  { edited, ...state }: MessageState,
  edit: 'as before' | 'this one',
): string | [string, string] {
  const rest = JSON.stringify(state).slice(0, -1)
  return edit === 'this one' ? [`${rest},"edited":`, '}'] : `${rest},"edited":${edited}}`
}

/** Changes the count of one emoji. */
export function countReaction(state: MessageState, emoji: string, change: number): MessageState {
  const known = state.reactions.some(([other]) => other === emoji)
  const reactions: MessageState['reactions'] = known ? state.reactions : [...state.reactions, [emoji, 0]]
  const counted = reactions.map(([other, count]): [string, number] => [other, other === emoji ? count + change : count])
  return { ...state, reactions: counted.filter(([, count]) => count > 0) }
}
