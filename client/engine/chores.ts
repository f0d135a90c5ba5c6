import type { ChatError } from '../base/chat-error.js'
import type { Clock, Stop } from '../base/platform.js'

/** Rooms that are under way at a time. */
const AT_ONCE = 8
/** Ms until what failed for a moment is tried again, and at most. */
const RETRY = 5000
const LONGEST_RETRY = 300_000

/** `act`: not twice for a room at a time. Rejects with a `ChatError`; what is not transient is given up. */
export type MakeChores = (act: (room: string) => Promise<unknown>) => Chores

/** What the broker has to be asked for, or told, of rooms: each at once, and again, later each time, when it does not answer for a moment. */
export class Chores {
  readonly #act: (room: string) => Promise<unknown>
  readonly #clock: Pick<Clock, 'timer'>
  readonly #waiting = new Set<string>()
  readonly #underWay = new Set<string>()
  #isUp = false
  #failures = 0
  /** Null: nothing has to be waited for. */
  #stopWait: Stop | null = null

  constructor(act: (room: string) => Promise<unknown>, clock: Pick<Clock, 'timer'>) {
    this.#act = act
    this.#clock = clock
  }

  add(room: string): void {
    this.#waiting.add(room)
    this.#begin()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** There is a connection. */
  up(): void {
    this.down()
    this.#isUp = true
    this.#failures = 0
    this.#begin()
  }

  /** All of it waits for the next connection. */
  down(): void {
    this.#isUp = false
    this.#stopWait?.()
    this.#stopWait = null
  }

  #begin(): void {
    for (const room of this.#waiting) {
      if (!this.#isUp || this.#stopWait || this.#underWay.size >= AT_ONCE) return
      if (!this.#underWay.has(room)) void this.#do(room)
    }
  }

  /** Never rejects. */
  async #do(room: string): Promise<void> {
    this.#waiting.delete(room)
    this.#underWay.add(room)
    await this.#act(room).then(
      () => void (this.#failures = 0),
      (error: ChatError) => void (error.transient && this.#again(room, error)),
    )
    this.#underWay.delete(room)
    this.#begin()
  }

  #again(room: string, { retryAfter = 0 }: ChatError): void {
    this.#waiting.add(room)
    if (!this.#isUp || this.#stopWait) return
    const over = (): void => {
      this.#stopWait = null
      this.#begin()
    }
    const delay = Math.min(RETRY * 2 ** this.#failures++, LONGEST_RETRY)
    this.#stopWait = this.#clock.timer(Math.max(delay, retryAfter * 1000), over)
  }
}
