import type { Nodes } from './nodes.js'

/** Signals between nodes that are not stored, and may be lost: typing, replies, ephemeral messages, presence, receipts. */
export interface Bus<Signal> {
  /** To every node, this one included, in the order sent from here. Never throws. */
  send(signal: Signal): void
  /** To this node alone: listeners run before it returns. */
  sendHere(signal: Signal): void
  sendElsewhere(signal: Signal): void
  listen(listener: (signal: Signal) => void): void
}

/** The bus of a single node. */
export class LocalBus<Signal> implements Bus<Signal> {
  readonly #listeners: ((signal: Signal) => void)[] = []

  send(signal: Signal): void {
    this.sendHere(signal)
  }

  sendHere(signal: Signal): void {
    for (const listener of this.#listeners) listener(signal)
  }

  /** There is nobody else. */
  sendElsewhere(_signal: Signal): void {}

  listen(listener: (signal: Signal) => void): void {
    this.#listeners.push(listener)
  }
}

/** The bus of nodes that share a store. A signal is data, which can be sent to another process. */
export class NodeBus<Signal> extends LocalBus<Signal> {
  readonly #nodes: Pick<Nodes, 'send'>

  constructor(nodes: Pick<Nodes, 'send' | 'listen'>) {
    super()
    this.#nodes = nodes
    nodes.listen((_, { kind, signal }) => {
      if (kind === 'signal') this.sendHere(signal as Signal)
    })
  }

  override send(signal: Signal): void {
    super.send(signal)
    this.sendElsewhere(signal)
  }

  override sendElsewhere(signal: Signal): void {
    this.#nodes.send(null, { kind: 'signal', signal })
  }
}
