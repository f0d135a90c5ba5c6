/** Pages of history on their way: what comes live meanwhile has to be applied to them too. */

import type { SentMessage } from '../../schemas/commands/shown-message.js'
import type { CommandParams, CommandResult } from '../../schemas/commands.js'
import { ChatError } from '../base/chat-error.js'
import type { Methods } from '../requests/methods.js'
import type { Chores, MakeChores } from './chores.js'
import { deletedBy, rootsAround } from './folding.js'
import type { Replica, Transaction } from './replica.js'
import { applyPage, type Page, type View } from './room-state.js'
import type { Span } from './spans.js'

/** Entries that came live during one fetch; beyond that it is asked for again. */
const MOST_HEARD = 1000
/** Times that a page is asked for, when each time `sync` has changed the room meanwhile. */
const ATTEMPTS = 4

/** Of one request. */
const MOST_SEQS = 50

type Params = Omit<CommandParams<'history'>, 'room' | 'view'>
type Answer = CommandResult<'history'>

interface Fetch {
  readonly room: string
  readonly heard: SentMessage[]
  isVoid: boolean
}

export class Fetches {
  readonly #ask: Pick<Methods, 'history'>
  readonly #replica: Replica
  readonly #open = new Set<Fetch>()
  readonly #refreshes: Chores

  constructor(ask: Pick<Methods, 'history'>, replica: Replica, chores: MakeChores) {
    this.#ask = ask
    this.#replica = replica
    this.#refreshes = chores((room) => this.#refresh(room))
  }

  /** Asks for these messages again; that it has to is kept with what else `tx` keeps. */
  refresh(tx: Transaction, room: string, seqs: readonly number[]): void {
    const state = tx.room(room)
    if (!state || seqs.length === 0) return
    tx.put({ ...state, stale: [...new Set([...(state.stale ?? []), ...seqs])] })
    this.#refreshes.add(room)
  }

  /** There is a connection: asks for what an earlier client had to ask for, too. */
  begin(): void {
    for (const { room, stale } of this.#replica.rooms.values()) if (stale?.length) this.#refreshes.add(room)
  }

  async #refresh(room: string): Promise<void> {
    for (;;) {
      // Behind the transaction that it may be added in.
      const seqs = await this.#replica.transact(async (tx) => tx.room(room)?.stale?.slice(0, MOST_SEQS))
      if (!seqs?.length) return
      await this.history(room, { seqs })
    }
  }

  /**
   * Asks for a page of the room's history, in the folded view, and puts it into the store. Resolves with what the broker answered.
   * @throws ChatError what the broker refused; `offline`; `not_found`: the client knows no such room
   */
  async history(room: string, params: Params): Promise<Answer> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const seq = this.#replica.rooms.get(room)?.seq
      if (seq === undefined) throw new ChatError('not_found', `the client knows no room ${room}`, { field: 'room' })
      const fetch: Fetch = { room, heard: [], isVoid: false }
      this.#open.add(fetch)
      try {
        const answer = await this.#ask.history({ room, view: 'folded', ...params })
        const page = { messages: answer.messages, span: spanOf(params, answer, seq), view: viewOf(params) }
        if (await this.#put(fetch, page, params.seqs)) return answer
      } finally {
        this.#open.delete(fetch)
      }
    }
    throw new ChatError('unavailable', `the history of ${room} changes too fast`)
  }

  /** Came live, and is being applied. */
  heard(room: string, entries: readonly SentMessage[]): void {
    for (const fetch of this.#open) {
      if (fetch.room !== room) continue
      if (fetch.heard.length + entries.length > MOST_HEARD) fetch.isVoid = true
      else fetch.heard.push(...entries)
    }
  }

  /** What is on its way about the room may be older than what the client knows by now. */
  drop(room: string): void {
    for (const fetch of this.#open) if (fetch.room === room) fetch.isVoid = true
  }

  /** False: the page is of no use. */
  #put(fetch: Fetch, page: Page, asked: Params['seqs']): Promise<boolean> {
    const { room, heard } = fetch
    return this.#replica.transact(async (tx) => {
      const state = tx.room(room)
      if (fetch.isVoid || !state) return false
      const applied = applyPage(state, page, heard, this.#replica.user!, this.#replica.watchersOf(room))
      tx.put({ ...applied.state, stale: state.stale?.filter((seq) => !asked?.includes(seq)) }, applied.messages)
      // What is heard of a deleted reply says nothing of its thread.
      this.refresh(tx, room, rootsAround(applied.messages, deletedBy(heard)))
      return true
    })
  }
}

function viewOf({ thread, roots }: Params): View | null {
  return thread !== undefined ? `thread-${thread}` : roots ? 'roots' : null
}

/** Of which numbers a page has all messages of its view; null: of none. `head`: the last one when it was asked for, at least. */
function spanOf(params: Params, { before, after }: Answer, head: number): Span | null {
  if (params.seqs ?? params.pinned) return null
  const first = params.after === undefined ? (before ?? 1) : params.after + 1
  return [first, after ?? (params.before === undefined ? head : params.before - 1)]
}
