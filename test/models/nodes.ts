/**
 * Nodes that share a store, all in one process. What it models is what a node may count on of others: messages arrive later, in order, as data,
 * or not at all; who is gone is known at some time, and told once. Nothing in it depends on time: who is gone is said by the test.
 */
import type { NodeEntry, NodeFacts, NodeMessage, Nodes } from '../../broker/store/nodes.js'
import { sent } from './strange-store.js'

export class NodeGroup {
  readonly members = new Map<number, ModelNode>()
  latest = 0

  join(): ModelNode {
    const node = new ModelNode(++this.latest, this)
    this.members.set(node.self, node)
    return node
  }
}

export class ModelNode implements Nodes {
  readonly self: number
  readonly shared = true
  readonly #group: NodeGroup
  readonly #listeners: ((from: number, message: NodeMessage) => void)[] = []
  readonly #onGone: ((node: number) => void)[] = []
  readonly #onLost: (() => void)[] = []
  #held: (() => void)[] | null = null
  #facts: (() => NodeFacts) | null = null

  constructor(self: number, group: NodeGroup) {
    this.self = self
    this.#group = group
  }

  get latest(): number {
    return this.#group.latest
  }

  alive(): ReadonlySet<number> {
    return new Set(this.#group.members.keys())
  }

  onGone(listener: (node: number) => void): void {
    this.#onGone.push(listener)
  }

  onLost(listener: () => void): void {
    this.#onLost.push(listener)
  }

  send(to: number | null, message: NodeMessage): void {
    const data = sent(message)
    for (const [number, node] of this.#group.members)
      if (to === null ? node !== this : number === to) setImmediate(() => node.#receive(this.self, data))
  }

  listen(listener: (from: number, message: NodeMessage) => void): void {
    this.#listeners.push(listener)
  }

  describe(facts: () => NodeFacts): void {
    this.#facts = facts
  }

  async list(): Promise<readonly NodeEntry[]> {
    return [...this.#group.members.values()].flatMap((node) =>
      node.#facts ? [{ node: node.self, ...node.#facts() }] : [],
    )
  }

  /** What others tell arrives when it is released. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const one of held) one()
  }

  /** The others know that it is gone. */
  leave(): void {
    this.#group.members.delete(this.self)
    for (const node of this.#group.members.values()) node.#hear(() => node.#gone(this.self))
  }

  /** It hears that it was silent for too long. */
  lose(): void {
    for (const listener of this.#onLost) listener()
  }

  #receive(from: number, message: NodeMessage): void {
    this.#hear(() => {
      for (const listener of this.#listeners) listener(from, message)
    })
  }

  #gone(node: number): void {
    for (const listener of this.#onGone) listener(node)
  }

  #hear(told: () => void): void {
    if (this.#held) this.#held.push(told)
    else told()
  }
}
