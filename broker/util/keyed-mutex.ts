/** A mutex per key: work under a key starts when all earlier work under that key has settled. */
export class KeyedMutex {
  /** By key: the promise of the last work queued. */
  readonly #last = new Map<string, Promise<unknown>>()

  runExclusive<T>(key: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#last.get(key) ?? Promise.resolve()).then(work, work)
    this.#last.set(key, done)
    const forget = (): void => {
      if (this.#last.get(key) === done) this.#last.delete(key)
    }
    done.then(forget, forget)
    return done
  }

  /**
   * Holds the lock of `key` until `over` is called. Resolves once `begin` has; if `begin` fails, the lock is released.
   */
  hold(key: string, begin: (over: () => void) => Promise<void>): Promise<void> {
    return new Promise((begun, failed) => {
      const turn = (): Promise<void> =>
        new Promise((over) => {
          begin(over).then(begun, (error: unknown) => {
            over()
            failed(error)
          })
        })
      void this.runExclusive(key, turn)
    })
  }
}
