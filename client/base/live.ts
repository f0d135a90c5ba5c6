/**
 * A value that changes, and can be looked at, subscribed to, and iterated. It fits `useSyncExternalStore`, signals, stores and `for await`
 * alike. Values are never changed in place: another one takes their place.
 */
export interface Live<T> extends AsyncIterable<T> {
  readonly current: T
  /** Calls `listener` with each value from now on, in order. Returns a function that ends it. */
  subscribe(listener: (value: T) => void): () => void
  /**
   * The current value, then later ones. Who reads slowly skips values, but never the last one: nothing is buffered. It ends with `return`,
   * as `break` in a loop does.
   */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined>
}

/** The `Live` of whoever owns the value. */
export class LiveValue<T> implements Live<T> {
  #current: T
  /** How often it was set. */
  #version = 0
  readonly #listeners = new Set<{ readonly call: (value: T) => void }>()
  readonly #failed: (error: unknown) => void

  /** `failed` gets what listeners throw: neither the owner of the value nor other listeners notice. */
  constructor(value: T, failed: (error: unknown) => void = reportLater) {
    this.#current = value
    this.#failed = failed
  }

  get current(): T {
    return this.#current
  }

  /** Listeners that subscribe meanwhile do not get this value; those that were ended meanwhile do not, either. */
  set(value: T): void {
    if (Object.is(value, this.#current)) return
    this.#current = value
    const version = ++this.#version
    for (const listener of [...this.#listeners]) {
      // A listener has set another value, which all have heard of by now.
      if (this.#version !== version) return
      if (this.#listeners.has(listener)) this.#tell(listener.call, value)
    }
  }

  subscribe(listener: (value: T) => void): () => void {
    // One function may be subscribed twice.
    const entry = { call: listener }
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new LiveIterator(this)
  }

  #tell(call: (value: T) => void, value: T): void {
    try {
      call(value)
    } catch (error) {
      this.#failed(error)
    }
  }
}

/** Lets the platform report it as an uncaught error, outside of what the owner of the value does. */
export function reportLater(error: unknown): void {
  void Promise.resolve().then(() => {
    throw error
  })
}

type Result<T> = IteratorResult<T, undefined>

class LiveIterator<T> implements AsyncIterator<T, undefined> {
  readonly #live: Live<T>
  /** Null: nothing was asked for yet. An iterator that is made and not used costs nothing. */
  #stop: (() => void) | null = null
  /** The current value was not given out yet. */
  #isNew = true
  #isOver = false
  readonly #waiting: ((result: Result<T>) => void)[] = []

  constructor(live: Live<T>) {
    this.#live = live
  }

  async next(): Promise<Result<T>> {
    if (this.#isOver) return { done: true, value: undefined }
    this.#stop ??= this.#live.subscribe((value) => this.#changed(value))
    if (!this.#isNew) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#isNew = false
    return { done: false, value: this.#live.current }
  }

  async return(): Promise<Result<T>> {
    this.#isOver = true
    this.#stop?.()
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
    return { done: true, value: undefined }
  }

  #changed(value: T): void {
    const next = this.#waiting.shift()
    if (next) next({ done: false, value })
    else this.#isNew = true
  }
}
