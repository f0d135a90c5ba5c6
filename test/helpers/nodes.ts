/** Brokers that share a store, as nodes do: in one process, each with a memory of its own. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Test } from 'tap'
import { type Change, StoreError } from '../../broker/store/changes.js'
import type { LogName } from '../../broker/store/log-name.js'
import type { Op } from '../../broker/store/op.js'
import type { OutboxStore } from '../../broker/store/outbox.js'
import type { Store } from '../../broker/store/store.js'
import { type ModelNode, NodeGroup } from '../models/nodes.js'
import { type Overrides, startTestBroker, type TestBroker } from './broker.js'
import { memoryStore } from './memory-store.js'
import { type SecondMemory, secondMemory } from './two-memories.js'

const SECRET = 'one secret for all nodes, of 32 characters'

export class SharedBroker {
  readonly broker: TestBroker
  readonly node: ModelNode
  readonly #memory: SecondMemory
  readonly #line: WriteLine

  private constructor(broker: TestBroker, node: ModelNode, memory: SecondMemory, line: WriteLine) {
    this.broker = broker
    this.node = node
    this.#memory = memory
    this.#line = line
  }

  static async start(
    t: Test,
    { store, watches }: SharedStore,
    node: ModelNode,
    overrides: Overrides,
  ): Promise<SharedBroker> {
    const line = new WriteLine(store)
    const memory = await secondMemory(store, {
      commit: (change) => line.commit(change),
      catchUp: () => line.open(),
      outbox: outboxOf(store, watches, node),
    })
    const auth = { ...overrides.auth, jwt: { secret: SECRET } }
    const broker = await startTestBroker(t, { ...overrides, auth }, { opened: { store: memory.store, nodes: node } })
    return new SharedBroker(broker, node, memory, line)
  }

  get store(): Store {
    return this.#memory.store
  }

  /** It writes nothing and hears nothing until it goes on. */
  pause(): void {
    this.deafen()
    this.holdWrites()
  }

  holdWrites(): void {
    this.#line.hold()
  }

  /** It cannot find out what the others did, until it goes on. */
  cutOff(): void {
    this.#line.isCutOff = true
  }

  /** Whether a change is held back by which messages leave a queue. */
  holdsDequeue(session: string): boolean {
    return this.#line.holds((op) => op.type === 'dequeue' && op.sessionId === session)
  }

  /** Whether a change is held back that is about the state of a session. */
  holdsStateOf(session: string): boolean {
    return this.#line.holds((op) => op.type === 'put' && op.table === 'sessionState' && op.key.startsWith(session))
  }

  /** What it had under way is written before it hears what the others did. */
  async goOn(): Promise<void> {
    await this.write()
    this.hear()
  }

  /** What it had under way is written, or is not. */
  async write(): Promise<void> {
    await this.#line.release()
  }

  deafen(): void {
    this.node.hold()
    this.#memory.hold()
  }

  hear(): void {
    this.#memory.release()
    this.node.release()
  }

  /** Its connections are cut, and nothing more of it is written. The others do not know it yet: `node.leave`. */
  kill(): void {
    this.node.hold()
    this.#memory.hold()
    this.#line.end()
    for (const { conn } of this.broker.running.aedes.connections) conn.destroy()
  }
}

/** Two nodes, and the store below them. */
export async function startNodes(t: Test, overrides: Overrides = {}) {
  const store = await memoryStore(t)
  const group = new NodeGroup()
  const shared = { store, watches: new Map() }
  const another = (): Promise<SharedBroker> => SharedBroker.start(t, shared, group.join(), overrides)
  return { store, one: await another(), two: await another(), another }
}

type Wants = (log: LogName) => boolean

interface SharedStore {
  readonly store: Store
  /** By node: which logs it wants to be marked. */
  readonly watches: Map<ModelNode, Wants>
}

/** A log is marked if any node wants it: as Redis does it for a node that may not know of the last changes of webhooks. */
function outboxOf({ outbox }: Store, watches: SharedStore['watches'], node: ModelNode): OutboxStore {
  return {
    watch: (wants) => {
      if (wants) watches.set(node, wants)
      else watches.delete(node)
      const all = [...watches.values()]
      outbox.watch(all.length === 0 ? null : (log) => all.some((one) => one(log)))
    },
    watches: (log) => outbox.watches(log),
    marked: () => outbox.marked(),
  }
}

/** Where a node writes. */
class WriteLine {
  readonly #store: Pick<Store, 'commit'>
  isCutOff = false
  readonly #opening: (() => void)[] = []
  #held: Change[] | null = null
  #ended = false

  constructor(store: Pick<Store, 'commit'>) {
    this.#store = store
  }

  commit(change: Change): void {
    if (this.#ended) change.settled(new StoreError('this node has ended'), [])
    else if (this.#held) this.#held.push(change)
    else this.#store.commit(change)
  }

  hold(): void {
    this.#held ??= []
  }

  holds(matches: (op: Op) => boolean): boolean {
    return (this.#held ?? []).some(({ ops }) => ops.some(matches))
  }

  /** Resolves when it is not held, a round trip later. */
  async open(): Promise<void> {
    if (this.isCutOff) throw new StoreError('the store does not answer')
    if (this.#held) await new Promise<void>((resolve) => this.#opening.push(resolve))
    if (this.#ended) throw new StoreError('this node has ended')
    await turn()
  }

  /** Resolves when what was held is written, or is not. */
  async release(): Promise<void> {
    const held = this.#held ?? []
    this.#held = null
    this.isCutOff = false
    for (const open of this.#opening.splice(0)) open()
    for (const change of held) this.#store.commit(change)
    await new Promise<void>((settled) =>
      this.#store.commit({ drafts: [], ops: [], guards: NONE, settled: () => settled() }),
    )
  }

  end(): void {
    this.#ended = true
    for (const change of this.#held?.splice(0) ?? []) this.commit(change)
    for (const open of this.#opening.splice(0)) open()
  }
}

const NONE = { at: 0, keys: [] }
