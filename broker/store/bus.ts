/**
 * Signals between nodes that are not stored: typing, replies, ephemeral signals, presence, membership and session
 * changes. With a single node the bus is a function call; Redis will be another implementation.
 */
export interface Bus<Signal> {
  /** Delivers to every node, this one included, in the order sent from here. Never throws. */
  send(signal: Signal): void
  listen(listener: (signal: Signal) => void): void
}

/** The bus of a single node: listeners run before `send` returns. */
export class LocalBus<Signal> implements Bus<Signal> {
  readonly #listeners: ((signal: Signal) => void)[] = []

  send(signal: Signal): void {
    for (const listener of this.#listeners) listener(signal)
  }

  listen(listener: (signal: Signal) => void): void {
    this.#listeners.push(listener)
  }
}
