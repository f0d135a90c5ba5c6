/** Most senders remembered; beyond it the longest silent are forgotten, which only ever allows more. */
const MAX_SENDERS = 10_000

/** When each member last wrote in rooms that allow a message every so many seconds. In memory: a restart allows one more. */
export class SlowMode {
  /** By room and user: Unix ms of the last message. In order of time. */
  readonly #last = new Map<string, number>()

  /** Takes the turn of a member and answers 0, or how many ms it is early. */
  take(room: string, user: string, seconds: number, now = Date.now()): number {
    const key = `${room} ${user}`
    const last = this.#last.get(key)
    const wait = last === undefined ? 0 : last + seconds * 1000 - now
    if (wait > 0) return wait
    this.#last.delete(key)
    this.#last.set(key, now)
    if (this.#last.size > MAX_SENDERS) this.#last.delete(this.#last.keys().next().value!)
    return 0
  }

  /** The message was not taken after all. */
  giveBack(room: string, user: string): void {
    this.#last.delete(`${room} ${user}`)
  }
}
