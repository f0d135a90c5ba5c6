/** Work for when there is time: one thing at a time, and those who have much to do take turns with those who have little. */
export class FairQueue {
  /** By key, whose turn is next first: what waits, oldest first. */
  readonly #lines = new Map<string, (() => Promise<void>)[]>()
  #serving: Promise<void> | null = null

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const turn = (): Promise<void> => work().then(resolve, reject)
      const line = this.#lines.get(key)
      if (line) line.push(turn)
      else this.#lines.set(key, [turn])
      this.#serving ??= this.#serve()
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#serving
  }

  async #serve(): Promise<void> {
    // A map is walked to what is added meanwhile: who has more to do is put behind all others.
    for (const [key, line] of this.#lines) {
      const turn = line.shift()!
      this.#lines.delete(key)
      if (line.length > 0) this.#lines.set(key, line)
      await turn()
    }
    this.#serving = null
  }
}
