/** Tells the broker how far the user has read: soon, and once for many messages. */
import type { ChatError } from '../base/chat-error.js'
import type { Clock, Stop } from '../base/platform.js'
import type { Engine } from '../engine/engine.js'
import { applyCounts } from '../engine/room-state.js'
import { spanOf } from '../engine/spans.js'
import type { Methods } from '../requests/methods.js'

/** Ms for which further messages are waited for. */
const DELAY = 300

export class Reading {
  readonly #engine: Engine
  readonly #ask: Methods
  readonly #clock: Pick<Clock, 'timer'>
  /** The last message read, by room, as far as the broker has not answered. */
  readonly #read = new Map<string, number>()
  #stopTimer: Stop | null = null

  constructor(engine: Engine, ask: Methods, clock: Pick<Clock, 'timer'>) {
    this.#engine = engine
    this.#ask = ask
    this.#clock = clock
  }

  read(room: string, seq: number): void {
    const state = this.#engine.replica.rooms.get(room)
    if (seq <= Math.max(this.#read.get(room) ?? 0, state?.read ?? 0)) return
    this.#read.set(room, seq)
    this.#show(room, seq).catch(() => {})
    this.#stopTimer ??= this.#clock.timer(DELAY, () => this.flush())
  }

  /** Sends what was not answered yet. */
  flush(): void {
    this.stop()
    for (const [room, seq] of this.#read) void this.#send(room, seq)
  }

  /** What was not sent is sent with the next `flush`. */
  stop(): void {
    this.#stopTimer?.()
    this.#stopTimer = null
  }

  /** Another user has logged in. */
  forget(): void {
    this.stop()
    this.#read.clear()
  }

  async #send(room: string, seq: number): Promise<void> {
    try {
      await this.#ask.read({ room, seq })
    } catch (error) {
      if ((error as ChatError).transient) return
    }
    if (this.#read.get(room) === seq) this.#read.delete(room)
    this.#engine.count(room)
  }

  /** Before the broker has answered, if the client has all that is to be counted. */
  #show(room: string, read: number): Promise<void> {
    const { replica } = this.#engine
    return replica.transact(async (tx) => {
      const state = tx.room(room)
      if (!state || read <= state.read) return
      const isKnown = read >= state.seq || (spanOf(state.spans, state.seq)?.[0] ?? state.seq) <= read + 1
      if (!isKnown) return
      const later = await replica.messages(room, [read + 1, state.seq])
      tx.put(applyCounts(state, { read, unread: 0, mentions: 0, head: read }, later, replica.user!))
    })
  }
}
