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
import { Race, RIVAL_ROOMS } from './rivals.js'
import { type Place, Wanderer, type WandererOptions } from './wanderer.js'

export interface Node extends Place {
  readonly broker: BrokerProcess
  /** Between it and Redis. */
  readonly proxy: TcpProxy
}

const NAMES = ['one', 'two', 'three']
/** Looks without an event, after which nothing more is expected. */
const SILENT_LOOKS = 200

export class Stage {
  readonly redis: RedisServer
  readonly nodes: readonly Node[]
  readonly random: Random
  readonly recorder = new Recorder()
  readonly clients: Wanderer[] = []
  readonly load: Load
  readonly #t: Test
  #race!: Race

  static async start(t: Test, random: Random, { nodes = 2, environment = {} } = {}): Promise<Stage> {
    const redis = await startRedis(t)
    const names = NAMES.slice(0, nodes)
    const all = await Promise.all(names.map((name) => startNode(t, redis, name, environment)))
    const stage = new Stage(t, redis, all, random)
    for (const who of PEOPLE) await stage.#enter(who)
    await stage.#enterRivals()
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
    })
  }

  /** Resolves when so many more messages are acknowledged. */
  async progress(count: number): Promise<void> {
    const goal = this.recorder.acks + count
    await until(`${goal} acknowledgements, of which are ${this.recorder.acks}`, async () => this.recorder.acks >= goal)
  }

  /** What is wrong with the history, once all is sent, stored and delivered, or nothing comes any more. */
  async verdict(): Promise<string[]> {
    this.load.stop()
    await this.#race.stop()
    const isQuiet = async (): Promise<boolean> => this.clients.every(({ isIdle }) => isIdle)
    const late: string[] = []
    await until('all is acknowledged', isQuiet).catch((error: Error) => late.push(error.message))
    for (const node of this.nodes) await this.#read(node)
    await this.#whenDelivered()
    const { history, acks } = this.recorder
    this.#t.comment(`${acks} acknowledgements, ${history.length} events`)
    for (const { name, broker } of this.nodes)
      for (const line of broker.complaints) this.#t.comment(`${name}: ${line.slice(0, 300)}`)
    return [...late, ...checkHistory(history)]
  }

  /** Or when nothing has come for a while. */
  async #whenDelivered(): Promise<void> {
    let before = 0
    let since = 0
    await until('all is delivered', async () => {
      const { history } = this.recorder
      since = history.length === before ? since + 1 : 0
      before = history.length
      return since > SILENT_LOOKS || checkDeliveries(history).length === 0
    })
  }

  async #enter({ user, clientId, persistent, subscriptions }: (typeof PEOPLE)[number]): Promise<Wanderer> {
    const next = (last: Place | null): Place => this.random.pick(this.nodes.filter((node) => node !== last))
    return this.#connect({ user, clientId, persistent, subscriptions, next })
  }

  async #connect(options: Omit<WandererOptions, 'password'>): Promise<Wanderer> {
    const password = await this.nodes[0]!.broker.token(options.user)
    const client = new Wanderer(this.recorder, { ...options, password })
    this.clients.push(client)
    await client.start()
    this.#t.comment(`${client.session} is there`)
    return client
  }

  /** Each at a node of its own, and one who hears what comes of it. */
  async #enterRivals(): Promise<void> {
    const both = async (user: string): Promise<[Wanderer, Wanderer]> => [
      await this.#enterAt(user, this.nodes[0]!),
      await this.#enterAt(user, this.nodes[1]!),
    ]
    const rivals = { ann: await both('ann'), bea: await both('bea'), coy: await both('coy') }
    this.#race = new Race(rivals, this.recorder, this.random)
    await this.#race.prepare()
    const subscriptions = RIVAL_ROOMS.map((room) => ({ filter: `rooms/${room}/events`, qos: 2 as const, logs: [] }))
    await this.#enter({ user: 'ann', clientId: 'ledger', persistent: true, subscriptions })
    this.#race.start()
  }

  /** A client of one node, with replies and all that its user may hear in rooms. */
  #enterAt(user: string, node: Node): Promise<Wanderer> {
    const filters = [`users/${user}/replies`, 'rooms/+/messages']
    const subscriptions = filters.map((filter) => ({ filter, qos: 0 as const, logs: [] }))
    const clientId = `at-${node.name}`
    return this.#connect({ user, clientId, persistent: false, subscriptions, next: () => node })
  }

  /** Logs and rooms as a node answers. */
  async #read({ name: node, broker }: Node): Promise<void> {
    const options = { username: 'ann', password: await broker.token('ann'), clientId: `reader-${node}` }
    const client = await mqtt.connectAsync(broker.url, options)
    for (const log of LOGS) this.recorder.add({ type: 'read', node, log, entries: await wholeLog(client, log) })
    for (const room of RIVAL_ROOMS) {
      const { result } = await request(client, 'ann', 'rooms.members', { room })
      const members = result.members.map(({ user, role }: { user: string; role: string }) => [user, role])
      this.recorder.add({ type: 'members', node, room, members: Object.fromEntries(members) })
    }
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
      'limits.rates=off',
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
