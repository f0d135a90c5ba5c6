/** Most senders remembered; beyond it the longest silent are forgotten, which only ever allows more. */
const MAX_SENDERS = 10_000

export interface Pace {
  readonly early: number
  /** Unix ms of the message before; undefined: none is known. */
  readonly before: number | undefined
}

/** When each member last wrote in rooms that allow a message every so many seconds. In memory: a restart allows one more. */
export class SlowMode {
  /** By room and user: Unix ms of the last message. In order of time. */
  readonly #last = new Map<string, number>()

  /** Takes the turn of a member; `early`: or by how many ms it is too early. */
  take(room: string, user: string, seconds: number, now = Date.now()): Pace {
    const key = `${room} ${user}`
    const before = this.#last.get(key)
    const early = before === undefined ? 0 : Math.max(0, before + seconds * 1000 - now)
    if (early > 0) return { early, before }
    this.#last.delete(key)
    this.#last.set(key, now)
    if (this.#last.size > MAX_SENDERS) this.#last.delete(this.#last.keys().next().value!)
    return { early, before }
  }

  /** The message was not taken after all. */
  giveBack(room: string, user: string, { before }: Pace): void {
    const key = `${room} ${user}`
    if (before === undefined) this.#last.delete(key)
    else this.#last.set(key, before)
  }
}
