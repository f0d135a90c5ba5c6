/**
 * What nodes tell each other and nobody stores: typing, replies, signals, presence, membership and session changes.
 * With one node the bus is a function call; it is the seam where Redis comes in.
 */
export interface Bus<Signal> {
  /** Reaches every node, this one included, in the order sent from here. Never throws. */
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
