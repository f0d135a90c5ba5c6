/** The folded view of messages: the present content, reactions and pin of each. */
import type { MessageInput, MessageOutput, ReactionData } from '../../../schemas/message.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { type MessageState, readState } from './message-state.js'
import { Reactions } from './reactions.js'
import { type Replies, ThreadSummaries } from './threads.js'

/** A message with the fields that the folded view adds. */
export interface Folded extends MessageOutput {
  /** Seq of the last edit, reaction or pin that is applied. */
  asOf?: number
  edits?: number
  /** Unix ms. */
  editedAt?: number
  editedBy?: string
  reactions?: { emoji: ReactionData['emoji']; count: number; me: boolean }[]
  pinned?: { by: string; at: number }
  replies?: Replies
}

export class FoldedMessages {
  readonly #store: Store
  readonly #log: LogName
  readonly #reader: string
  readonly #reactions: Reactions
  readonly #threads: ThreadSummaries

  constructor(store: Store, log: LogName, reader: string) {
    this.#store = store
    this.#log = log
    this.#reader = reader
    this.#reactions = new Reactions(store.notes)
    this.#threads = new ThreadSummaries(store, log)
  }

  /** JSON of each entry. Messages without changes are returned as stored. */
  async render(entries: readonly LogEntry[]): Promise<string[]> {
    const { notes } = this.#store
    const seqs = entries.map(({ seq }) => seq)
    const [states, pins, replies] = await Promise.all([
      notes.getMany(this.#log, 'state', seqs),
      notes.getMany(this.#log, 'pin', seqs),
      this.#threads.ofMany(seqs),
    ])
    return Promise.all(entries.map((entry, i) => this.#fold(entry, states[i]!, pins[i]!, replies[i]!)))
  }

  async #fold(entry: LogEntry, state: string | null, pin: string | null, replies: Replies | null): Promise<string> {
    if (state === null && pin === null && replies === null) return entry.payload.toString('utf8')
    const message = JSON.parse(entry.payload.toString('utf8')) as Folded
    const noted = state === null ? null : readState(state)
    if (noted) await this.#applyState(message, noted)
    const pinned = pin === null ? null : (JSON.parse(pin) as { by: string; at: number; seq: number })
    if (pinned) message.pinned = { by: pinned.by, at: pinned.at }
    const asOf = Math.max(noted?.edited ?? 0, noted?.reacted ?? 0, pinned?.seq ?? 0)
    if (asOf > 0) message.asOf = asOf
    if (replies !== null) message.replies = replies
    return JSON.stringify(message)
  }

  async #applyState(message: Folded, state: MessageState): Promise<void> {
    if (state.edits > 0) {
      const edit = await this.#edit(state.edited)
      if (edit) {
        const { edits, editedAt, editedBy } = state
        applyEdit(message, edit)
        Object.assign(message, { edits, editedAt, editedBy })
      }
    }
    if (state.reactions.length === 0) return
    const mine = await this.#reactions.of(this.#log, message.seq, this.#reader)
    message.reactions = state.reactions.map(([emoji, count]) => ({ emoji, count, me: mine.get(emoji)?.on === true }))
  }

  /** Null: the edit expired before the message. */
  async #edit(seq: number): Promise<MessageInput | null> {
    const [entry] = await this.#store.log.read(this.#log, seq - 1, 1, 1)
    return entry?.seq === seq ? (JSON.parse(entry.payload.toString('utf8')) as MessageInput) : null
  }
}

/** Replaces the content of a message by that of an edit. */
export function applyEdit(message: MessageInput, edit: MessageInput): void {
  for (const field of ['text', 'attachments', 'data', 'mentions'] as const) {
    delete message[field]
    if (edit[field] !== undefined) Object.assign(message, { [field]: edit[field] })
  }
}
