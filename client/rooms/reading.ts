/** Tells the broker how far the user has read: soon, and once for many messages. */
import type { CommandParams } from '../../schemas/commands.js'
import type { ChatError } from '../base/chat-error.js'
import type { Clock, Stop } from '../base/platform.js'
import type { Chores } from '../engine/chores.js'
import type { Engine } from '../engine/engine.js'
import { applyCounts, type RoomState } from '../engine/room-state.js'
import { spanOf } from '../engine/spans.js'
import type { Methods } from '../requests/methods.js'

/** Ms for which further messages are waited for. */
const DELAY = 300

type Read = CommandParams<'read'>

export class Reading {
  readonly #engine: Engine
  readonly #ask: Methods
  readonly #clock: Pick<Clock, 'timer'>
  /** The last message read, by room, or by room and thread, as far as the broker has not answered. */
  readonly #read = new Map<string, Read>()
  readonly #sends: Chores
  #stopTimer: Stop | null = null

  constructor(engine: Engine, ask: Methods, clock: Pick<Clock, 'timer'>) {
    this.#engine = engine
    this.#ask = ask
    this.#clock = clock
    this.#sends = engine.chores((place) => this.settle(place))
  }

  /** `thread`: only in the thread that this message began. */
  read(room: string, seq: number, thread?: number): void {
    const place = thread ? `${room} ${thread}` : room
    const { read = 0, unsaid = 0 }: Partial<RoomState> = (!thread && this.#engine.replica.rooms.get(room)) || {}
    if (seq <= Math.max(this.#read.get(place)?.seq ?? 0, read, unsaid)) return
    this.#read.set(place, { room, seq, ...(thread && { thread }) })
    if (!thread) this.#show(room, seq).catch(() => {})
    if (this.#sends.isUp) this.#stopTimer ??= this.#clock.timer(DELAY, () => this.flush())
  }

  /** There is a connection: sends what was not answered yet, also what was read before a reload. */
  begin(): void {
    for (const { room, unsaid } of this.#engine.replica.rooms.values())
      if (unsaid && !this.#read.has(room)) this.#read.set(room, { room, seq: unsaid })
    this.flush()
  }

  /** Sends what was not answered yet. */
  flush(): void {
    this.#stopTimer?.()
    this.#stopTimer = null
    for (const place of this.#read.keys()) this.#sends.add(place)
  }

  /** Sends what was read of one room, or of one of its threads, so that what is asked for next comes after it. */
  async settle(place: string): Promise<void> {
    const read = this.#read.get(place)
    if (!read) return
    await this.#ask.read(read).catch((error: ChatError) => {
      if (error.transient) throw error
    })
    if (this.#read.get(place) === read) this.#read.delete(place)
    if (read.thread) return
    await this.#engine.replica.transact(async (tx) => {
      const state = tx.room(read.room)
      if (state?.unsaid === read.seq) tx.put({ ...state, unsaid: 0 })
    })
    this.#engine.count(read.room)
  }

  /** Another user has logged in. */
  forget(): void {
    this.#read.clear()
    this.flush()
  }

  /** Keeps it until the broker has answered, and counts before that, if the client has all that is to be counted. */
  #show(room: string, read: number): Promise<void> {
    const { replica } = this.#engine
    return replica.transact(async (tx) => {
      const state = tx.room(room)
      if (!state || read <= state.read) return
      const isKnown = (spanOf(state.spans, state.seq)?.[0] ?? state.seq) <= read + 1
      const later = isKnown ? await replica.messages(room, [read + 1, state.seq]) : []
      const counts = { read, unread: 0, mentions: 0, head: read }
      tx.put({ ...(isKnown ? applyCounts(state, counts, later, replica.user!) : state), unsaid: read })
    })
  }
}
