/** What has become of a message by its changes, in one small note: what a page of history needs without reading them all. */

export interface State {
  edits: number
  /** Number of the last edit; 0: none. */
  edited: number
  /** Unix ms. */
  editedAt: number
  editedBy: string
}

const NEW: State = { edits: 0, edited: 0, editedAt: 0, editedBy: '' }

export function readState(note: string | null): State {
  return note === null ? { ...NEW } : { ...NEW, ...JSON.parse(note) }
}

/** As a note; `edit` says whether the last edit is the one of before, or the entry that is being appended. */
export function encodeState({ edited, ...state }: State, edit: 'as before' | 'this one'): string | [string, string] {
  const rest = JSON.stringify(state).slice(0, -1)
  return edit === 'this one' ? [`${rest},"edited":`, '}'] : `${rest},"edited":${edited}}`
}
