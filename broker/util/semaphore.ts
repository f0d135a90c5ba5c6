/**
 * A counting semaphore with a bounded number of waiting requests, which are served fairly: places take turns, and at
 * each place names take turns, so that a requester with many requests does not delay one with few.
 */
export interface Requester {
  /** Where the request comes from, such as a network. */
  readonly place: string
  /** On whose behalf. */
  readonly name: string
  /** Identifies a request: a repetition takes the position of the one that waits, which is rejected. */
  readonly key?: string | undefined
}

/** For callers without distinct requesters: first in, first out. */
export const ANYONE: Requester = { place: '', name: '' }

interface Waiting {
  readonly key: string | undefined
  readonly start: () => void
  readonly reject: () => void
}

export class Semaphore {
  #free: number
  readonly #maxWaiting: number
  /** Makes the error of a request that is rejected because too many wait. */
  readonly #full: () => Error
  /** By place and name, each in the order in which they are served next. */
  readonly #queues = new Map<string, Map<string, Waiting[]>>()
  #waiting = 0

  constructor(permits: number, maxWaiting: number, full: () => Error) {
    this.#free = permits
    this.#maxWaiting = maxWaiting
    this.#full = full
  }

  async run<T>(requester: Requester, work: () => Promise<T>): Promise<T> {
    await this.#acquire(requester)
    try {
      return await work()
    } finally {
      const next = this.#next()
      if (next) next.start()
      else this.#free++
    }
  }

  async #acquire(requester: Requester): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((start, failed) => {
      this.#enqueue(requester, { key: requester.key, start, reject: () => failed(this.#full()) })
      if (this.#waiting > this.#maxWaiting) this.#rejectOne()
    })
  }

  #enqueue({ place, name }: Requester, waiting: Waiting): void {
    const names = this.#queues.get(place) ?? new Map<string, Waiting[]>()
    const queue = names.get(name) ?? []
    const before = waiting.key === undefined ? -1 : queue.findIndex(({ key }) => key === waiting.key)
    if (before >= 0) {
      queue[before]!.reject()
      queue[before] = waiting
      return
    }
    queue.push(waiting)
    names.set(name, queue)
    this.#queues.set(place, names)
    this.#waiting++
  }

  /** Takes from the first name of the first place, and moves both to the end. */
  #next(): Waiting | undefined {
    const [place, names] = first(this.#queues)
    if (!names) return undefined
    const [name, queue] = first(names)
    const waiting = queue!.shift()
    names.delete(name!)
    if (queue!.length > 0) names.set(name!, queue!)
    this.#queues.delete(place!)
    if (names.size > 0) this.#queues.set(place!, names)
    this.#waiting--
    return waiting
  }

  /** Rejects the latest request of the name with most requests, at the place with most requests. */
  #rejectOne(): void {
    const [place, names] = most(this.#queues, (queues) =>
      [...queues.values()].reduce((sum, queue) => sum + queue.length, 0),
    )
    const [name, queue] = most(names, ({ length }) => length)
    const waiting = queue.pop()!
    if (queue.length === 0) names.delete(name)
    if (names.size === 0) this.#queues.delete(place)
    this.#waiting--
    waiting.reject()
  }
}

function first<K, V>(map: ReadonlyMap<K, V>): [K, V] | [undefined, undefined] {
  for (const entry of map) return entry
  return [undefined, undefined]
}

/** The entry with the highest count; of equals the last, which has waited least. */
function most<K, V>(map: ReadonlyMap<K, V>, count: (value: V) => number): [K, V] {
  let [found, largest]: [[K, V] | null, number] = [null, -1]
  for (const entry of map) {
    const size = count(entry[1])
    if (size >= largest) [found, largest] = [entry, size]
  }
  return found!
}
