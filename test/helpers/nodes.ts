/** Brokers that share a store, as nodes do: in one process, each with a memory of its own. */
import type { Test } from 'tap'
import type { LogName } from '../../broker/store/log-name.js'
import type { OutboxStore } from '../../broker/store/outbox.js'
import type { Store } from '../../broker/store/store.js'
import { type ModelNode, NodeGroup } from '../models/nodes.js'
import { type Overrides, startTestBroker, type TestBroker } from './broker.js'
import { memoryStore } from './memory-store.js'
import { type SecondMemory, secondMemory } from './two-memories.js'
import { WriteLine } from './write-line.js'

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
    return this.#line.holdsStateOf(session)
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
