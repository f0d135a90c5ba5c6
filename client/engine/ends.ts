/** Messages with a `ttl`: at their end the device forgets what they said, and shows of them what the broker shows then. */
import type { Clock, Stop } from '../base/platform.js'
import type { Replica, Transaction } from './replica.js'
import { applyEnds, type RoomState, type Unsure } from './room-state.js'

/** Ms of one timer: when a device sleeps, so do its timers. Also until a store that failed is tried again. */
const LONGEST_TIMER = 60_000

export class Ends {
  readonly #replica: Replica
  readonly #clock: Pick<Clock, 'timer'>
  readonly #ask: (tx: Transaction, room: string, unsure: Unsure) => void
  #stopTimer: Stop = () => {}
  #stopListening: Stop | null = null

  /** `ask`: a room has to be asked for something. */
  constructor(
    replica: Replica,
    clock: Pick<Clock, 'timer'>,
    ask: (tx: Transaction, room: string, unsure: Unsure) => void,
  ) {
    this.#replica = replica
    this.#clock = clock
    this.#ask = ask
  }

  /** From now on, until `stop`. */
  start(): void {
    this.#stopListening ??= this.#replica.subscribe(() => this.#wait())
  }

  stop(): void {
    this.#stopTimer()
    this.#stopListening?.()
    this.#stopListening = null
  }

  /** Applies the ends that have come. */
  async apply(tx: Transaction): Promise<void> {
    const { user, clock, rooms } = this.#replica
    const now = clock.now()
    for (const [room, state] of rooms) {
      const seqs = endsOf(state).flatMap(([seq, end]) => (end <= now ? Number(seq) : []))
      if (seqs.length === 0) continue
      const { unsure, ...applied } = applyEnds(state, seqs, await tx.messages(room, seqs), user!)
      tx.put(applied.state, applied.messages)
      const roots = await tx.messages(room, unsure.roots)
      this.#ask(tx, room, { ...unsure, roots: [...roots.keys()] })
    }
  }

  /** Until the next end, and at least so long. */
  #wait(least = 0): void {
    let next = Number.POSITIVE_INFINITY
    for (const state of this.#replica.rooms.values()) for (const [, end] of endsOf(state)) next = Math.min(next, end)
    this.#stopTimer()
    if (next === Number.POSITIVE_INFINITY) return
    const rest = Math.min(Math.max(next - this.#replica.clock.now(), least), LONGEST_TIMER)
    this.#stopTimer = this.#clock.timer(rest, () => void this.#over())
  }

  async #over(): Promise<void> {
    const act = this.#replica.transact((tx) => this.apply(tx))
    const least = await act.then(() => 0).catch(() => LONGEST_TIMER)
    if (this.#stopListening) this.#wait(least)
  }
}

function endsOf({ ends = {} }: RoomState): [seq: string, end: number][] {
  return Object.entries(ends)
}
