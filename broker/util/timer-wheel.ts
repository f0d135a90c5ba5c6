/** Milliseconds between two ticks. */
const TICK = 250

/** Something with a deadline. */
export interface Deadline {
  /**
   * Called when its deadline may have passed. Returns the next deadline (Unix ms), or 0 for none. `now`: Unix ms;
   * `steady`: `TimerWheel.steady`.
   */
  due(now: number, steady: number): number
}

/**
 * One timer for the deadlines of all connections (connect, keep alive, token expiry). A received packet sets no timer,
 * it only records its time; a deadline that has moved meanwhile is put into a later slot when its slot comes up.
 */
export class TimerWheel {
  /** Unix ms of the last tick: precise enough for deadlines, and cheaper than `Date.now()`. */
  now = Date.now()
  /** Milliseconds of the monotonic clock at the last tick: durations of silence are measured by it. */
  steady = performance.now()
  #slots = new Map<number, Set<Deadline>>()
  readonly #slotOf = new Map<Deadline, number>()
  #nextSlot: number
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.#nextSlot = slot(this.now)
    this.#timer = setInterval(() => this.#tick(), TICK)
    this.#timer.unref()
  }

  /** Calls `item.due` at `at` (Unix ms) or within a tick after it. Replaces an earlier deadline of the item. */
  set(item: Deadline, at: number): void {
    this.delete(item)
    const when = Math.max(slot(at) + 1, this.#nextSlot)
    let members = this.#slots.get(when)
    if (!members) this.#slots.set(when, (members = new Set()))
    members.add(item)
    this.#slotOf.set(item, when)
  }

  delete(item: Deadline): void {
    const when = this.#slotOf.get(item)
    if (when === undefined) return
    this.#slotOf.delete(item)
    const members = this.#slots.get(when)
    members?.delete(item)
    if (members?.size === 0) this.#slots.delete(when)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    this.now = Date.now()
    this.steady = performance.now()
    const current = slot(this.now)
    const back = this.#nextSlot - 1 - current
    if (back > 0) this.#setBack(back)
    // After the clock has jumped far ahead, do not loop over every slot in between.
    const due =
      current - this.#nextSlot > this.#slots.size
        ? [...this.#slots.keys()].filter((at) => at <= current)
        : range(this.#nextSlot, current)
    this.#nextSlot = Math.max(this.#nextSlot, current + 1)
    for (const at of due) this.#runSlot(at)
  }

  /** The clock was set back: shift all slots, so that each item waits for what was left. */
  #setBack(slots: number): void {
    this.#slots = new Map([...this.#slots].map(([at, members]) => [at - slots, members]))
    for (const [item, at] of this.#slotOf) this.#slotOf.set(item, at - slots)
    this.#nextSlot -= slots
  }

  #runSlot(at: number): void {
    const members = this.#slots.get(at)
    if (!members) return
    this.#slots.delete(at)
    for (const item of members) {
      this.#slotOf.delete(item)
      const next = item.due(this.now, this.steady)
      if (next > 0) this.set(item, next)
    }
  }
}

function slot(ms: number): number {
  return Math.floor(ms / TICK)
}

function range(from: number, to: number): number[] {
  const slots: number[] = []
  for (let at = from; at <= to; at++) slots.push(at)
  return slots
}
