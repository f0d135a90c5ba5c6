/** Whom messages mention, noted beside the log so that mentions are counted without reading what was said. */
import { MENTION_ROOM } from '../../../schemas/message.js'
import type { Draft } from '../../store/changes.js'
import type { LogName } from '../../store/log-name.js'
import type { NoteReader, NoteWrite } from '../../store/notes.js'

/** Notes read at once. */
const PAGE = 1000

interface Mentions {
  /** Who wrote it. */
  from: string
  of: readonly string[]
  /** Unix ms from which the message is gone; 0: never. */
  until: number
}

/** The note of a message; it goes when the message is deleted. */
export function mentionNote(of: readonly string[] | undefined, { from, extra }: Draft): NoteWrite[] {
  if (!of || of.length === 0) return []
  return [{ kind: 'mention', target: null, name: '', value: encode({ from, of, until: extra?.expiresAt ?? 0 }) }]
}

/** What an edit makes of the note of its target, which had `before`. */
export function editedMentions(
  of: readonly string[] | undefined,
  target: { seq: number; from: string; until: number },
  before: string | null,
): NoteWrite[] {
  if (of && of.length > 0) {
    const { seq, from, until } = target
    return [{ kind: 'mention', target: seq, name: '', value: encode({ from, of, until }) }]
  }
  return before === null ? [] : [{ kind: 'mention', target: target.seq, name: '', value: null }]
}

/** `cut`: there may be more beyond what was looked at. */
export interface Counted {
  readonly count: number
  readonly cut: boolean
}

/** Messages from number `first` to `last` in which others mention the user, or the room: the newest, up to so many, among the newest that mention anyone. */
export async function countMentions(
  notes: NoteReader,
  log: LogName,
  user: string,
  [first, last]: readonly [number, number],
  most: { readonly counted: number; readonly lookedAt: number },
): Promise<Counted> {
  let count = 0
  for (let lookedAt = 0, before = last + 1; before > first && count < most.counted; ) {
    if (lookedAt >= most.lookedAt) return { count, cut: true }
    const limit = Math.min(PAGE, most.lookedAt - lookedAt)
    const found = await notes.list(log, { kind: 'mention', targets: [first, before - 1], limit, reverse: true })
    count += found.filter(({ value }) => isMentioned(user, value)).length
    lookedAt += found.length
    before = found.length < limit ? 0 : found.at(-1)!.target
  }
  return { count: Math.min(count, most.counted), cut: false }
}

/** Whether by this note someone else mentions the user, whose name is one whatever the case, or the room. */
export function isMentioned(user: string, note: string): boolean {
  const { from, of, until } = JSON.parse(note) as Mentions
  if (from === user || (until !== 0 && until <= Date.now())) return false
  const name = `@${user}`.toLowerCase()
  return of.some((mention) => mention.toLowerCase() === MENTION_ROOM || mention.toLowerCase() === name)
}

function encode(mentions: Mentions): string {
  return JSON.stringify(mentions)
}
