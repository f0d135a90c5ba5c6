/**
 * What people do to messages that are there: each is an entry of the log like any other, checked against its target before
 * it is appended. Changes of one message are made one after another, so that what was checked still holds at the commit.
 */
import { Refusal } from '../../schemas/errors.js'
import { isDirectRoom } from '../../schemas/ids.js'
import { CHANGE_TYPES } from '../../schemas/message.js'
import type { Draft, Effect, LogEntry, NoteWrite, Store } from '../store/store.js'
import { Turns } from '../turns.js'
import type { Actor } from './actor.js'
import { encodeState, readState, type State } from './message-state.js'
import type { ChangeInput } from './message-types.js'
import type { Replies } from './replies.js'
import type { RoomRules } from './room-rules.js'
import { Send, type Sending } from './send.js'
import { earlier } from './stamp.js'
import { logs } from './views.js'

/** Edits of one message. */
const MAX_EDITS = 1000
/** Notes read at once. */
const PAGE = 1000

export interface ChangesParts {
  readonly store: Store
  readonly rules: RoomRules
  readonly replies: Replies
  /** Seconds; 0: no limit. */
  readonly editWindow: number
}

/** A change with what it is about. */
interface Asked {
  readonly actor: Actor
  readonly room: string
  readonly input: ChangeInput
  readonly target: LogEntry
  readonly draft: Draft
}

type Effects = Partial<Record<string, (asked: Asked) => Promise<Effect>>>

export class Changes {
  readonly #store: Store
  readonly #rules: RoomRules
  readonly #replies: Replies
  readonly #editWindow: number
  readonly #turns = new Turns()

  constructor({ store, rules, replies, editWindow }: ChangesParts) {
    this.#store = store
    this.#rules = rules
    this.#replies = replies
    this.#editWindow = editWindow
  }

  /** Resolves once the change has its place in the store's queue. Its turn lasts until it is settled. */
  send(input: ChangeInput, sending: Sending): Promise<void> {
    return new Promise((queued, refused) => {
      const turn = (): Promise<void> =>
        new Promise((over) => {
          this.#send(input, sending, over).then(queued, (error) => {
            over()
            refused(error)
          })
        })
      void this.#turns.take(`${sending.room} ${input.target}`, turn)
    })
  }

  async #send(input: ChangeInput, sending: Sending, over: () => void): Promise<void> {
    const receipt: Sending['receipt'] = {
      settled: (refusal, result) => {
        sending.receipt.settled(refusal, result)
        over()
      },
    }
    this.#store.commit(new Send(this.#replies, { ...sending, receipt, ...(await this.#checked(input, sending)) }))
  }

  /** With its effect, or as what can only be the retry of a change that once was allowed. */
  async #checked(input: ChangeInput, { actor, room, cid, draft }: Sending): Promise<Partial<Sending>> {
    try {
      const target = await this.#target(actor, room, input)
      const effect = await this.#effects[input.type]!({ actor, room, input, target, draft })
      // What is said about a message is over when the message is.
      return { draft: { ...draft, extra: earlier(draft.extra ?? null, target.extra?.expiresAt ?? 0), effect } }
    } catch (error) {
      if (!(error instanceof Refusal) || cid === null) throw error
      return { draft: { ...draft, retryOnly: true }, unlessRetry: error }
    }
  }

  /** The message a change is about, as far as it is there and the actor may see it. */
  async #target(actor: Actor, room: string, { target, type }: ChangeInput): Promise<LogEntry> {
    const log = logs.messages(room)
    const { head, tail } = await this.#store.log.open(log)
    const hidden = isDirectRoom(room)
      ? (this.#store.directory.member(room, actor.principal.user)?.joined.messages ?? 0)
      : 0
    if (target > head || target <= hidden) throw missing(`there is no message ${target} in ${room}`)
    if (target < tail) throw missing(`message ${target} is not kept any more`)
    const [entry] = await this.#store.log.read(log, target - 1, 1, 1, 'shown')
    if (entry?.seq !== target) throw missing(`message ${target} is not kept any more`)
    if (entry.gone) throw missing(`message ${target} ${entry.gone.why === 'deleted' ? 'was deleted' : 'has expired'}`)
    const found = JSON.parse(entry.payload.toString('utf8')) as { type: string; target?: number }
    if (!CHANGE_TYPES.has(found.type)) return entry
    const hint = `${target} is of type ${found.type}; the target of ${type} is the message itself, ${found.target}`
    throw new Refusal('bad_request', hint, { field: 'target' })
  }

  readonly #effects: Effects = {
    edit: async (asked) => {
      const { actor, target, draft } = asked
      this.#requireAuthority(asked)
      if (this.#editWindow > 0 && draft.ts > target.ts + this.#editWindow * 1000)
        throw new Refusal('forbidden', `messages are edited within ${this.#editWindow} s (history.editWindow)`, {
          field: 'target',
        })
      const state = await this.#state(asked)
      if (state.edits >= MAX_EDITS)
        throw new Refusal('conflict', `message ${target.seq} was edited ${MAX_EDITS} times`, { field: 'target' })
      const edited = { ...state, edits: state.edits + 1, editedAt: draft.ts, editedBy: actor.principal.user }
      const notes: NoteWrite[] = [
        { kind: 'state', target: target.seq, name: '', value: encodeState(edited, 'this one') },
        { kind: 'edit', target: target.seq, name: null, value: '' },
      ]
      return { notes }
    },
    delete: async (asked) => {
      const { actor, target, draft } = asked
      this.#requireAuthority(asked)
      const gone = { why: 'deleted', by: actor.principal.user, at: draft.ts } as const
      const { seqs, notes } = await this.#traces(draft.log, target.seq)
      return { erase: { seqs: [target.seq, ...seqs], gone }, notes }
    },
  }

  /** The author, and who moderates the room. */
  #requireAuthority({ actor, room, input, target }: Asked): void {
    if (target.from === actor.principal.user || this.#rules.moderates(actor, room)) return
    const others = isDirectRoom(room) ? '' : ` or moderates ${room}`
    throw new Refusal('forbidden', `only who wrote message ${target.seq}${others} may ${input.type} it`, {
      field: 'target',
    })
  }

  async #state({ draft, target }: Asked): Promise<State> {
    return readState(await this.#store.notes.get(draft.log, 'state', target.seq))
  }

  /** The entries that hold what was said with a message, and all that is noted about it. */
  async #traces(log: string, target: number): Promise<{ seqs: number[]; notes: NoteWrite[] }> {
    const seqs: number[] = []
    const notes: NoteWrite[] = [{ kind: 'state', target, name: '', value: null }]
    for await (const name of this.#names(log, 'edit', target)) {
      seqs.push(this.#store.notes.numberOf(name))
      notes.push({ kind: 'edit', target, name, value: null })
    }
    return { seqs, notes }
  }

  async *#names(log: string, kind: 'edit', target: number): AsyncGenerator<string> {
    for (let gte = ''; ; ) {
      const names = { gte, lt: '\u{10ffff}' }
      const page = await this.#store.notes.list(log, { kind, targets: [target, target], names, limit: PAGE })
      for (const { name } of page) yield name
      if (page.length < PAGE) return
      gte = `${page[page.length - 1]!.name}\0`
    }
  }
}

function missing(message: string): Refusal {
  return new Refusal('not_found', message, { field: 'target' })
}
