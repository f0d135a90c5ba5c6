import type { LogName } from '../../store/log-name.js'
import type { Note, NoteKind, NoteReader, NoteWrite } from '../../store/notes.js'
import { seqOfName } from '../../store/notes.js'
import { readReaction } from './reactions.js'
import { deletedReplyNotes } from './threads.js'

/** Notes per read. */
const PAGE = 1000

interface Deletion {
  readonly seqs: readonly number[]
  readonly notes: readonly NoteWrite[]
  /** Of a reply. */
  readonly thread?: number
}

/** What is deleted together with a message: its edits and reactions, and all notes about it. */
export async function deletionOf(reader: NoteReader, log: LogName, target: number): Promise<Deletion> {
  const seqs = [target]
  const notes: NoteWrite[] = [
    { kind: 'state', target, name: '', value: null },
    { kind: 'pin', target, name: '', value: null },
  ]
  if (await reader.get(log, 'mention', target)) notes.push({ kind: 'mention', target, name: '', value: null })
  const inThread = await reader.get(log, 'inThread', target)
  const thread = inThread === null ? {} : { thread: Number(inThread) }
  if (thread.thread !== undefined) notes.push(...deletedReplyNotes(thread.thread, target))
  const remove = ({ kind, name }: Note): unknown => notes.push({ kind, target, name, value: null })
  for await (const note of allNotes(reader, log, 'edit', target)) {
    seqs.push(seqOfName(note.name))
    remove(note)
  }
  for await (const note of allNotes(reader, log, 'reaction', target)) {
    seqs.push(readReaction(note).seq)
    remove(note)
  }
  return { seqs, notes, ...thread }
}

async function* allNotes(reader: NoteReader, log: LogName, kind: NoteKind, target: number): AsyncGenerator<Note> {
  for (let gte = ''; ; ) {
    const names = { gte, lt: '\u{10ffff}' }
    const page = await reader.list(log, { kind, targets: [target, target], names, limit: PAGE })
    yield* page
    if (page.length < PAGE) return
    gte = `${page[page.length - 1]!.name}\0`
  }
}
