/** How often deadlines are looked at, in ms. */
const TICK = 250

/** Something with a deadline. */
export interface Deadline {
  /** Asked when it may have passed, at `now` (Unix ms; `steady`: `TimerWheel.steady`); answers with the next one (Unix ms), or 0 for none. */
  due(now: number, steady: number): number
}

/**
 * One timer for all deadlines of all connections (connect, keepalive, token expiry): a packet costs no timer, only a note of
 * when it came; a deadline that turns out to have moved is put into a later slot.
 */
export class TimerWheel {
  /** Unix ms of the last tick: a clock good enough for deadlines, for the price of a field. */
  now = Date.now()
  /** Ms at the last tick by a clock that nobody sets: what is silent for long is measured by it. */
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

  /** Asks `item` at `at` (Unix ms) or within a tick after it. One deadline per item: the earlier one is forgotten. */
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
    // A clock that jumped far must not cost a loop over every slot in between.
    const due =
      current - this.#nextSlot > this.#slots.size
        ? [...this.#slots.keys()].filter((at) => at <= current)
        : range(this.#nextSlot, current)
    this.#nextSlot = Math.max(this.#nextSlot, current + 1)
    for (const at of due) this.#turn(at)
  }

  /** The clock was set back: whoever waits goes on waiting for as long as was left. */
  #setBack(slots: number): void {
    this.#slots = new Map([...this.#slots].map(([at, members]) => [at - slots, members]))
    for (const [item, at] of this.#slotOf) this.#slotOf.set(item, at - slots)
    this.#nextSlot -= slots
  }

  #turn(at: number): void {
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
