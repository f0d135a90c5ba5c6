/** Brings the clients of a run to their places. */
import mqtt from 'mqtt'
import { request } from '../broker.js'
import { LISTENERS, PEOPLE, WATCHER } from './load.js'
import { MORTAL, Mortals } from './mortals.js'
import { Race, RIVAL_ROOMS } from './rivals.js'
import type { Node, Stage } from './stage.js'
import { type Place, Wanderer, type WandererOptions } from './wanderer.js'

/** A private room: who is in it may see the presence of the others. */
const YARD = 'yard'

/** Those who act by themselves. */
export interface Cast {
  /** Resolves when nothing is under way. */
  stop(): Promise<void>
}

export async function enterAll(stage: Stage): Promise<Cast> {
  await gather(stage.nodes[0]!)
  for (const who of [...PEOPLE, ...LISTENERS]) await enter(stage, who)
  for (const node of stage.nodes)
    await enterAt(stage, WATCHER, node, ['users/+/presence', 'rooms/den/receipts', 'rooms/tea/receipts'])
  const race = await enterRivals(stage)
  const mortals = new Mortals(stage.recorder, stage.random, stage.nodes, await stage.nodes[0]!.broker.token(MORTAL))
  mortals.start()
  return {
    stop: async () => {
      await Promise.all([race.stop(), mortals.stop()])
    },
  }
}

/** Makes accounts and memberships. */
async function gather({ broker, port }: Node): Promise<void> {
  const users = [...new Set([WATCHER, ...PEOPLE.map(({ user }) => user)])]
  const one = async (user: string): Promise<mqtt.MqttClient> =>
    mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
      username: user,
      password: await broker.token(user),
      clientId: `early-${user}`,
    })
  const clients = await Promise.all(users.map(one))
  const ann = clients[users.indexOf('ann')]!
  await request(ann, 'ann', 'rooms.create', { room: YARD, access: 'private' })
  for (const [i, user] of users.entries()) {
    for (const room of ['den', 'tea']) await request(clients[i]!, user, 'rooms.join', { room })
    if (user === 'ann') continue
    await request(ann, 'ann', 'rooms.invite', { room: YARD, user })
    await request(clients[i]!, user, 'rooms.join', { room: YARD })
  }
  await Promise.all(clients.map((client) => client.endAsync()))
}

type Who = Pick<WandererOptions, 'user' | 'clientId' | 'persistent' | 'subscriptions'>

function enter(stage: Stage, { user, clientId, persistent, subscriptions }: Who): Promise<Wanderer> {
  const next = (last: Place | null): Place => {
    const others = stage.places.filter((place) => place !== last)
    return stage.random.pick(others.length > 0 ? others : stage.places)
  }
  return connect(stage, { user, clientId, persistent, subscriptions, next })
}

async function connect(stage: Stage, options: Omit<WandererOptions, 'password'>): Promise<Wanderer> {
  const password = await stage.nodes[0]!.broker.token(options.user)
  const client = new Wanderer(stage.recorder, { ...options, password })
  stage.clients.push(client)
  await client.start()
  return client
}

/** Each at a node of its own, and one who hears what comes of it. */
async function enterRivals(stage: Stage): Promise<Race> {
  const [one, two] = stage.nodes as [Node, Node]
  const both = async (user: string): Promise<[Wanderer, Wanderer]> => {
    const filters = [`users/${user}/replies`, 'rooms/+/messages']
    return [await enterAt(stage, user, one, filters), await enterAt(stage, user, two, filters)]
  }
  const rivals = { ann: await both('ann'), bea: await both('bea'), coy: await both('coy') }
  const race = new Race(rivals, stage.recorder, stage.random)
  await race.prepare()
  const subscriptions = RIVAL_ROOMS.map((room) => ({ filter: `rooms/${room}/events`, qos: 2 as const, logs: [] }))
  await enter(stage, { user: 'ann', clientId: 'ledger', persistent: true, subscriptions })
  race.start()
  return race
}

/** A client of one node, that is there anew with each connection. */
function enterAt(stage: Stage, user: string, node: Node, filters: readonly string[]): Promise<Wanderer> {
  const subscriptions = filters.map((filter) => ({ filter, qos: 0 as const, logs: [] }))
  const clientId = `at-${node.name}`
  return connect(stage, { user, clientId, persistent: false, subscriptions, next: () => node })
}
