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
import type { NoteWrite } from '../../store/notes.js'
import { effectOp } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import { uuid7 } from '../../util/uuid7.js'
import { deletionOf } from '../history/deletion.js'
import { countReaction, encodeState, readState } from '../history/message-state.js'
import { Reactions } from '../history/reactions.js'
import { isForwardOf } from '../messages/forwarding.js'
import { normalizeEmoji } from '../model/emoji.js'
import { logs } from '../model/views.js'

/** Entries and bytes per step under the room's lock. */
const PAGE = 100
const PAGE_BYTES = 1024 * 1024

export interface RoomErasureDeps {
  readonly store: Store
  /** The locks of rooms. */
  readonly locks: KeyedMutex
  /** The locks under which messages are changed. */
  readonly messageLocks: KeyedMutex
  /** Whether the search index has read an entry, or search is off. */
  readonly indexed: (room: string, seq: number) => boolean
}

/** Position after a page; null: the end of the log. `erased`: something was erased. */
export interface ErasedPage {
  readonly next: number | null
  readonly erased: boolean
}

export class RoomErasure {
  readonly #store: Store
  readonly #locks: KeyedMutex
  readonly #messageLocks: KeyedMutex
  readonly #indexed: RoomErasureDeps['indexed']

  constructor({ store, locks, messageLocks, indexed }: RoomErasureDeps) {
    this.#store = store
    this.#locks = locks
    this.#messageLocks = messageLocks
    this.#indexed = indexed
  }

  /** Erases one page of a room's messages. */
  messages(user: string, room: string, after: number): Promise<ErasedPage> {
    const log = logs.messages(room)
    return this.#page(room, log, after, (entry) => this.#message(user, room, log, entry))
  }

  /** Erases one page of a room's events: those that name the user. */
  events(user: string, room: string, after: number): Promise<ErasedPage> {
    const log = logs.roomEvents(room)
    return this.#page(room, log, after, async (entry) => {
      if (entry.gone) return false
      const event = JSON.parse(entry.payload.toString('utf8')) as { user?: string; by?: string }
      if (event.user !== user && event.by !== user) return false
      await this.#write(log, eraseEffect(entry.seq))
      return true
    })
  }

  /** Erases the user's entries in one page of a log without changes. */
  async entries(user: string, log: LogName, after: number): Promise<ErasedPage> {
    const page = await this.#store.log.read(log, after, PAGE, PAGE_BYTES, 'shown')
    const seqs = page.filter(({ from }) => from === user).map(({ seq }) => seq)
    if (seqs.length > 0) await this.#write(log, eraseEffect(...seqs))
    return { next: page.at(-1)?.seq ?? null, erased: seqs.length > 0 }
  }

  /** Runs under the room's lock, so that the room is not deleted meanwhile. */
  #page(room: string, log: LogName, after: number, erase: (entry: LogEntry) => Promise<boolean>): Promise<ErasedPage> {
    return this.#locks.runExclusive(room, async () => {
      const page = await this.#store.log.read(log, after, PAGE, PAGE_BYTES, 'shown')
      // Concurrently, so that the writes share one commit or few.
      const erased = await Promise.all(page.map(erase))
      return { next: page.at(-1)?.seq ?? null, erased: erased.includes(true) }
    })
  }

  async #message(user: string, room: string, log: LogName, entry: LogEntry): Promise<boolean> {
    const { from, gone, isChange } = entry
    const isTrace = gone ? gone.why === 'deleted' && gone.by === user : isForwardOf(entry, user)
    if (from !== user && !isTrace) return false
    if (gone) await this.#write(log, eraseEffect(entry.seq))
    else if (isChange) await this.#change(user, room, log, entry)
    else await this.#withMessageLock(room, entry.seq, () => this.#delete(room, log, entry.seq))
    return true
  }

  async #delete(room: string, log: LogName, seq: number): Promise<void> {
    const { seqs, notes } = await deletionOf(this.#store.notes, log, seq)
    const effect = { ...eraseEffect(...seqs), notes }
    await commit(this.#store, { drafts: [brokerDraft(room, log, { type: 'delete', target: seq }, effect)] })
  }

  #change(user: string, room: string, log: LogName, entry: LogEntry): Promise<void> {
    const message = JSON.parse(entry.payload.toString('utf8')) as MessageOutput & { target: number }
    return this.#withMessageLock(room, message.target, () => {
      switch (message.type) {
        case 'reaction':
          return this.#reaction(user, log, entry, message)
        case 'edit':
          return this.#edit(room, log, entry, message)
        case 'pin':
          return this.#pin(user, log, entry, message)
        case 'delete':
          return this.#deletion(room, log, entry, message.target)
        default:
          return this.#write(log, eraseEffect(entry.seq))
      }
    })
  }

  async #reaction(
    user: string,
    log: LogName,
    { seq }: LogEntry,
    { target, data }: { target: number; data?: unknown },
  ): Promise<void> {
    const { notes } = this.#store
    const mine = await new Reactions(notes).of(log, target, user)
    const last = mine.get(normalizeEmoji((data as ReactionData).emoji))?.variants.find((one) => one.seq === seq)
    const writes: NoteWrite[] = []
    if (last) {
      const { emoji } = last
      writes.push({ kind: 'reaction', target, name: `${user}/${emoji}`, value: null })
      const state = readState(await notes.get(log, 'state', target))
      const counted = countReaction(state, normalizeEmoji(emoji), -1)
      if (last.on) writes.push({ kind: 'state', target, name: '', value: encodeState(counted, 'as before') as string })
    }
    await this.#write(log, { ...eraseEffect(seq), notes: writes })
  }

  /** A moderator's edit of someone else's message is kept in the name of the broker: what it removed must not reappear. */
  async #edit(room: string, log: LogName, { seq }: LogEntry, message: MessageOutput & { target: number }) {
    const { target, text, attachments, data, mentions } = message
    const note = await this.#store.notes.get(log, 'state', target)
    const state = readState(note)
    const old: NoteWrite = { kind: 'edit', target, name: this.#store.notes.nameOf(seq), value: null }
    if (note === null || state.edited !== seq) return this.#write(log, { ...eraseEffect(seq), notes: [old] })
    const value = encodeState({ ...state, editedBy: SYSTEM }, 'this one')
    const notes: NoteWrite[] = [
      old,
      { kind: 'edit', target, name: null, value: '' },
      { kind: 'state', target, name: '', value },
    ]
    const content = { type: 'edit', target, text, attachments, data, mentions }
    await commit(this.#store, { drafts: [brokerDraft(room, log, content, { ...eraseEffect(seq), notes })] })
  }

  /** The search index learns of a deletion by its entry. If it has not read the entry yet, a new one replaces it. */
  async #deletion(room: string, log: LogName, { seq }: LogEntry, target: number): Promise<void> {
    if (this.#indexed(room, seq)) return this.#write(log, eraseEffect(seq))
    await commit(this.#store, { drafts: [brokerDraft(room, log, { type: 'delete', target }, eraseEffect(seq))] })
  }

  async #pin(user: string, log: LogName, { seq }: LogEntry, { target }: { target: number }): Promise<void> {
    const pin = JSON.parse((await this.#store.notes.get(log, 'pin', target)) ?? 'null') as { by: string } | null
    const value = JSON.stringify({ ...pin, by: SYSTEM })
    const notes: NoteWrite[] = pin?.by === user ? [{ kind: 'pin', target, name: '', value }] : []
    await this.#write(log, { ...eraseEffect(seq), notes })
  }

  #withMessageLock(room: string, target: number, work: () => Promise<void>): Promise<void> {
    return this.#messageLocks.runExclusive(`${room} ${target}`, work)
  }

  async #write(log: LogName, effect: Effect): Promise<void> {
    await commit(this.#store, { ops: [effectOp(log, effect)] })
  }
}

function eraseEffect(...seqs: number[]): Effect {
  const gone: Gone = { why: 'deleted', by: null, at: Date.now() }
  return { erase: { seqs, gone } }
}

/** An entry of the broker that refers to another entry. */
function brokerDraft(room: string, log: LogName, content: object, effect: Effect): Draft {
  const [id, ts] = [uuid7(), Date.now()]
  const head = `{"id":"${id}","room":${JSON.stringify(room)},"seq":`
  const tail = `,"ts":${ts},"from":"${SYSTEM}",${JSON.stringify(content).slice(1)}`
  return { log, id, ts, from: SYSTEM, qos: 1, body: body(head, tail), dedupe: null, isChange: true, effect }
}
