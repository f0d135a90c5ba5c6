/** What has become of a message by its changes, in one small note: what a page of history needs without reading them all. */

import { normalizeEmoji } from '../model/emoji.js'

export interface State {
  edits: number
  /** Number of the last edit; 0: none. */
  edited: number
  /** Unix ms. */
  editedAt: number
  editedBy: string
  /** Emoji with how many people put it there, in the order of the first; each is there at least once. */
  reactions: [string, number][]
}

const NEW: State = { edits: 0, edited: 0, editedAt: 0, editedBy: '', reactions: [] }

export function readState(note: string | null): State {
  if (note === null) return { ...NEW }
  const state = { ...NEW, ...JSON.parse(note) } as State
  return { ...state, reactions: together(state.reactions) }
}

/** One emoji once: those noted before may be there in more than one spelling. */
function together(reactions: State['reactions']): State['reactions'] {
  const counts = new Map<string, number>()
  for (const [emoji, count] of reactions)
    counts.set(normalizeEmoji(emoji), (counts.get(normalizeEmoji(emoji)) ?? 0) + count)
  return [...counts]
}

/** As a note; `edit` says whether the last edit is the one of before, or the entry that is being appended. */
export function encodeState({ edited, ...state }: State, edit: 'as before' | 'this one'): string | [string, string] {
  const rest = JSON.stringify(state).slice(0, -1)
  return edit === 'this one' ? [`${rest},"edited":`, '}'] : `${rest},"edited":${edited}}`
}

/** With so many more, or less, who reacted so. */
export function countReaction(state: State, emoji: string, change: number): State {
  const known = state.reactions.some(([other]) => other === emoji)
  const reactions: State['reactions'] = known ? state.reactions : [...state.reactions, [emoji, 0]]
  const counted = reactions.map(([other, count]): [string, number] => [other, other === emoji ? count + change : count])
  return { ...state, reactions: counted.filter(([, count]) => count > 0) }
}
