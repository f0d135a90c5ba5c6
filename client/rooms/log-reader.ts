/**
 * The log of rooms for programs that act on each message, such as bots: by a cursor, in order, and at least once. It is asked for page by page,
 * as the program comes along, so that no messages wait in memory; what comes live only tells that there is more.
 */
import type { LoggedMessage, SentMessage } from '../../schemas/commands/shown-message.js'
import type { CommandResult } from '../../schemas/commands.js'
import type { ChatError } from '../base/chat-error.js'
import { onAbort, type PlatformSignal, type Stop } from '../base/platform.js'
import { connectDelay } from '../connection/backoff.js'
import type { Status } from '../connection/status.js'
import { isGone } from '../engine/folding.js'
import type { Core, WithCore } from './core.js'
import { Cursors } from './cursors.js'

/** Messages of one page. */
const PAGE = 100
/** Ms until a room is asked for again of which the broker says that it is not the user's. */
const RETRY = 1000
/** Times that such a room is asked for: that it is lost is told a little later. */
const TRIES = 10

/** Of a room that was refused. */
interface Refused {
  readonly times: number
  /** When it is asked for again, Unix ms. */
  readonly next: number
}

interface Page {
  readonly messages: readonly LoggedMessage[]
  readonly more: boolean
  /** The last number that it is of. */
  readonly end: number
}

/**
 * Each message of a room after the number `after`, in order: what was said, and edits, deletions, reactions and pins as messages of their own;
 * without what has been deleted or has expired. Left out: those that come from now on. It goes on with what comes, over lost connections, until
 * the client is closed or `signal` aborted. A program that keeps the number of the last message that it was done with misses none. A room that
 * was made anew begins anew.
 * @throws ChatError when the next one is asked for: it cannot go on
 */
export function messagesOf(room: RoomWithCore, options?: RoomLogOptions): AsyncIterable<SentMessage>
/**
 * The same of all rooms of the user, those that come included: in the order of each room, while rooms take turns. How far the program has come is
 * kept in the store of the client, under `name`: a message counts as done when the next one is asked for, so that after a crash the last one
 * comes again, and none is missed. It begins in each room where the user joined it, or has read up to. One program at a time uses a name.
 * @throws ChatError when the next one is asked for: it cannot go on, or the device cannot keep how far it is (`storage`)
 */
export function messagesOf(chat: WithCore, options: ChatLogOptions): AsyncIterable<SentMessage>
export function messagesOf(
  { core, id }: WithCore & Partial<RoomWithCore>,
  { signal, after, name = '' }: RoomLogOptions & Partial<ChatLogOptions> = {},
): AsyncIterable<SentMessage> {
  const reader = new LogReader(core, signal)
  return id === undefined ? reader.all(name) : reader.room(id, after)
}

/** A `Room`. */
interface RoomWithCore extends WithCore {
  readonly id: string
}

interface ReadOptions {
  readonly signal?: PlatformSignal
}

export interface RoomLogOptions extends ReadOptions {
  readonly after?: number
}

export interface ChatLogOptions extends ReadOptions {
  readonly name: string
}

/** One reading of it, which ends with the client, with another user, or when `signal` is aborted. */
class LogReader {
  readonly #core: Core
  readonly #signal: PlatformSignal | undefined
  /** Whose log it is; null: not known yet. */
  #user: string | null = null

  constructor(core: Core, signal?: PlatformSignal) {
    this.#core = core
    this.#signal = signal
  }

  async *room(room: string, after?: number): AsyncGenerator<SentMessage, void> {
    const { rooms } = this.#core.replica
    if (!(await this.#begins())) return
    if (after === undefined && !(await this.#until(() => rooms.has(room)))) return
    let at = after ?? rooms.get(room)!.seq
    for (let created = rooms.get(room)?.created; ; ) {
      const page = await this.#page(room, at)
      if (!page) return
      yield* present(page)
      at = page.end
      const isAnew = (): boolean => (rooms.get(room)?.created ?? created) !== created
      if (!page.more && !(await this.#until(() => isAnew() || (rooms.get(room)?.seq ?? 0) > at))) return
      if (created !== undefined && isAnew()) at = 0
      created = rooms.get(room)?.created ?? created
    }
  }

  async *all(name: string): AsyncGenerator<SentMessage, void> {
    const { replica, storeOf, clock } = this.#core
    if (!(await this.#begins())) return
    const cursors = await Cursors.read(name, storeOf(this.#user!), replica.rooms)
    const refused = new Map<string, Refused>()
    const due = (): string[] => cursors.behind.filter((room) => clock.now() >= (refused.get(room)?.next ?? 0))
    const hasWork = (): boolean => cursors.hasNew || due().length > 0
    while (await this.#until(hasWork, refused.size > 0 ? RETRY : undefined)) {
      await cursors.begin()
      for (const room of refused.keys()) if (!replica.rooms.has(room)) refused.delete(room)
      for (const room of due()) {
        const { created } = replica.rooms.get(room) ?? {}
        // Lost since this round began.
        if (created === undefined) continue
        const page = await this.#page(room, cursors.of(room)).catch((error: ChatError) => {
          refused.set(room, this.#refusedAgain(refused.get(room), error))
        })
        if (!page) continue
        refused.delete(room)
        for (const message of present(page)) {
          yield message
          if (this.#isOver) return
          // The next one was asked for.
          await cursors.move(room, { seq: message.seq, created })
        }
        await cursors.move(room, { seq: page.end, created })
      }
    }
  }

  /** @throws ChatError `error`: that was often enough */
  #refusedAgain({ times }: Pick<Refused, 'times'> = { times: 0 }, error: ChatError): Refused {
    if (times + 1 >= TRIES) throw error
    return { times: times + 1, next: this.#core.clock.now() + RETRY }
  }

  /** What comes after `seq`; null: it is over. @throws ChatError what is not only for a moment */
  async #page(room: string, seq: number): Promise<Page | null> {
    const { ask, replica, clock } = this.#core
    for (let failures = 0; await this.#isOnline(); ) {
      const head = replica.rooms.get(room)?.seq ?? 0
      try {
        const answer = await ask.history({ room, after: seq, limit: PAGE }, this.#signal && { signal: this.#signal })
        return pageOf(answer, Math.max(seq, head))
      } catch (error) {
        const { transient, code } = error as ChatError
        if (!transient && code !== 'aborted' && code !== 'closed') throw error
        await this.#until(() => false, connectDelay('network', ++failures, error as ChatError, clock.random()))
      }
    }
    return null
  }

  async #begins(): Promise<boolean> {
    const isOnline = await this.#isOnline()
    this.#user = this.#core.replica.user
    return isOnline
  }

  #isOnline(): Promise<boolean> {
    return this.#until(() => this.#core.status.current.state === 'online')
  }

  /**
   * Resolves with true when it holds, or after `ms`; with false when it is over.
   * @throws ChatError the client was signed out
   */
  async #until(holds: () => boolean, ms?: number): Promise<boolean> {
    const { status, replica, clock } = this.#core
    const signal = this.#signal
    const stops: Stop[] = []
    await new Promise<void>((resolve) => {
      const look = (): void => void ((this.#isOver || holds()) && resolve())
      stops.push(replica.subscribe(look), status.subscribe(look))
      if (signal) stops.push(onAbort(signal, look))
      if (ms !== undefined) stops.push(clock.timer(ms, resolve))
      look()
    })
    for (const stop of stops) stop()
    const { current } = status
    if (current.state === 'signedOut' && !signal?.aborted) throw current.error
    return !this.#isOver
  }

  get #isOver(): boolean {
    const { status, replica } = this.#core
    const isOther = this.#user !== null && replica.user !== this.#user
    return isOther || this.#signal?.aborted === true || OVER.has(status.current.state)
  }
}

const OVER: ReadonlySet<Status['state']> = /* @__PURE__ */ new Set(['closed', 'signedOut'])

/** `head`: up to there all was in the room when it was asked for, even if nothing of it may be seen. */
function pageOf({ messages, more, after }: CommandResult<'history'>, head: number): Page {
  const last = messages.at(-1)?.seq ?? 0
  return { messages, more, end: more ? (after ?? last) : Math.max(last, head) }
}

function present({ messages }: Page): SentMessage[] {
  return messages.flatMap((message) => (isGone(message) ? [] : [message]))
}
