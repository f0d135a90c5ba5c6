/**
 * Erases what a deleted user wrote in a room, and the name. Messages are deleted by an entry of the broker, so that clients learn of it.
 * Reactions, changes and traces of earlier deletions are erased without any entry.
 */

import { SYSTEM } from '../../../schemas/ids.js'
import type { MessageOutput, ReactionData } from '../../../schemas/message.js'
import { body } from '../../store/body.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { Effect } from '../../store/effect.js'
import type { LogName } from '../../store/log-name.js'
import type { Gone, LogEntry } from '../../store/logs.js'
import type { NoteReader, NoteWrite } from '../../store/notes.js'
import { noteName } from '../../store/notes.js'
import { effectOp } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { uuid7 } from '../../util/uuid7.js'
import { fileNotes, filesOf } from '../files/file-references.js'
import { deletionOf } from '../history/deletion.js'
import { countReaction, encodeState, readState } from '../history/message-state.js'
import { Reactions } from '../history/reactions.js'
import { threadOfGone } from '../history/threads.js'
import { isForwardOf } from '../messages/forwarding.js'
import { normalizeEmoji } from '../model/emoji.js'
import { logs } from '../model/views.js'

/** Entries and bytes per step. */
const PAGE = 100
const PAGE_BYTES = 1024 * 1024

export interface RoomErasureDeps {
  readonly store: Store
  /** Whether the search index has read an entry, or search is off. */
  readonly indexed: (room: string, seq: number) => boolean
}

/** An entry that changes another. */
type Change = MessageOutput & { readonly target: number }

type Erasure = Omit<Decision<undefined>, 'value'>

/** Position after a page; null: the end of the log. `erased`: something was erased. */
export interface ErasedPage {
  readonly next: number | null
  readonly erased: boolean
}

/** A room between its creation and its deletion: what is erased in it must not be written to the next room of that name. */
interface RoomLife {
  readonly room: string
  readonly createdAt: number
}

export class RoomErasure {
  readonly #store: Store
  readonly #indexed: RoomErasureDeps['indexed']

  constructor({ store, indexed }: RoomErasureDeps) {
    this.#store = store
    this.#indexed = indexed
  }

  /** Erases one page of a room's messages. */
  messages(user: string, room: string, after: number): Promise<ErasedPage> {
    const log = logs.messages(room)
    return this.#page(room, log, after, (life, entry) => this.#message(user, life, log, entry))
  }

  /** Erases one page of a room's events: those that name the user. */
  events(user: string, room: string, after: number): Promise<ErasedPage> {
    const log = logs.roomEvents(room)
    return this.#page(room, log, after, async (life, entry) => {
      if (entry.gone) return false
      const event = JSON.parse(entry.payload.toString('utf8')) as { user?: string; by?: string }
      if (event.user !== user && event.by !== user) return false
      await this.#write(life, entry.seq, () => erased(log, entry))
      return true
    })
  }

  /** Erases the user's entries in one page of a log without changes. */
  async entries(user: string, log: LogName, after: number): Promise<ErasedPage> {
    const page = await this.#store.log.read(log, after, PAGE, PAGE_BYTES, 'shown')
    const seqs = page.filter(({ from }) => from === user).map(({ seq }) => seq)
    if (seqs.length > 0) await commit(this.#store, { ops: [effectOp(log, eraseEffect(seqs))] })
    return { next: page.at(-1)?.seq ?? null, erased: seqs.length > 0 }
  }

  async #page(
    room: string,
    log: LogName,
    after: number,
    erase: (life: RoomLife, entry: LogEntry) => Promise<boolean>,
  ): Promise<ErasedPage> {
    const createdAt = this.#store.directory.room(room)?.createdAt
    if (createdAt === undefined) return { next: null, erased: false }
    const page = await this.#store.log.read(log, after, PAGE, PAGE_BYTES, 'shown')
    // Concurrently, so that the writes share one commit or few.
    const erased = await Promise.all(page.map((entry) => erase({ room, createdAt }, entry)))
    return { next: page.at(-1)?.seq ?? null, erased: erased.includes(true) }
  }

  async #message(user: string, life: RoomLife, log: LogName, entry: LogEntry): Promise<boolean> {
    const { from, gone, isChange } = entry
    const isTrace = gone ? gone.why === 'deleted' && gone.by === user : isForwardOf(entry, user)
    if (from !== user && !isTrace) return false
    if (gone) await this.#write(life, entry.seq, () => erased(log, entry))
    else if (isChange) await this.#change(user, life, log, entry)
    else await this.#write(life, entry.seq, ({ notes }) => deletion(notes, life.room, log, entry))
    return true
  }

  #change(user: string, life: RoomLife, log: LogName, entry: LogEntry): Promise<void> {
    const message = JSON.parse(entry.payload.toString('utf8')) as Change
    return this.#write(life, message.target, ({ notes }) => {
      switch (message.type) {
        case 'reaction':
          return reaction(notes, user, log, entry, message)
        case 'edit':
          return edit(notes, life.room, log, entry, message)
        case 'pin':
          return pin(notes, user, log, entry, message)
        case 'delete':
          return this.#deletion(life.room, log, entry, message.target)
        default:
          return erased(log, entry)
      }
    })
  }

  /** The search index learns of a deletion by its entry. If it has not read the entry yet, a new one replaces it. */
  #deletion(room: string, log: LogName, entry: LogEntry, target: number): Erasure {
    if (this.#indexed(room, entry.seq)) return erased(log, entry)
    return { drafts: [brokerDraft(room, log, { type: 'delete', target }, eraseEffect([entry.seq]))] }
  }

  /** Writes what is decided, unless the room was deleted meanwhile. `target`: the message whose notes it depends on. */
  async #write(
    { room, createdAt }: RoomLife,
    target: number,
    decide: (tx: Transaction) => Erasure | Promise<Erasure>,
  ): Promise<void> {
    await this.#store.transact(`message ${room} ${target}`, async (tx) => {
      const isThere = tx.directory.room(room)?.createdAt === createdAt
      return { ...(isThere ? await decide(tx) : {}), value: undefined }
    })
  }
}

async function deletion(notes: NoteReader, room: string, log: LogName, { seq }: LogEntry): Promise<Erasure> {
  const { seqs, thread, ...deleted } = await deletionOf(notes, log, seq)
  const effect = { ...eraseEffect(seqs, thread), ...deleted }
  return { drafts: [brokerDraft(room, log, { type: 'delete', target: seq }, effect)] }
}

async function reaction(
  notes: NoteReader,
  user: string,
  log: LogName,
  entry: LogEntry,
  { target, data }: Change,
): Promise<Erasure> {
  const mine = await new Reactions(notes).of(log, target, user)
  const last = mine.get(normalizeEmoji((data as ReactionData).emoji))?.variants.find(({ seq }) => seq === entry.seq)
  const writes: NoteWrite[] = []
  if (last) {
    const { emoji } = last
    writes.push({ kind: 'reaction', target, name: `${user}/${emoji}`, value: null })
    const state = readState(await notes.get(log, 'state', target))
    const counted = countReaction(state, normalizeEmoji(emoji), -1)
    if (last.on) writes.push({ kind: 'state', target, name: '', value: encodeState(counted, null) as string })
  }
  return erased(log, entry, writes)
}

/** A moderator's edit of someone else's message is kept in the name of the broker: what it removed must not reappear. */
async function edit(notes: NoteReader, room: string, log: LogName, entry: LogEntry, message: Change): Promise<Erasure> {
  const { target, text, attachments, data, mentions } = message
  const note = await notes.get(log, 'state', target)
  const state = readState(note)
  const old: NoteWrite = { kind: 'edit', target, name: noteName(entry.seq), value: null }
  if (note === null || state.edited !== entry.seq) return erased(log, entry, [old])
  const value = encodeState({ ...state, editedBy: SYSTEM }, 'edited')
  const writes: NoteWrite[] = [
    old,
    { kind: 'edit', target, name: null, value: '' },
    { kind: 'state', target, name: '', value },
    ...fileNotes(filesOf(message)),
  ]
  const content = { type: 'edit', target, text, attachments, data, mentions }
  return { drafts: [brokerDraft(room, log, content, { ...eraseEffect([entry.seq]), notes: writes })] }
}

async function pin(
  notes: NoteReader,
  user: string,
  log: LogName,
  entry: LogEntry,
  { target }: Change,
): Promise<Erasure> {
  const pin = JSON.parse((await notes.get(log, 'pin', target)) ?? 'null') as { by: string } | null
  const value = JSON.stringify({ ...pin, by: SYSTEM })
  return erased(log, entry, pin?.by === user ? [{ kind: 'pin', target, name: '', value }] : [])
}

/** Erases an entry without leaving one. */
function erased(log: LogName, { seq, gone }: LogEntry, notes: NoteWrite[] = []): Erasure {
  return { ops: [effectOp(log, { ...eraseEffect([seq], gone && threadOfGone(gone)), notes })] }
}

function eraseEffect(seqs: readonly number[], thread?: number): Effect {
  const gone: Gone = { why: 'deleted', by: null, at: Date.now(), ...(thread === undefined ? {} : { thread }) }
  return { erase: { seqs, gone } }
}

/** An entry of the broker that refers to another entry. */
function brokerDraft(room: string, log: LogName, content: object, effect: Effect): Draft {
  const [id, ts] = [uuid7(), Date.now()]
  const head = `{"id":"${id}","room":${JSON.stringify(room)},"seq":`
  const tail = `,"ts":${ts},"from":"${SYSTEM}",${JSON.stringify(content).slice(1)}`
  return { log, id, ts, from: SYSTEM, qos: 1, body: body(head, tail), dedupe: null, isChange: true, effect }
}
