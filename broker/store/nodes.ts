/** The processes that share the store, called nodes: each knows which others may be serving sessions, and can tell them something. */

export interface Nodes {
  /** Number of this process: ascending over all that ever were on this store, and never used twice. */
  readonly self: number
  /** Whether there may be others. If not, nobody has to claim what it serves. */
  readonly shared: boolean
  /** Those that may still serve sessions, this one included. */
  alive(): ReadonlySet<number>
  /** The highest number that was ever among them. */
  readonly latest: number
  /** Told once of each node that is known to be gone (closed, or silent for longer than its lease): what it held may be taken. */
  onGone(listener: (node: number) => void): void
  /** This node was silent for longer than its lease: others may have taken what it held. It ends its connections, and begins anew with another number. */
  onLost(listener: () => void): void
  /** May be lost; arrives in order from one node to another. Null: to all but this one. */
  send(to: number | null, message: NodeMessage): void
  listen(listener: (from: number, message: NodeMessage) => void): void
  /** `facts` is asked from now on, once in a few seconds, for what this node says of itself. */
  describe(facts: () => NodeFacts): void
  /** What the nodes that are there say of themselves, this one included, by their number. @throws StoreError */
  list(): Promise<readonly NodeEntry[]>
}

export interface NodeFacts {
  /** `node.id`. */
  readonly name: string
  readonly version: string
  /** URLs of its listeners. */
  readonly addresses: readonly string[]
  /** Unix ms of its start. */
  readonly since: number
  readonly connections: number
}

export interface NodeEntry extends NodeFacts {
  readonly node: number
}

/** Data, which can be sent to another process. */
export type NodeMessage = { readonly kind: 'signal'; readonly signal: unknown }

/** Whether a node may still serve sessions. One that joined a moment ago is not known everywhere yet, but its number is higher than any before. */
export function mayServe(nodes: Pick<Nodes, 'alive' | 'latest'>, node: number): boolean {
  return nodes.alive().has(node) || node > nodes.latest
}

/** The only process on its store. */
export class SingleNode implements Nodes {
  readonly self = 1
  readonly latest = 1
  readonly shared = false
  readonly #alive: ReadonlySet<number> = new Set([this.self])
  #facts: (() => NodeFacts) | null = null

  alive(): ReadonlySet<number> {
    return this.#alive
  }

  /** There are no others. */
  onGone(): void {}

  /** Nobody could take anything. */
  onLost(): void {}

  send(): void {}

  listen(): void {}

  describe(facts: () => NodeFacts): void {
    this.#facts = facts
  }

  async list(): Promise<readonly NodeEntry[]> {
    return this.#facts ? [{ node: this.self, ...this.#facts() }] : []
  }
}
