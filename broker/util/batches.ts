/**
 * Work that is done for several at once: what is asked for of a key while work of that key is under way waits, and is then
 * done together.
 */
export class Batches<T, R> {
  readonly #work: (items: readonly T[]) => Promise<readonly R[]>
  /** By key, while work is under way: what comes next. */
  readonly #waiting = new Map<string, Entry<T, R>[]>()

  /** @param work Resolves with a result for each item, in their order; if it rejects, that is the outcome of all */
  constructor(work: (items: readonly T[]) => Promise<readonly R[]>) {
    this.#work = work
  }

  /** Resolves with the result of this item. */
  add(key: string, item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      const entry = { item, resolve, reject }
      const waiting = this.#waiting.get(key)
      if (waiting) waiting.push(entry)
      else void this.#run(key, [entry])
    })
  }

  async #run(key: string, first: Entry<T, R>[]): Promise<void> {
    for (let batch = first; batch.length > 0; batch = this.#waiting.get(key)!) {
      this.#waiting.set(key, [])
      try {
        const results = await this.#work(batch.map(({ item }) => item))
        for (const [i, { resolve }] of batch.entries()) resolve(results[i]!)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#waiting.delete(key)
  }
}

interface Entry<T, R> {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}
