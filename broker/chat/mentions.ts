/** Whom messages mention, noted beside the log so that mentions are counted without reading what was said. */
import { MENTION_ROOM } from '../../schemas/message.js'
import type { Draft, LogName, NoteReader, NoteWrite } from '../store/store.js'

/** Notes looked at for one count. */
const MOST_LOOKED_AT = 1000

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

/** Messages from number `first` to `last` in which others mention the user, or the room. */
export async function countMentions(
  notes: NoteReader,
  log: LogName,
  user: string,
  [first, last]: readonly [number, number],
): Promise<number> {
  const found = await notes.list(log, { kind: 'mention', targets: [first, last], limit: MOST_LOOKED_AT, reverse: true })
  return found.filter(({ value }) => isMentioned(user, value)).length
}

/** Whether by this note someone else mentions the user, or the room. */
export function isMentioned(user: string, note: string): boolean {
  const { from, of, until } = JSON.parse(note) as Mentions
  return from !== user && (until === 0 || until > Date.now()) && (of.includes(`@${user}`) || of.includes(MENTION_ROOM))
}

function encode(mentions: Mentions): string {
  return JSON.stringify(mentions)
}
