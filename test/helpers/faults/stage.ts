/** Several nodes in processes of their own on one Redis, each behind a proxy, and clients that use them while something fails. */
import type { Test } from 'tap'
import { checkHistory } from '../../models/history/check.js'
import type { Event, History } from '../../models/history/events.js'
import { checkReceipts } from '../../models/history/signals.js'
import { BrokerProcess } from '../broker-process.js'
import { type GiveUp, until } from '../patience.js'
import type { Random } from '../random.js'
import type { RedisServer } from '../redis-server.js'
import { TcpProxy } from '../tcp-proxy.js'
import { type Balanced, balance, behindProxy } from './balanced.js'
import { type Cast, enterAll } from './cast.js'
import { Hooks } from './hooks.js'
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
/** Looks without an event, after which nothing more is expected at the end: wills of a node that ended are looked for every 20 s. */
const SILENCE = 500

export interface StageOptions {
  readonly nodes?: number
  /** Of the nodes' processes. */
  readonly environment?: Readonly<Record<string, string>>
  readonly store?: (t: Test) => Promise<StoreOfNodes>
  /** Clients use the load balancer that is shipped. */
  readonly balanced?: boolean
  /** What must hold of the history. */
  readonly check?: (history: History) => string[]
  /** See SILENCE. */
  readonly silence?: number
}

export class Stage {
  readonly store: StoreOfNodes
  readonly nodes: readonly Node[]
  /** Null: clients choose a node by themselves. */
  readonly front: Balanced | null
  readonly random: Random
  readonly recorder: Recorder
  readonly clients: Wanderer[] = []
  readonly load: Load
  readonly #t: Test
  readonly #check: Check
  readonly #silence: number
  #cast: Cast | null = null

  static async start(t: Test, random: Random, options: StageOptions = {}): Promise<Stage> {
    const { nodes = 2, store: open = oneServer, balanced = false } = options
    const store = await open(t)
    const recorder = new Recorder()
    const hooks = await Hooks.start(t, recorder, random.part(0))
    const listening = balanced ? await Promise.all(NAMES.slice(0, nodes).map(behindProxy)) : null
    const brokers = await Promise.all(
      NAMES.slice(0, nodes).map((name, i) =>
        startNode(t, store, name, [...hooks.settings, ...(listening?.[i]?.settings ?? [])], options),
      ),
    )
    hooks.nodes = brokers
    const front =
      listening &&
      (await balance(
        t,
        brokers.map(({ port }, i) => listening[i]!.ports(port)),
      ))
    const all = brokers.map((node, i) => ({ ...node, port: front?.doors[i] ?? node.port }))
    const stage = new Stage(t, options, { store, recorder, nodes: all, random, front })
    stage.#cast = await enterAll(stage)
    recorder.add(await readEpoch(all[0]!))
    return stage
  }

  private constructor(
    t: Test,
    { check = checkHistory, silence = SILENCE }: StageOptions,
    parts: Pick<Stage, 'store' | 'recorder' | 'nodes' | 'random' | 'front'>,
  ) {
    this.#t = t
    this.#check = check
    this.#silence = silence
    this.store = parts.store
    this.recorder = parts.recorder
    this.nodes = parts.nodes
    this.random = parts.random
    this.front = parts.front
    this.load = new Load(this.clients, this.random)
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
    const late: string[] = []
    const noted = (error: Error): void => void late.push(error.message)
    const isQuiet = async (): Promise<boolean> => this.clients.every(({ isIdle }) => isIdle)
    await until('all is acknowledged', isQuiet, this.#inVain()).catch(noted)
    for (const node of this.nodes)
      await readAll(node, this.#inVain()).then((events) => this.recorder.addAll(events), noted)
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

  /** Nothing comes any more. */
  #inVain(): GiveUp {
    return this.recorder.stillFor(this.#silence)
  }

  /** As they are when they move no more, or after a while. */
  async #readReceipts(): Promise<void> {
    let read: Event[] = []
    const areRight = async (): Promise<boolean> => {
      read = (await Promise.all(this.nodes.map((node) => readReceipts(node, this.#inVain())))).flat()
      const ms = performance.now()
      return checkReceipts([...this.recorder.history, ...read.map((event) => ({ ...event, ms }))]).length === 0
    }
    await until('the receipts are the same', areRight, this.#inVain()).catch(() => {})
    this.recorder.addAll(read)
  }

  /** Resolves when nothing is wrong any more, or nothing has come for a while. */
  async #whenRight(): Promise<void> {
    let judged = 0
    const isRight = async (): Promise<boolean> => {
      const { history } = this.recorder
      const isNew = history.length !== judged
      judged = history.length
      return isNew && this.#check(history).length === 0
    }
    await until('all is delivered', isRight, this.#inVain()).catch(() => {})
  }
}

async function startNode(
  t: Test,
  { servers: [server], url, settings }: StoreOfNodes,
  name: string,
  more: readonly string[],
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
      ...more,
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
