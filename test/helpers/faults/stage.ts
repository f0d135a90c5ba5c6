/** Several nodes in processes of their own on one Redis, each behind a proxy, and clients that use them while something fails. */
import type { Test } from 'tap'
import { checkHistory } from '../../models/history/check.js'
import type { Event, History } from '../../models/history/events.js'
import { checkReceipts } from '../../models/history/signals.js'
import { BrokerProcess } from '../broker-process.js'
import { until } from '../patience.js'
import type { Random } from '../random.js'
import type { RedisServer } from '../redis-server.js'
import { TcpProxy } from '../tcp-proxy.js'
import { type Balanced, balance, behindProxy } from './balanced.js'
import { type Cast, enterAll } from './cast.js'
import { GOES, Load, ROOMS } from './load.js'
import { readAll, readEpoch, readReceipts } from './readings.js'
import { Recorder } from './recorder.js'
import { oneServer, type StoreOfNodes } from './stores.js'
import type { Place, Wanderer } from './wanderer.js'

export interface Node extends Place {
  readonly broker: BrokerProcess
  /** Between it and Redis, where that is one server. */
  readonly proxy: TcpProxy
}

type Check = (history: History) => string[]

const NAMES = ['one', 'two', 'three']
/** Looks without an event, after which nothing more is expected: wills of a node that ended are looked for every 20 s. */
const SILENT_LOOKS = 500

export interface StageOptions {
  readonly nodes?: number
  /** Of the nodes' processes. */
  readonly environment?: Readonly<Record<string, string>>
  readonly store?: (t: Test) => Promise<StoreOfNodes>
  /** Clients use the load balancer that is shipped. */
  readonly balanced?: boolean
  /** What must hold of the history. */
  readonly check?: (history: History) => string[]
}

export class Stage {
  readonly store: StoreOfNodes
  readonly nodes: readonly Node[]
  /** Null: clients choose a node by themselves. */
  readonly front: Balanced | null
  readonly random: Random
  readonly recorder = new Recorder()
  readonly clients: Wanderer[] = []
  readonly load: Load
  readonly #t: Test
  readonly #check: Check
  #cast: Cast | null = null

  static async start(t: Test, random: Random, options: StageOptions = {}): Promise<Stage> {
    const { nodes = 2, store: open = oneServer, check = checkHistory, balanced = false } = options
    const store = await open(t)
    const listening = balanced ? await Promise.all(NAMES.slice(0, nodes).map(behindProxy)) : null
    const brokers = await Promise.all(
      NAMES.slice(0, nodes).map((name, i) => startNode(t, store, name, listening?.[i]?.settings ?? [], options)),
    )
    const front =
      listening &&
      (await balance(
        t,
        brokers.map(({ port }, i) => listening[i]!.ports(port)),
      ))
    const all = brokers.map((node, i) => ({ ...node, port: front?.doors[i] ?? node.port }))
    const stage = new Stage(t, store, all, random, check, front)
    stage.#cast = await enterAll(stage)
    stage.recorder.add(await readEpoch(all[0]!))
    return stage
  }

  private constructor(
    t: Test,
    store: StoreOfNodes,
    nodes: readonly Node[],
    random: Random,
    check: Check,
    front: Balanced | null,
  ) {
    this.#t = t
    this.front = front
    this.#check = check
    this.store = store
    this.nodes = nodes
    this.random = random
    this.load = new Load(this.clients, random)
    t.teardown(() => {
      this.load.stop()
      for (const client of this.clients) client.end()
      return this.#cast?.stop()
    })
  }

  /** Where clients go that are not of one node. */
  get places(): readonly Place[] {
    return this.front ? [this.front.balancer] : this.nodes
  }

  /** Where there is one. */
  get redis(): RedisServer {
    return this.store.servers[0]!
  }

  /** Resolves when so many more messages are acknowledged. */
  async progress(count: number): Promise<void> {
    const goal = this.recorder.acks + count
    await until(`${goal} acknowledgements, of which are ${this.recorder.acks}`, async () => this.recorder.acks >= goal)
  }

  /** Who only was there. */
  someoneGoes(): void {
    this.clients.find(({ user }) => user === GOES)!.vanish()
  }

  /** What is wrong with the history, once all is sent, stored and delivered, or nothing comes any more. */
  async verdict(): Promise<string[]> {
    this.load.stop()
    await this.#cast!.stop()
    const isQuiet = async (): Promise<boolean> => this.clients.every(({ isIdle }) => isIdle)
    const late: string[] = []
    await until('all is acknowledged', isQuiet).catch((error: Error) => late.push(error.message))
    for (const node of this.nodes)
      await readAll(node)
        .then((events) => this.recorder.addAll(events))
        .catch((error: Error) => late.push(`${node.name} does not answer: ${error.message}`))
    for (const { name: node, broker } of this.nodes)
      for (const text of broker.complaints) this.recorder.add({ type: 'complaint', node, text })
    await this.#whenRight()
    await this.#readReceipts()
    const { history, acks } = this.recorder
    this.#t.comment(`${acks} acknowledgements, ${history.length} events`)
    for (const { name, broker } of this.nodes)
      for (const line of broker.complaints) this.#t.comment(`${name}: ${line.slice(0, 300)}`)
    return [...late, ...this.#check(history)]
  }

  /** As they are when they move no more, or after a while. */
  async #readReceipts(): Promise<void> {
    let read: Event[] = []
    await until('the receipts are the same', async () => {
      read = []
      for (const node of this.nodes) read.push(...(await readReceipts(node)))
      const ms = performance.now()
      return checkReceipts([...this.recorder.history, ...read.map((event) => ({ ...event, ms }))]).length === 0
    }).catch(() => {})
    this.recorder.addAll(read)
  }

  /** Resolves when nothing is wrong any more, or nothing has come for a while. */
  async #whenRight(): Promise<void> {
    let before = 0
    let since = 0
    await until('all is delivered', async () => {
      const { length } = this.recorder.history
      since = length === before ? since + 1 : 0
      if (since > SILENT_LOOKS) return true
      const isNew = length !== before
      before = length
      return isNew && this.#check(this.recorder.history).length === 0
    }).catch(() => {})
  }
}

async function startNode(
  t: Test,
  { servers: [server], url, settings }: StoreOfNodes,
  name: string,
  listening: readonly string[],
  { environment = {} }: StageOptions,
): Promise<Node> {
  const proxy = await TcpProxy.start(t, server!)
  const broker = await BrokerProcess.make(
    t,
    [
      `node.id=${name}`,
      'store.driver=redis',
      `store.redis.url=${url ?? proxy.url}`,
      ...settings,
      ...listening,
      `rooms.list=[${ROOMS.map((id) => `{id: ${id}, access: public}`).join(',')}]`,
      'acl.rules=[{allow: all, who: any, topics: ["plain/#", "jobs/#", "state/#", "wills/#"]}]',
      'presence.offlineDelay=1s',
      'presence.restartGrace=2s',
      'limits.queueMessages=100000',
      'limits.queueBytes=100000000',
      'limits.rates=off',
    ],
    environment,
  )
  await broker.start()
  return { name, broker, proxy, port: broker.port }
}
