/** Sends what is in the outbox: one at a time in each room, and once more when something came between. */
import type { MessageInput } from '../../schemas/message.js'
import { ChatError } from '../base/chat-error.js'
import { type Env, onAbort, type Signal } from '../base/platform.js'
import { sendDelay } from '../connection/backoff.js'
import { messageOf } from '../wire/wire.js'
import type { Item } from './item.js'
import { Lane } from './lane.js'
import type { Sent } from './outgoing.js'

/** Messages that are under way at a time, in all rooms. */
const UNDER_WAY = 32
/** Ms, a week: the broker knows a `cid` for at least as long. What is older may be stored a second time, so a person is asked. */
export const LONGEST_WAIT = 604_800_000

/** A connection, until `signal` is aborted. */
export interface Session {
  readonly signal: Signal
  /**
   * Rejects with a `ChatError`. `alone`: if the broker does not take it for a moment, only this message is refused; else the connection may end.
   */
  deliver(room: string, message: MessageInput & { readonly cid: string }, alone: boolean): Promise<Sent>
}

/** What is told of items. */
export interface Outcomes {
  /** It may have left from now on, or has not left after all. Resolves when that is written, and never rejects. */
  changed(item: Item): Promise<void>
  accepted(item: Item, sent: Sent): void
  failed(item: Item, error: ChatError): void
}

/** There was no answer, because the connection was lost. */
const LOST: ReadonlySet<string> = new Set(['offline', 'aborted', 'closed'])

export class Dispatcher {
  readonly #env: Pick<Env, 'now' | 'random' | 'timer'>
  readonly #outcomes: Outcomes
  /** By room. */
  readonly #lanes = new Map<string, Lane>()
  #session: Session | null = null
  #underWay = 0

  constructor(env: Pick<Env, 'now' | 'random' | 'timer'>, outcomes: Outcomes) {
    this.#env = env
    this.#outcomes = outcomes
  }

  begin(session: Session): void {
    this.#session = session
    onAbort(session.signal, () => this.#ended(session))
    this.pump()
  }

  /** Behind all others of its room. */
  push(item: Item): void {
    this.#laneOf(item.room).push(item)
  }

  /** In front of all of the room that have not left. */
  insert(room: string, items: readonly Item[]): void {
    this.#laneOf(room).insert(items)
  }

  remove(item: Item): void {
    this.#lanes.get(item.room)?.remove(item)
  }

  /** Those that await the item. */
  awaiting({ room, cid }: Item): Item[] {
    return this.#lanes.get(room)?.awaiting(cid) ?? []
  }

  /** Sends what can be sent. */
  pump(): void {
    for (const [room, lane] of this.#lanes) {
      if (!lane.isEmpty) this.#pumpLane(lane)
      else {
        lane.stopWait?.()
        this.#lanes.delete(room)
      }
    }
  }

  #laneOf(room: string): Lane {
    let lane = this.#lanes.get(room)
    if (!lane) this.#lanes.set(room, (lane = new Lane()))
    return lane
  }

  #pumpLane(lane: Lane): void {
    const session = this.#session
    if (!session || lane.stopWait) return
    // The clock of the device may have been set back since.
    const wait = Math.min(lane.notBefore - this.#env.now(), lane.wait)
    if (wait > 0) {
      const over = (): void => {
        lane.stopWait = null
        lane.wait = 0
        this.pump()
      }
      lane.stopWait = this.#env.timer(wait, over)
      return
    }
    const item = this.#underWay < UNDER_WAY ? lane.take() : null
    if (item) void this.#dispatch(lane, item, session)
  }

  /** Never rejects. */
  async #dispatch(lane: Lane, item: Item, session: Session): Promise<void> {
    this.#underWay++
    if (this.#mayLeave(lane, item)) {
      await this.#noteLeaving(item)
      if (this.#session === session) await this.#deliver(lane, item, session)
      else this.#returned(lane, item)
    }
    this.pump()
  }

  #mayLeave(lane: Lane, item: Item): boolean {
    const error =
      this.#env.now() - item.since > LONGEST_WAIT
        ? new ChatError('timeout', 'it has waited for more than a week')
        : item.awaits !== null
          ? new ChatError('not_found', 'the message that it is about was not sent', { field: 'target' })
          : null
    if (error) this.#failed(lane, item, error)
    return !error
  }

  /** After a crash it has to be known what may have left: it must not be changed any more. */
  async #noteLeaving(item: Item): Promise<void> {
    if (item.hasLeft) return
    item.hasLeft = true
    await this.#outcomes.changed(item)
  }

  async #deliver(lane: Lane, item: Item, session: Session): Promise<void> {
    item.sending()
    try {
      const { input, cid, room } = item
      const sent = await session.deliver(room, { ...(input as MessageInput), cid }, lane.failures > 0)
      this.#underWay--
      lane.remove(item)
      lane.failures = 0
      this.#outcomes.accepted(item, sent)
    } catch (error) {
      this.#refused(lane, item, session, asChatError(error))
    }
  }

  #refused(lane: Lane, item: Item, session: Session, error: ChatError): void {
    if (LOST.has(error.code)) {
      item.isInDoubt = true
      lane.failures++
      this.#returned(lane, item)
      this.#ended(session)
    } else if (error.transient) {
      // What is refused because of one of its fields, such as a file that is not scanned yet, is not in the room.
      item.isInDoubt ||= error.code !== 'rate_limited' && error.field === undefined
      this.#returned(lane, item)
      this.#wait(lane, error)
    } else this.#failed(lane, item, error)
  }

  /** It is tried again. */
  #returned(lane: Lane, item: Item): void {
    this.#underWay--
    // It was let go meanwhile.
    if (!lane.has(item)) return
    lane.returned(item)
    if (!item.isInDoubt) {
      item.hasLeft = false
      void this.#outcomes.changed(item)
    }
    item.queued()
  }

  #failed(lane: Lane, item: Item, error: ChatError): void {
    this.#underWay--
    // What is refused is not stored: it may be changed.
    item.hasLeft = item.isInDoubt
    lane.remove(item)
    this.#outcomes.failed(item, error)
  }

  #wait(lane: Lane, error: ChatError): void {
    lane.wait = sendDelay(++lane.failures, error, this.#env.random())
    lane.notBefore = this.#env.now() + lane.wait
  }

  #ended(session: Session): void {
    if (this.#session !== session) return
    this.#session = null
    for (const lane of this.#lanes.values()) {
      lane.stopWait?.()
      lane.stopWait = null
    }
  }
}

export function asChatError(error: unknown): ChatError {
  return error instanceof ChatError ? error : new ChatError('internal', messageOf(error), { cause: error })
}
