/** Redis as it is deployed: servers that stand in for one another, watched by Sentinels or a Cluster; one behind TLS and a login. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { certificateFiles } from './certificate.js'
import { freePort } from './free-port.js'
import { until } from './patience.js'
import { RedisServer, startRedis } from './redis-server.js'

const run = promisify(execFile)
/** Ms after which a server that is silent counts as gone. */
export const SILENCE = 1000
/** For tests in which nobody is to take over, however busy the machine is. */
export const LONG_SILENCE = 60_000
const MASTER = 'main'

export interface Deployment {
  readonly url: string
  readonly servers: readonly RedisServer[]
  /** The one that takes writes to a key. */
  masterOf(key: string): Promise<RedisServer>
  /** From now on a server that is silent for so many ms counts as gone; at first it is one second, which a busy machine can take. */
  countAsGoneAfter(ms: number): Promise<void>
}

/** A master, a replica and three Sentinels, which know one another. */
export async function startSentinel(t: Test): Promise<Deployment & { readonly sentinels: readonly RedisServer[] }> {
  const master = await startRedis(t)
  const replica = await startRedis(t, { config: { replicaof: `127.0.0.1 ${master.port}` } })
  const watches = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${SILENCE}`,
    `sentinel failover-timeout ${MASTER} ${3 * SILENCE}`,
  ]
  const sentinels = await Promise.all([1, 2, 3].map(() => RedisServer.start(t, {}, watches)))
  const servers = [master, replica]
  const known = async (sentinel: RedisServer): Promise<boolean> => {
    const about = await sentinel.command('SENTINEL', 'MASTER', MASTER)
    return /num-slaves\n1\n/.test(about) && /num-other-sentinels\n2\n/.test(about)
  }
  await until('the Sentinels know one another', async () => (await Promise.all(sentinels.map(known))).every(Boolean))
  const masterOf = async (): Promise<RedisServer> => {
    const [, port] = (await sentinels[0]!.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)).split('\n')
    return servers.find((server) => String(server.port) === port)!
  }
  return {
    url: `redis+sentinel://${sentinels.map(({ host }) => host).join(',')}/${MASTER}`,
    servers,
    sentinels,
    masterOf,
    countAsGoneAfter: (ms) => toldAll(sentinels, ['SENTINEL', 'SET', MASTER, 'down-after-milliseconds', String(ms)]),
  }
}

export interface Cluster extends Deployment {
  /** `asked`: the server whose view it is; the first one if it is left out. */
  masterOf(key: string, asked?: RedisServer): Promise<RedisServer>
}

/** Three masters and a replica of each. */
export async function startCluster(t: Test): Promise<Cluster> {
  // Their own default is 10,000 above the port: among those that the system gives to outgoing connections.
  const busPorts = await Promise.all([1, 2, 3, 4, 5, 6].map(freePort))
  const config = { 'cluster-enabled': 'yes', 'cluster-node-timeout': String(SILENCE) }
  const servers = await Promise.all(
    busPorts.map((port) => startRedis(t, { config: { ...config, 'cluster-port': String(port) } })),
  )
  const hosts = servers.map(({ host }) => host)
  const addresses = hosts.map((host, server) => `${host}@${busPorts[server]}`)
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'])
  const whole = async (server: RedisServer): Promise<boolean> => {
    const nodes = (await server.command('CLUSTER', 'NODES')).split('\n')
    const replicates = /^master_link_status:up/m.test(await server.command('INFO', 'replication'))
    const isReplica = nodes.some((node) => / myself,slave /.test(node))
    const serves = (await server.command('CLUSTER', 'INFO')).includes('cluster_state:ok')
    return serves && nodes.length === servers.length && (await slots(server)).length === 3 && (replicates || !isReplica)
  }
  await until('the Cluster is whole', async () => (await Promise.all(servers.map(whole))).every(Boolean))
  const masterOf = async (key: string, asked = servers[0]!): Promise<RedisServer> => {
    const slot = Number(await asked.command('CLUSTER', 'KEYSLOT', key))
    const shard = (await slots(asked)).find(([first, last]) => first <= slot && slot <= last)!
    return servers.find(({ port }) => port === shard[2][1])!
  }
  const countAsGoneAfter = (ms: number) => toldAll(servers, ['CONFIG', 'SET', 'cluster-node-timeout', String(ms)])
  return { url: `redis+cluster://${hosts.slice(0, 2).join(',')}`, servers, masterOf, countAsGoneAfter }
}

/** @throws Error one of them does not take it */
async function toldAll(servers: readonly RedisServer[], command: readonly string[]): Promise<void> {
  for (const server of servers) {
    const answer = await server.command(...command)
    if (answer !== 'OK') throw new Error(`${command.join(' ')}: ${answer}`)
  }
}

export interface Secured {
  readonly server: RedisServer
  readonly url: string
  /** Settings of a node there: certificates. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string }
}

/** A server that takes TLS with a client's certificate, and a user with no more rights than a node needs; the test itself talks to it without. */
export async function startSecured(t: Test, prefix: string, more = ''): Promise<Secured> {
  const { cert, key } = certificateFiles(t)
  const port = await freePort()
  const files = { 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': cert }
  const user = `${leastRights(`{${prefix}}`)}${more}`
  const server = await startRedis(t, { config: { ...files, 'tls-port': String(port), user } })
  return { server, url: `rediss://topictalk:password@localhost:${port}`, tls: { ca: cert, cert, key } }
}

/** The user that docs/redis.md shows. @param tag Of the keys: a pattern */
export function leastRights(tag = '{*}'): string {
  const [, rights] = /^user (topictalk on >password .*)$/m.exec(readFileSync('docs/redis.md', 'utf8'))!
  return rights!.replaceAll('{topictalk}', tag)
}

/** First and last slot of each shard, then host and port of its master. */
async function slots(server: RedisServer): Promise<[number, number, [string, number]][]> {
  return JSON.parse(await server.command('--json', 'CLUSTER', 'SLOTS'))
}
