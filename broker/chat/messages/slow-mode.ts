/** Maximum number of senders in memory. Beyond it the least recent ones are dropped, which can only allow a message early. */
const MAX_SENDERS = 10_000

export interface Pace {
  readonly waitMs: number
  /** Unix ms of the previous message; undefined: unknown. */
  readonly before: number | undefined
}

/** Remembers when each member last wrote in a room with slow mode. In memory: a restart allows one message early. */
export class SlowMode {
  /** Unix ms of the last message by room and user, in order of time. */
  readonly #last = new Map<string, number>()

  /** Records a message, unless it is too early. `waitMs`: remaining ms; 0: recorded. */
  take(room: string, user: string, seconds: number, now = Date.now()): Pace {
    const key = `${room} ${user}`
    const before = this.#last.get(key)
    const waitMs = before === undefined ? 0 : Math.max(0, before + seconds * 1000 - now)
    if (waitMs > 0) return { waitMs, before }
    this.#last.delete(key)
    this.#last.set(key, now)
    if (this.#last.size > MAX_SENDERS) this.#last.delete(this.#last.keys().next().value!)
    return { waitMs, before }
  }

  /** Undoes `take`, because the message was not accepted. */
  giveBack(room: string, user: string, { before }: Pace): void {
    const key = `${room} ${user}`
    if (before === undefined) this.#last.delete(key)
    else this.#last.set(key, before)
  }
}
