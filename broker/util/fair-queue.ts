/** Runs background work one job at a time. Keys take turns, so that a key with many jobs does not delay the others. */
export class FairQueue {
  /** By key, the next to be served first: its waiting jobs, oldest first. */
  readonly #queues = new Map<string, (() => Promise<void>)[]>()
  #serving: Promise<void> | null = null

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const job = (): Promise<void> => work().then(resolve, reject)
      const queue = this.#queues.get(key)
      if (queue) queue.push(job)
      else this.#queues.set(key, [job])
      this.#serving ??= this.#serve()
    })
  }

  /** Resolves when no job waits any more. */
  async idle(): Promise<void> {
    await this.#serving
  }

  async #serve(): Promise<void> {
    // Iteration of a Map includes keys added during it: a key with more jobs is appended and served again after all
    // others.
    for (const [key, queue] of this.#queues) {
      const job = queue.shift()!
      this.#queues.delete(key)
      if (queue.length > 0) this.#queues.set(key, queue)
      await job()
    }
    this.#serving = null
  }
}
