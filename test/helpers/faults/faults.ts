/** What can happen to nodes and to Redis while clients use them. Each resolves when it is over. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Stage } from './stage.js'

export type Fault = (stage: Stage) => Promise<void>

/** Acknowledgements while something is lost. */
const SOME = 40

export const killNode: Fault = async ({ nodes: [one] }) => {
  await one!.broker.kill()
  await one!.broker.start()
}

/** For less than the lease of a node. */
export const pauseShort: Fault = (stage) => pause(stage, 4000)

/** For more than it. */
export const pauseLong: Fault = (stage) => pause(stage, 8000)

async function pause({ nodes: [one] }: Stage, ms: number): Promise<void> {
  one!.broker.pause()
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
  for (const what of ['"cid"', 'plain/'])
    for (const { proxy } of nodes) await proxy.cutReply((request) => request.includes(what))
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

async function blackhole({ nodes: [one] }: Stage, ms: number): Promise<void> {
  one!.proxy.blackhole()
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
  }
}
