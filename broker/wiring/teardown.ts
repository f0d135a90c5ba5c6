interface Closable {
  close(): Promise<void> | void
}

/** What has been opened, to be closed in reverse order. */
export class Teardown {
  readonly #opened: Closable[] = []

  add(opened: Closable): void {
    this.#opened.push(opened)
  }

  /** Closes everything, once. */
  async close(): Promise<void> {
    for (const opened of this.#opened.splice(0).reverse()) await opened.close()
  }
}
