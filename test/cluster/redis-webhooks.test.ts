/** Webhooks of nodes on one Redis: each event is told by one node, whatever happens to it. */
import mqtt, { type MqttClient } from 'mqtt'
import t, { type Test } from 'tap'
import { nodeOfJobClaim } from '../../broker/store/job-owners.js'
import { rendezvous } from '../../broker/store/rendezvous.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'
import { type Received, Receiver } from '../helpers/receiver.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'
import { TcpProxy } from '../helpers/tcp-proxy.js'

const SECRET = 'one secret for all nodes, of 32 characters'
const HOOK_SECRET = `whsec_${'x'.repeat(32)}`

/** Two nodes in this process, the second of them behind a proxy. */
async function withProxy(t: Test) {
  const server = await startRedis(t, { aof: 'off' })
  const proxy = await TcpProxy.start(t, server)
  const node = (url: string): Promise<TestBroker> =>
    startTestBroker(t, {
      rooms: { list: ['den', 'tea', 'cake'].map((id) => ({ id, access: 'public' })) },
      store: { driver: 'redis', redis: { url, assume: ['appendonly', 'appendfsync'] } },
      auth: { jwt: { secret: SECRET } },
      webhookDelivery: { backoff: 0.01, maxBackoff: 0.02, attempts: 3 },
    } as Overrides)
  const [one, two] = [await node(server.url), await node(proxy.url)]
  const alice = await Person.connect(t, one, 'alice', { roles: ['admin'], clientId: 'one' })
  const bob = await Person.connect(t, two, 'bob', { clientId: 'two' })
  for (const room of ['den', 'tea', 'cake']) for (const person of [alice, bob]) await person.get('rooms.join', { room })
  return { one, two, proxy, alice, bob, receiver: await Receiver.start(t) }
}

/** The id of a webhook that this node is to serve. */
function idServedBy(broker: TestBroker, brokers: readonly TestBroker[], name = 'w'): string {
  const numbers = brokers.map(({ running }) => running.nodes.self)
  for (let i = 0; ; i++)
    if (rendezvous(`webhook/${name}${i}`, numbers) === broker.running.nodes.self) return `${name}${i}`
}

async function served(id: string, by: TestBroker): Promise<void> {
  const { store, nodes } = by.running
  await until(`webhook ${id} is served by node ${nodes.self}`, async () => {
    return nodeOfJobClaim(store.jobOwners.owner(`webhook/${id}`) ?? '') === nodes.self
  })
}

t.test('what a node stores that has yet to hear of a webhook is told', async (t) => {
  const { one, two, proxy, alice, bob, receiver } = await withProxy(t)
  const texts: string[] = []
  proxy.loses = () => true
  for (let i = 0, unheard = 0; unheard < 3; i++) {
    const webhook = idServedBy(one, [one, two], `w${i}-`)
    await alice.get('webhooks.create', { webhook, url: receiver.url, events: ['message.sent'], rooms: ['tea'] })
    // It finds out within half a second: then it is another one's turn.
    const isUnheard = two.running.store.webhooks.get(webhook) === null
    texts.push(`${i}`)
    await bob.say('tea', `${i}`)
    if (isUnheard) unheard++
    await receiver.wait(1, ({ json }) => json.data.text === `${i}`)
    await alice.get('webhooks.delete', { webhook })
    await until('it knows that it is removed', async () => two.running.store.webhooks.get(webhook) === null)
    await one.running.store.sessions.writeLazily([])
  }
  t.same(
    receiver.received.map(({ json }) => json.data.text),
    texts,
  )
})

t.test('events of both nodes are told once to each webhook, in the order of their room', async (t) => {
  const { one, two, alice, bob, receiver } = await withProxy(t)
  const ids = [one, two].flatMap((node) => ['a', 'b'].map((name) => idServedBy(node, [one, two], name)))
  for (const webhook of ids)
    await alice.get('webhooks.create', {
      webhook,
      url: receiver.url.replace('/hook', `/${webhook}`),
      events: ['message.sent'],
    })
  for (const [i, id] of ids.entries()) await served(id, i < 2 ? one : two)
  const rooms = ['den', 'tea', 'cake']
  const say = async (person: Person): Promise<void> => {
    for (let i = 0; i < 60; i++) await person.say(rooms[i % 3]!, `${person.user} ${i}`)
  }
  await Promise.all([alice, bob].map(say))
  await receiver.wait(120 * ids.length)
  for (const room of rooms) {
    const { messages } = await bob.get('history', { room, limit: 100 })
    for (const id of ids)
      t.same(
        receiver.received.flatMap(({ path, json }) => (path === `/${id}` && json.data.room === room ? json.id : [])),
        messages.map((message: { id: string }) => message.id),
      )
  }
})

t.test('a node that does not hear what others store tells it soon', async (t) => {
  const { one, two, proxy, alice, receiver } = await withProxy(t)
  const webhook = idServedBy(two, [one, two])
  await alice.get('webhooks.create', { webhook, url: receiver.url, events: ['message.sent'] })
  await served(webhook, two)
  proxy.loses = () => true
  const texts = Array.from({ length: 30 }, (_, i) => `message ${i}`)
  for (const [i, text] of texts.entries()) await alice.say(['den', 'tea', 'cake'][i % 3]!, text)
  await receiver.wait(texts.length)
  t.ok(proxy.lost > 0)
  t.same(new Set(receiver.received.map(({ json }) => json.data.text)), new Set(texts))
  t.equal(receiver.received.length, texts.length)
})

t.test('a node that is cut off from Redis stops telling, and another goes on', async (t) => {
  const { one, two, proxy, alice, receiver } = await withProxy(t)
  const webhook = idServedBy(two, [one, two])
  await alice.get('webhooks.create', { webhook, url: receiver.url, events: ['message.sent'] })
  await served(webhook, two)
  await alice.say('den', 'before')
  await receiver.wait(1)
  proxy.blackhole()
  for (const text of ['1', '2', '3']) await alice.say('den', text)
  await served(webhook, one)
  const isNew = ({ json }: Received): boolean => json.data.text !== 'before'
  await receiver.wait(3, isNew)
  proxy.heal()
  await until('the node has joined again', async () => one.running.store.jobOwners.candidates().size === 2)
  await alice.say('den', '4')
  await receiver.wait(4, isNew)
  const told = receiver.received.map(({ json }) => json.data.text)
  t.same([...new Set(told)], ['before', '1', '2', '3', '4'])
  t.ok(told.length <= 6, 'what was not saved is told again')
})

interface Cluster {
  readonly redis: RedisServer
  readonly nodes: Map<string, BrokerProcess>
  readonly receiver: Receiver
  /** When each text was told first, and again. */
  readonly told: Map<string, number[]>
  /** The name of the node that serves the webhook. */
  serving(): Promise<string | undefined>
  /** How far it is saved to be in the room. */
  cursor(): Promise<number>
}

/** Nodes in processes of their own, with a webhook that is told of all messages. */
async function processes(t: Test, names: readonly string[]): Promise<Cluster> {
  const redis = await startRedis(t)
  const receiver = await Receiver.start(t)
  const told = new Map<string, number[]>()
  receiver.answer = ({ json }) => {
    const { text } = json.data
    told.set(text, [...(told.get(text) ?? []), performance.now()])
    return {}
  }
  const webhooks = [{ id: 'crm', url: receiver.url, secret: HOOK_SECRET, events: ['message.sent'] }]
  const nodes = new Map<string, BrokerProcess>()
  for (const name of names) {
    const broker = await BrokerProcess.make(t, [
      `node.id=${name}`,
      'node.drain.spread=0.1',
      'store.driver=redis',
      `store.redis.url=${redis.url}`,
      `webhooks=${JSON.stringify(webhooks)}`,
      'webhookDelivery.backoff=0.01s',
      'limits.rates=off',
      'search.enabled=false',
    ])
    nodes.set(name, broker)
  }
  await Promise.all([...nodes.values()].map((broker) => broker.start()))
  const serving = async (): Promise<string | undefined> => {
    const claim = await redis.command('HGET', '{topictalk}t:job', 'webhook/crm')
    const facts = await redis.command('HGET', '{topictalk}facts', String(nodeOfJobClaim(claim)))
    return facts.trim() === '' ? undefined : JSON.parse(facts).name
  }
  const cursor = async (): Promise<number> => {
    const found = await redis.command('HVALS', '{topictalk}t:readerCursor:m:lobby')
    return Number(found.trim() || 0)
  }
  const numbers = async (): Promise<number> =>
    (await redis.command('HKEYS', '{topictalk}t:candidate')).trim().split('\n').length
  await until('all nodes take jobs', async () => (await numbers()) === names.length)
  await until('one serves the webhook', async () => (await serving()) !== undefined)
  return { redis, nodes, receiver, told, serving, cursor }
}

/** Publishes on a node, one message after another, until it is stopped. */
class Speaker {
  readonly said: string[] = []
  readonly #client: MqttClient
  #running: Promise<void> | null = null
  #stopped = false

  static async connect(t: Test, broker: BrokerProcess): Promise<Speaker> {
    const client = await mqtt.connectAsync(broker.url, { username: 'ann', password: await broker.token('ann') })
    client.on('error', () => {})
    t.teardown(() => client.endAsync(true))
    return new Speaker(client)
  }

  private constructor(client: MqttClient) {
    this.#client = client
  }

  start(): void {
    this.#stopped = false
    this.#running = (async () => {
      while (!this.#stopped) await this.say()
    })()
  }

  async say(): Promise<void> {
    const text = `message ${this.said.length}`
    await this.#client.publishAsync('rooms/lobby/messages', text, { qos: 1 })
    this.said.push(text)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }
}

/** The node that serves the webhook, and a speaker on another one. */
async function underLoad(
  t: Test,
  { nodes, serving }: Cluster,
): Promise<{ name: string; owner: BrokerProcess; speaker: Speaker }> {
  const name = (await serving())!
  const other = [...nodes].find(([one]) => one !== name)![1]
  const speaker = await Speaker.connect(t, other)
  speaker.start()
  return { name, owner: nodes.get(name)!, speaker }
}

async function allTold({ told }: Cluster, { said }: Speaker): Promise<void> {
  await until(`${said.length} are told`, async () => said.every((text) => told.has(text)))
}

function repeated({ told }: Cluster): [text: string, times: readonly number[]][] {
  return [...told].filter(([, times]) => times.length > 1)
}

/** Of a message in its room. The speaker alone speaks there. */
function numberOf(text: string): number {
  return Number(text.split(' ')[1]) + 1
}

function isInOrder({ told }: Cluster, { said }: Speaker): boolean {
  return [...told.keys()].join() === said.join()
}

t.test('kill -9 of the node that serves it loses nothing, and repeats at most what it had not saved', async (t) => {
  const cluster = await processes(t, ['one', 'two', 'three'])
  const { name, owner, speaker } = await underLoad(t, cluster)
  await until('it has told for a while', async () => cluster.told.size > 300)
  let longest = 0
  for (let saves = 0; saves < 2; saves++) {
    const before = await cluster.cursor()
    const since = performance.now()
    await until('it has saved how far it is', async () => (await cluster.cursor()) > before)
    longest = performance.now() - since
  }
  await owner.kill()
  const killedAt = performance.now()
  const saved = await cluster.cursor()
  await until('another serves it', async () => ![name, undefined].includes(await cluster.serving()))
  await speaker.stop()
  await allTold(cluster, speaker)
  const again = repeated(cluster)
  t.comment(`${again.length} of ${cluster.told.size} were told twice`)
  t.ok(again.every(([, times]) => times.length === 2))
  const oldest = Math.min(killedAt, ...again.map(([, [first]]) => first!))
  t.ok(
    again.every(([text]) => numberOf(text) > saved),
    `nothing is told again up to ${saved}, which was saved`,
  )
  // It saves each second, and on a busy machine when it gets its turn.
  t.ok(
    killedAt - oldest < 2 * Math.max(longest, 1000) + 500,
    `the oldest of them ${Math.round(killedAt - oldest)} ms before the end`,
  )
  t.ok(isInOrder(cluster, speaker))
  const ids = new Set(cluster.receiver.received.map(({ headers }) => headers['webhook-id']))
  t.equal(ids.size, speaker.said.length, 'what is told again has the id it had')
})

t.test('a node that sleeps beyond its lease writes nothing of the webhook afterwards', async (t) => {
  const cluster = await processes(t, ['one', 'two'])
  const { name, owner, speaker } = await underLoad(t, cluster)
  await until('it has told for a while', async () => cluster.told.size > 100)
  owner.pause()
  await until('another serves it', async () => ![name, undefined].includes(await cluster.serving()))
  const other = await cluster.serving()
  await until('the other one tells', async () => cluster.told.size > speaker.said.length - 50)
  const { cursor } = cluster
  const saved = await cursor()
  owner.resume()
  let lowest = Number.POSITIVE_INFINITY
  await until('it has joined again, and the cursor has moved on', async () => {
    const now = await cursor()
    if (now > 0) lowest = Math.min(lowest, now)
    return now > saved + 50 && (await cluster.redis.command('HLEN', '{topictalk}t:candidate')).trim() === '2'
  })
  await speaker.stop()
  await allTold(cluster, speaker)
  t.ok(lowest >= saved, 'the cursor never went back')
  t.ok(repeated(cluster).every(([, times]) => times.length <= 3))
  t.equal(new Set(cluster.receiver.received.map(({ headers }) => headers['webhook-id'])).size, speaker.said.length)
  t.ok(isInOrder(cluster, speaker))
  t.not(other, name)
})

t.test('a node that is stopped hands the webhook over: nothing is told twice', async (t) => {
  const cluster = await processes(t, ['one', 'two'])
  const { name, owner, speaker } = await underLoad(t, cluster)
  await until('it has told for a while', async () => cluster.told.size > 100)
  t.equal(await owner.stop(), 0)
  await until('another serves it', async () => ![name, undefined].includes(await cluster.serving()))
  const { size } = cluster.told
  await until('the other one tells', async () => cluster.told.size > size + 50)
  // And it comes back.
  await owner.start()
  await until(
    'it has joined',
    async () => (await cluster.redis.command('HLEN', '{topictalk}t:candidate')).trim() === '2',
  )
  await speaker.stop()
  await allTold(cluster, speaker)
  t.same(repeated(cluster), [])
  t.ok(isInOrder(cluster, speaker))
})
