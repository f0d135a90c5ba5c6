/** Mention notes, stored beside the log, so that mentions are counted without reading messages. */
import { MENTION_ROOM } from '../../../schemas/message.js'
import type { Draft } from '../../store/changes.js'
import type { LogName } from '../../store/log-name.js'
import type { Note, NoteReader, NoteWrite } from '../../store/notes.js'

/** Notes per read. */
const PAGE = 1000

interface Mentions {
  /** Author of the message. */
  from: string
  of: readonly string[]
  /** Unix ms at which the message expires; 0: never. */
  until: number
}

/** The note of a new message; it is deleted with the message. */
export function mentionNote(of: readonly string[] | undefined, { from, extra }: Draft): NoteWrite[] {
  if (!of || of.length === 0) return []
  return [{ kind: 'mention', target: null, name: '', value: encode({ from, of, until: extra?.expiresAt ?? 0 }) }]
}

/** The change that an edit makes to the note of its target; `before`: the present note. */
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

/** A count with an upper bound of work. `partial`: not all was looked at, so there may be more. */
export interface BoundedCount {
  readonly count: number
  readonly partial: boolean
}

/**
 * Counts messages in a range in which others mention the user or the room, newest first, with an upper bound on the count and on the notes
 * read. `inThreads`: replies in threads only.
 */
export async function countMentions(
  notes: NoteReader,
  log: LogName,
  user: string,
  [first, last]: readonly [number, number],
  bounds: { readonly count: number; readonly scanned: number; readonly inThreads?: boolean },
): Promise<BoundedCount> {
  let count = 0
  for (let scanned = 0, before = last + 1; before > first && count < bounds.count; ) {
    if (scanned >= bounds.scanned) return { count, partial: true }
    const limit = Math.min(PAGE, bounds.scanned - scanned)
    const found = await notes.list(log, { kind: 'mention', targets: [first, before - 1], limit, reverse: true })
    const mentions = found.filter(({ value }) => isMentioned(user, value))
    count += bounds.inThreads ? await countReplies(notes, log, mentions) : mentions.length
    scanned += found.length
    before = found.length < limit ? 0 : found.at(-1)!.target
  }
  return { count: Math.min(count, bounds.count), partial: false }
}

async function countReplies(notes: NoteReader, log: LogName, about: readonly Note[]): Promise<number> {
  if (about.length === 0) return 0
  const seqs = about.map(({ target }) => target)
  return (await notes.getMany(log, 'inThread', seqs)).filter((thread) => thread !== null).length
}

/** Whether the note says that someone else mentions the user (names are case-insensitive) or the room. */
export function isMentioned(user: string, note: string): boolean {
  const { from, of, until } = JSON.parse(note) as Mentions
  if (from === user || (until !== 0 && until <= Date.now())) return false
  const name = `@${user}`.toLowerCase()
  return of.some((mention) => mention.toLowerCase() === MENTION_ROOM || mention.toLowerCase() === name)
}

function encode(mentions: Mentions): string {
  return JSON.stringify(mentions)
}
