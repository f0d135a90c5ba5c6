/** Which entries of a room refer to a file: found by a note that is written with each of them. */
import type { MessageInput } from '../../../schemas/message.js'
import type { DirectoryStore } from '../../store/directory.js'
import { fileNumber } from '../../store/files.js'
import type { NoteWrite } from '../../store/notes.js'
import { seqOfName } from '../../store/notes.js'
import type { Store } from '../../store/store.js'
import { logs } from '../model/views.js'

/** Notes and rooms per read. */
const PAGE = 100
/** No name of a note that is a number is behind it. */
const LAST = '\u{10ffff}'

type Attached = Pick<MessageInput, 'attachments'> | null

const NONE: readonly string[] = []

/** Ids of the files that a message refers to, each once. */
export function filesOf(input: Attached): readonly string[] {
  if (!input?.attachments) return NONE
  return [...new Set(input.attachments.flatMap(({ file }) => file ?? []))]
}

export function hasFiles(input: Attached): boolean {
  return input?.attachments?.some(({ file }) => file !== undefined) === true
}

/** The notes of a new entry. They stay when it is deleted: what a note leads to is looked at. */
export function fileNotes(ids: readonly string[]): NoteWrite[] {
  return ids.map((id) => ({ kind: 'file', target: fileNumber(id), name: null, value: '' }))
}

/** Rooms that have, or had, a message which refers to the file. */
export async function* roomsOf({ files }: Pick<DirectoryStore, 'files'>, id: string): AsyncGenerator<string> {
  for (let after = ''; ; ) {
    const rooms = await files.roomsOf(id, after, PAGE)
    yield* rooms
    if (rooms.length < PAGE) return
    after = rooms.at(-1)!
  }
}

export interface Referring {
  readonly seq: number
  /** The entry is there, and refers to the file. */
  readonly present: boolean
}

/** The entries of a room that were noted, newest first; also those which are gone or have expired. */
export async function* referring(
  { log, notes }: Pick<Store, 'log' | 'notes'>,
  room: string,
  id: string,
): AsyncGenerator<Referring> {
  const name = logs.messages(room)
  const target = fileNumber(id)
  for (let lt = LAST; ; ) {
    const names = { gte: '', lt }
    const found = await notes.list(name, { kind: 'file', targets: [target, target], names, limit: PAGE, reverse: true })
    for (const note of found) {
      const seq = seqOfName(note.name)
      const [entry] = await log.read(name, seq - 1, 1, 1)
      yield { seq, present: entry?.seq === seq && refersTo(entry.payload, id) }
    }
    if (found.length < PAGE) return
    lt = found.at(-1)!.name
  }
}

/** An edit refers to files too: its content is read as that of a message is. */
function refersTo(payload: Buffer, id: string): boolean {
  if (!payload.includes(id)) return false
  return filesOf(JSON.parse(payload.toString('utf8')) as MessageInput).includes(id)
}
