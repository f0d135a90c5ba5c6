/** What can happen to nodes and to Redis while clients use them. Each resolves when it is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../patience.js'
import type { Stage } from './stage.js'

export type Fault = (stage: Stage) => Promise<void>

/** Acknowledgements while something is lost. */
const SOME = 40
/** Ms without a word, after which others take a node for gone. */
const LEASE = 5000
/** Ms in which clients of a node send something. */
const CHANCE = 5000
/** Ms in which clients send a few messages. */
const UNDER_WAY = 500

export const killNode: Fault = async ({ nodes: [one], recorder }) => {
  recorder.add({ type: 'killed', node: one!.name })
  await one!.broker.kill()
  await one!.broker.start()
}

/** For less than the lease of a node. */
export const pauseShort: Fault = (stage) => pause(stage, 4000)

/** For more than it. */
export const pauseLong: Fault = (stage) => pause(stage, 8000)

async function pause({ nodes: [one], recorder }: Stage, ms: number): Promise<void> {
  one!.broker.pause()
  if (ms > LEASE) recorder.add({ type: 'isolated', node: one!.name })
  await sleep(ms)
  one!.broker.resume()
}

export const killRedis: Fault = async ({ redis }) => {
  await redis.kill9()
  await redis.restart()
}

export const forgetScripts: Fault = async ({ redis }) => {
  await redis.command('SCRIPT', 'FLUSH')
}

/** What is in a log and what is queued was stored, and its node does not know it. */
export const cutReplies: Fault = async ({ nodes }) => {
  // Perhaps nobody sends such a thing to a node any more.
  for (const what of ['"cid"', 'plain/'])
    for (const { proxy } of nodes)
      await Promise.race([proxy.cutReply((request) => request.includes(what)), sleep(CHANCE)])
}

/** Some, then all of what tells of commits, the last one too. */
export const losePushes: Fault = async (stage) => {
  for (const { proxy } of stage.nodes) proxy.loses = () => stage.random.chance(0.3)
  await stage.progress(SOME)
  for (const { proxy } of stage.nodes) proxy.loses = (channel) => channel.includes('node:')
}

/** For less than the lease of a node. */
export const blackholeShort: Fault = (stage) => blackhole(stage, 3000)

/** For more than it: what the node had sent arrives when it is not one of them any more. */
export const blackholeLong: Fault = (stage) => blackhole(stage, 10_000)

async function blackhole({ nodes: [one], recorder }: Stage, ms: number): Promise<void> {
  one!.proxy.blackhole()
  if (ms > LEASE) recorder.add({ type: 'isolated', node: one!.name })
  await sleep(ms)
  one!.proxy.heal()
}

export const cutConnections: Fault = async ({ nodes }) => {
  for (const { proxy } of nodes) proxy.cut()
}

export const restartNodes: Fault = async (stage) => {
  for (const { broker } of stage.nodes) {
    await broker.stop()
    await stage.progress(SOME)
    await broker.start()
    await stage.front?.allAreUp()
  }
}

/** Both nodes know late what the other one did: what they decide meanwhile is decided on what is no longer so. */
export const slowLinks: Fault = async (stage) => {
  for (const { proxy } of stage.nodes) proxy.delay = 30
  await stage.progress(4 * SOME)
  for (const { proxy } of stage.nodes) proxy.delay = 0
}

/** Sessions go from a node that cannot be asked for them, and what it wrote of them arrives when others have them. */
export const seizeSessions: Fault = async (stage) => {
  for (const node of stage.nodes) {
    const moving = stage.clients.filter((client) => client.isWandering && client.isAt(node))
    node.proxy.blackhole()
    // What they send now waits on the way to Redis.
    await sleep(UNDER_WAY)
    for (const client of moving) client.move()
    await until('their sessions are taken', async () => moving.every((client) => !client.isAt(node) && client.isUp))
    node.proxy.heal()
    await stage.progress(SOME)
  }
}

/** From now on, as a machine without a time service. */
export const clockAhead: Fault = async (stage) => {
  stage.nodes[0]!.broker.signal('SIGUSR2')
  await stage.progress(4 * SOME)
}
