/** Several nodes in processes of their own on one Redis, each behind a proxy, and clients that use them while something fails. */
import type { Test } from 'tap'
import { checkHistory } from '../../models/history/check.js'
import { BrokerProcess } from '../broker-process.js'
import { until } from '../patience.js'
import type { Random } from '../random.js'
import { type RedisServer, startRedis } from '../redis-server.js'
import { TcpProxy } from '../tcp-proxy.js'
import { type Cast, enterAll } from './cast.js'
import { GOES, Load, ROOMS } from './load.js'
import { readAll } from './readings.js'
import { Recorder } from './recorder.js'
import type { Place, Wanderer } from './wanderer.js'

export interface Node extends Place {
  readonly broker: BrokerProcess
  /** Between it and Redis. */
  readonly proxy: TcpProxy
}

const NAMES = ['one', 'two', 'three']
/** Looks without an event, after which nothing more is expected: wills of a node that ended are looked for every 20 s. */
const SILENT_LOOKS = 500

export class Stage {
  readonly redis: RedisServer
  readonly nodes: readonly Node[]
  readonly random: Random
  readonly recorder = new Recorder()
  readonly clients: Wanderer[] = []
  readonly load: Load
  readonly #t: Test
  #cast: Cast | null = null

  static async start(t: Test, random: Random, { nodes = 2, environment = {} } = {}): Promise<Stage> {
    const redis = await startRedis(t)
    const names = NAMES.slice(0, nodes)
    const all = await Promise.all(names.map((name) => startNode(t, redis, name, environment)))
    const stage = new Stage(t, redis, all, random)
    stage.#cast = await enterAll(stage)
    return stage
  }

  private constructor(t: Test, redis: RedisServer, nodes: readonly Node[], random: Random) {
    this.#t = t
    this.redis = redis
    this.nodes = nodes
    this.random = random
    this.load = new Load(this.clients, random)
    t.teardown(() => {
      this.load.stop()
      for (const client of this.clients) client.end()
      return this.#cast?.stop()
    })
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
    await this.#whenRight()
    const { history, acks } = this.recorder
    this.#t.comment(`${acks} acknowledgements, ${history.length} events`)
    for (const { name, broker } of this.nodes)
      for (const line of broker.complaints) this.#t.comment(`${name}: ${line.slice(0, 300)}`)
    return [...late, ...checkHistory(history)]
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
      return isNew && checkHistory(this.recorder.history).length === 0
    }).catch(() => {})
  }
}

async function startNode(
  t: Test,
  redis: RedisServer,
  name: string,
  environment: Record<string, string>,
): Promise<Node> {
  const proxy = await TcpProxy.start(t, redis)
  const broker = await BrokerProcess.make(
    t,
    [
      `node.id=${name}`,
      'store.driver=redis',
      `store.redis.url=${proxy.url}`,
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
