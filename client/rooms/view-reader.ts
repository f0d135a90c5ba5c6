/** Reads a part of the messages of a room: from the store what is there, the rest from the broker. */
import type { LoggedMessage } from '../../schemas/commands/shown-message.js'
import type { CommandParams } from '../../schemas/commands.js'
import type { Engine } from '../engine/engine.js'
import { isGone } from '../engine/folding.js'
import { type RoomState, spansOf, type View } from '../engine/room-state.js'
import type { Span, Spans } from '../engine/spans.js'
import type { Outgoing } from '../outbox/outgoing.js'

/** Messages of the store that are read at a time, when not all are looked for. */
const CHUNK = 200
/** Replies that are remembered, in case they expire: what is left of them does not say that they were replies. */
const MOST_REPLIES = 5000

export interface ViewOptions {
  /** Only this message and the replies in its thread. */
  readonly thread?: number
  /** Replies in threads stand between the other messages. Left out: only the messages that began the threads are there. */
  readonly replies?: boolean
}

export class ViewReader {
  readonly thread: number | undefined
  readonly #engine: Engine
  readonly #room: string
  readonly #view: View | null
  /** Those that were seen, of the thread or of any. */
  readonly #replies = new Set<number>()
  readonly #filler: ReturnType<Engine['filler']>
  /** To be fetched, and how much of it at a time. */
  #gap: Span | undefined
  #limit = 0

  constructor(engine: Engine, room: string, { thread, replies = false }: ViewOptions) {
    this.thread = thread
    this.#engine = engine
    this.#room = room
    this.#filler = engine.filler(room, () => this.#fillGap())
    this.#view = thread !== undefined ? `thread-${thread}` : replies ? null : 'roots'
  }

  /** The numbers of which all messages are in the store. */
  spans(state: RoomState): Spans {
    return spansOf(state, this.#view)
  }

  /** The first number that there may be a message with. */
  first({ tail }: RoomState): number {
    return Math.max(tail, this.thread ?? 1)
  }

  /** Of the store, from `first` to `last`, ascending; of more than `limit` the first ones, or if `reverse` the last ones. */
  async read(
    [first, last]: readonly [number, number],
    { limit, reverse = false }: { readonly limit?: number; readonly reverse?: boolean } = {},
  ): Promise<LoggedMessage[]> {
    const { replica } = this.#engine
    if (limit === undefined) return (await replica.messages(this.#room, [first, last])).filter(this.#has)
    let found: LoggedMessage[] = []
    let [from, to] = [first, last]
    while (found.length < limit && from <= to) {
      const rows = await replica.messages(this.#room, [from, to], { limit: CHUNK, reverse })
      const mine = rows.filter(this.#has)
      found = reverse ? [...mine, ...found] : [...found, ...mine]
      if (rows.length < CHUNK) break
      if (reverse) to = rows[0]!.seq - 1
      else from = rows.at(-1)!.seq + 1
    }
    return reverse ? found.slice(-limit) : found.slice(0, limit)
  }

  /** Fetches a page into the store. @throws ChatError */
  async fetch(page: Pick<CommandParams<'history'>, 'before' | 'after' | 'around' | 'limit'>): Promise<void> {
    const { thread } = this
    const only = thread !== undefined ? { thread } : this.#view === null ? {} : { roots: true }
    await this.#engine.history(this.#room, { ...only, ...page })
    // It is none of its replies.
    if (thread !== undefined && (await this.read([thread, thread])).length === 0)
      await this.#engine.history(this.#room, { seqs: [thread] })
  }

  /** Fetches the last messages of a gap, up to `limit`. @throws ChatError */
  load([, to]: Span, limit: number): Promise<void> {
    return this.fetch({ before: to + 1, limit })
  }

  /** In a thread nobody looks for what is missing between its messages: `gaps` are fetched, the last one first, up to `limit` of it. */
  fill(gaps: readonly Span[], limit: number): void {
    if (this.thread === undefined) return
    this.#gap = gaps.at(-1)
    this.#limit = limit
    if (this.#gap) this.#filler.ask()
  }

  /** Nothing is fetched any more. */
  dispose(): void {
    this.#filler.stop()
  }

  async #fillGap(): Promise<void> {
    if (!this.#gap) return
    await this.load(this.#gap, this.#limit)
    // What is missing still is told when this is shown.
    this.#gap = undefined
  }

  /** What will come after the messages up to `seq`, of what is on its way. */
  coming(pending: readonly Outgoing[], seq: number): Outgoing[] {
    return pending.filter(({ input: { target, thread }, state: { current } }) => {
      const isThere = current.at === 'sent' && current.seq <= seq
      return target === undefined && !isThere && (this.#view === null || thread === this.thread)
    })
  }

  readonly #has = (message: LoggedMessage): boolean => {
    const { seq } = message
    const { thread } = this
    if (this.#view === null || seq === thread) return true
    const isReply = isIn(message.thread, thread) || (isGone(message) && this.#replies.has(seq))
    if (isReply) this.#remember(seq)
    return isReply === (thread !== undefined)
  }

  #remember(seq: number): void {
    this.#replies.add(seq)
    const [first] = this.#replies
    if (this.#replies.size > MOST_REPLIES) this.#replies.delete(first!)
  }
}

/** Whether a message with this `thread` is a reply in the one that is looked at; undefined: in any. */
function isIn(its: number | undefined, thread: number | undefined): boolean {
  return its !== undefined && (thread === undefined || its === thread)
}
