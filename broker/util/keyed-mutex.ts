/** Work on one thing at a time: what is asked under a key waits for what was asked under it before. */
export class KeyedMutex {
  /** By key: the last work under way. */
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

  /** A turn that lasts until `over` is called. Resolves once `begin` has; where that fails the turn is over too. */
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
