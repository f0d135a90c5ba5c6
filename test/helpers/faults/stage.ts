/** Several nodes in processes of their own on one Redis, each behind a proxy, and clients that use them while something fails. */
import mqtt from 'mqtt'
import type { Test } from 'tap'
import { checkHistory } from '../../models/history/check.js'
import { checkDeliveries } from '../../models/history/deliveries.js'
import type { Entry } from '../../models/history/events.js'
import { request } from '../broker.js'
import { BrokerProcess } from '../broker-process.js'
import { until } from '../patience.js'
import type { Random } from '../random.js'
import { type RedisServer, startRedis } from '../redis-server.js'
import { TcpProxy } from '../tcp-proxy.js'
import { LOGS, Load, PEOPLE, ROOMS } from './load.js'
import { Recorder } from './recorder.js'
import { type Place, Wanderer } from './wanderer.js'

export interface Node extends Place {
  readonly broker: BrokerProcess
  /** Between it and Redis. */
  readonly proxy: TcpProxy
}

const NAMES = ['one', 'two', 'three']

export class Stage {
  readonly redis: RedisServer
  readonly nodes: readonly Node[]
  readonly random: Random
  readonly recorder = new Recorder()
  readonly clients: Wanderer[] = []
  readonly load: Load

  static async start(t: Test, random: Random, { nodes = 2, environment = {} } = {}): Promise<Stage> {
    const redis = await startRedis(t)
    const names = NAMES.slice(0, nodes)
    const all = await Promise.all(names.map((name) => startNode(t, redis, name, environment)))
    const stage = new Stage(t, redis, all, random)
    for (const who of PEOPLE) await stage.#enter(t, who)
    return stage
  }

  private constructor(t: Test, redis: RedisServer, nodes: readonly Node[], random: Random) {
    this.redis = redis
    this.nodes = nodes
    this.random = random
    this.load = new Load(this.clients, random)
    t.teardown(() => {
      this.load.stop()
      for (const client of this.clients) client.end()
    })
  }

  /** Resolves when so many more messages are acknowledged. */
  async progress(count: number): Promise<void> {
    const goal = this.recorder.acks + count
    await until(`${goal} acknowledgements, of which are ${this.recorder.acks}`, async () => this.recorder.acks >= goal)
  }

  /** What is wrong with the history, once all is sent, stored and delivered, or nothing comes any more. */
  async verdict(t: Test): Promise<string[]> {
    this.load.stop()
    const isQuiet = async (): Promise<boolean> => this.clients.every(({ isIdle }) => isIdle)
    const late: string[] = []
    await until('all is acknowledged', isQuiet).catch((error: Error) => late.push(error.message))
    for (const node of this.nodes) await this.#read(node)
    const isComplete = async (): Promise<boolean> => checkDeliveries(this.recorder.history).length === 0
    await until('all is delivered', isComplete).catch((error: Error) => late.push(error.message))
    const { history, acks } = this.recorder
    t.comment(`${acks} acknowledgements, ${history.length} events`)
    for (const { name, broker } of this.nodes) for (const line of broker.complaints) t.comment(`${name}: ${line}`)
    return [...late, ...checkHistory(history)]
  }

  async #enter(t: Test, { user, clientId, persistent, subscriptions }: (typeof PEOPLE)[number]): Promise<void> {
    const password = await this.nodes[0]!.broker.token(user)
    const next = (last: Place | null): Place => this.random.pick(this.nodes.filter((node) => node !== last))
    const client = new Wanderer(this.recorder, { user, clientId, password, persistent, subscriptions, next })
    this.clients.push(client)
    await client.start()
    t.comment(`${client.session} is there`)
  }

  /** Logs as a node answers. */
  async #read({ name, broker }: Node): Promise<void> {
    const options = { username: 'ann', password: await broker.token('ann'), clientId: `reader-${name}` }
    const client = await mqtt.connectAsync(broker.url, options)
    for (const log of LOGS) this.recorder.add({ type: 'read', node: name, log, entries: await wholeLog(client, log) })
    await client.endAsync(true)
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
      'acl.rules=[{allow: all, who: any, topics: ["plain/#"]}]',
      'limits.queueMessages=100000',
      'limits.queueBytes=100000000',
    ],
    environment,
  )
  await broker.start()
  return { name, broker, proxy, port: broker.port }
}

async function wholeLog(client: mqtt.MqttClient, room: string): Promise<Entry[]> {
  const entries: Entry[] = []
  for (let more = true; more; ) {
    const after = entries.at(-1)?.seq ?? 0
    const { ok, result, error } = await request(client, 'ann', 'history', { room, after, limit: 100 })
    if (!ok) throw new Error(`${room}: ${error.message}`)
    for (const { seq, id, cid } of result.messages) entries.push({ seq, id, message: cid })
    more = result.more && result.messages.length > 0
  }
  return entries
}
