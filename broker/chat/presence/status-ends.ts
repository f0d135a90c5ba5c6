/** Ends of statuses: when one is over, those who watch the user are told. Every node tells those who are connected to it. */
import type { PresenceRecord } from '../../store/presence.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'

export class StatusEnds {
  readonly #wheel: TimerWheel
  readonly #over: (user: string) => void
  readonly #ends = new Map<string, Deadline>()

  /** @param over Called at the end, or a moment after it */
  constructor(wheel: TimerWheel, over: (user: string) => void) {
    this.#wheel = wheel
    this.#over = over
  }

  /** What is shown of the user by now. */
  noted(user: string, { statusUntil }: Pick<PresenceRecord, 'statusUntil'>): void {
    this.forget(user)
    if (!statusUntil || statusUntil <= Date.now()) return
    const end = { due: () => this.#due(user) }
    this.#ends.set(user, end)
    this.#wheel.set(end, statusUntil)
  }

  forget(user: string): void {
    const end = this.#ends.get(user)
    if (end) this.#wheel.delete(end)
    this.#ends.delete(user)
  }

  #due(user: string): number {
    this.#ends.delete(user)
    this.#over(user)
    return 0
  }
}
