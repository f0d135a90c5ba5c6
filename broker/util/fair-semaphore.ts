/**
 * So much work at a time, and a bounded number of it waits. Who waits is served by turns: one place after another, and of one place one name
 * after another, so that nobody who asks for much stands in the way of who asks for little.
 */
export interface Requester {
  /** Where it comes from, such as an address. */
  readonly place: string
  /** For whom. */
  readonly name: string
  /** What asks: who asks for the same again while it waits does so in its place, and the one before is turned away. */
  readonly key?: string | undefined
}

interface Waiting {
  readonly key: string | undefined
  readonly go: () => void
  readonly turnAway: () => void
}

export class FairSemaphore {
  #free: number
  readonly #maxWaiting: number
  /** What is said to who has to go, where the line is too long. */
  readonly #full: () => Error
  /** By place and name; whose turn it is comes first. */
  readonly #line = new Map<string, Map<string, Waiting[]>>()
  #waiting = 0

  constructor(slots: number, maxWaiting: number, full: () => Error) {
    this.#free = slots
    this.#maxWaiting = maxWaiting
    this.#full = full
  }

  async run<T>(asking: Requester, work: () => Promise<T>): Promise<T> {
    await this.#take(asking)
    try {
      return await work()
    } finally {
      const next = this.#next()
      if (next) next.go()
      else this.#free++
    }
  }

  async #take(asking: Requester): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((go, failed) => {
      this.#join(asking, { key: asking.key, go, turnAway: () => failed(this.#full()) })
      if (this.#waiting > this.#maxWaiting) this.#turnAwayOne()
    })
  }

  #join({ place, name }: Requester, waiting: Waiting): void {
    const here = this.#line.get(place) ?? new Map<string, Waiting[]>()
    const mine = here.get(name) ?? []
    const before = waiting.key === undefined ? -1 : mine.findIndex(({ key }) => key === waiting.key)
    if (before >= 0) {
      mine[before]!.turnAway()
      mine[before] = waiting
      return
    }
    mine.push(waiting)
    here.set(name, mine)
    this.#line.set(place, here)
    this.#waiting++
  }

  /** The first name of the first place; both go to the end. */
  #next(): Waiting | undefined {
    const [place, here] = first(this.#line)
    if (!here) return undefined
    const [name, mine] = first(here)
    const waiting = mine!.shift()
    here.delete(name!)
    if (mine!.length > 0) here.set(name!, mine!)
    this.#line.delete(place!)
    if (here.size > 0) this.#line.set(place!, here)
    this.#waiting--
    return waiting
  }

  /** The last to come of who waits most often, at the place where most wait. */
  #turnAwayOne(): void {
    const [place, here] = most(this.#line, (names) => [...names.values()].reduce((sum, mine) => sum + mine.length, 0))
    const [name, mine] = most(here, ({ length }) => length)
    const waiting = mine.pop()!
    if (mine.length === 0) here.delete(name)
    if (here.size === 0) this.#line.delete(place)
    this.#waiting--
    waiting.turnAway()
  }
}

function first<K, V>(map: ReadonlyMap<K, V>): [K, V] | [undefined, undefined] {
  for (const entry of map) return entry
  return [undefined, undefined]
}

/** Of equals the one that came last: it has waited least. */
function most<K, V>(map: ReadonlyMap<K, V>, count: (value: V) => number): [K, V] {
  let [found, largest]: [[K, V] | null, number] = [null, -1]
  for (const entry of map) {
    const size = count(entry[1])
    if (size >= largest) [found, largest] = [entry, size]
  }
  return found!
}
