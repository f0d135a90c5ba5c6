/** Finds the server that takes writes, each time a connection is needed. */
import { StoreError } from '../changes.js'
import { type Address, type Host, hostText } from './address.js'
import type { RedisConnection } from './connection.js'

/** Opens a connection to a server of the deployment, or to one of its Sentinels. */
export type Open = (host: Host, who: 'server' | 'sentinel') => Promise<RedisConnection>

export class Locator {
  readonly #address: Address
  readonly #hashTag: string
  readonly #open: Open
  /** Who is asked, in turn; who answered last comes first. */
  #asked: readonly Host[]

  /** @param hashTag Of the keys: on a Cluster, the server of its hash slot is the one. */
  constructor(address: Address, hashTag: string, open: Open) {
    this.#address = address
    this.#hashTag = hashTag
    this.#open = open
    this.#asked = address.hosts
  }

  /** @throws StoreError with one line. */
  async find(): Promise<RedisConnection> {
    const faults = new Set<string>()
    for (const host of this.#asked) {
      try {
        const connection = await this.#openWriting(await this.#masterBy(host))
        this.#remember([host, ...this.#asked])
        return connection
      } catch (error) {
        faults.add((error as Error).message)
      }
    }
    throw new StoreError([...faults].join('; '))
  }

  #masterBy(host: Host): Promise<Host> | Host {
    if (this.#address.kind === 'single') return host
    return this.#address.kind === 'sentinel' ? this.#bySentinel(host) : this.#byNode(host)
  }

  async #bySentinel(host: Host): Promise<Host> {
    const { master } = this.#address
    const reply = await this.#ask(host, 'sentinel', async (sentinel) =>
      sentinel.call('SENTINEL', ['GET-MASTER-ADDR-BY-NAME', master]),
    )
    if (!Array.isArray(reply)) throw new StoreError(`the Sentinel at ${hostText(host)} knows no master ${master}`)
    return { host: String(reply[0]), port: Number(reply[1]) }
  }

  async #byNode(host: Host): Promise<Host> {
    const [slot, ranges] = await this.#ask(host, 'server', async (node) => {
      if (!node.isCluster) throw new StoreError(`Redis at ${hostText(host)} is not part of a Redis Cluster`)
      return Promise.all([node.call('CLUSTER', ['KEYSLOT', this.#hashTag]), node.call('CLUSTER', ['SLOTS'])])
    })
    const shards = shardsOf(ranges, host)
    this.#remember([...this.#asked, ...shards.flatMap(({ nodes }) => nodes)])
    const shard = shards.find(({ first, last }) => first <= Number(slot) && Number(slot) <= last)
    if (!shard) throw new StoreError(`no server of the Redis Cluster has the hash slot ${slot}`)
    return shard.nodes[0]!
  }

  async #ask<T>(host: Host, who: 'server' | 'sentinel', ask: (from: RedisConnection) => Promise<T>): Promise<T> {
    const connection = await this.#open(host, who)
    try {
      return await ask(connection)
    } finally {
      connection.close()
    }
  }

  /** The others of a Cluster are asked when those of the address are gone. */
  #remember(hosts: readonly Host[]): void {
    this.#asked = [...new Map(hosts.map((host) => [hostText(host), host])).values()]
  }

  async #openWriting(host: Host): Promise<RedisConnection> {
    const connection = await this.#open(host, 'server')
    const fault = faultOf(connection, this.#address.kind)
    if (fault === null) return connection
    connection.close()
    throw new StoreError(`Redis at ${hostText(host)} ${fault}`)
  }
}

function faultOf({ server, isCluster }: RedisConnection, kind: Address['kind']): string | null {
  if (server.mode === 'sentinel') return 'is a Sentinel: use redis+sentinel://'
  if (isCluster && kind !== 'cluster') return 'is part of a Redis Cluster: use redis+cluster://'
  return server.role === 'master' ? null : 'is a replica, which takes no writes: its master is needed'
}

interface Shard {
  /** Hash slots. */
  readonly first: number
  readonly last: number
  /** The master first. */
  readonly nodes: readonly Host[]
}

/** Reads CLUSTER SLOTS. A node that does not know its own address leaves it out: it is the one we asked. */
function shardsOf(reply: unknown, asked: Host): Shard[] {
  const ranges = reply as [number, number, ...[Buffer | null, number][]][]
  return ranges.map(([first, last, ...nodes]) => ({
    first,
    last,
    nodes: nodes.map(([host, port]) => ({ host: String(host ?? '') || asked.host, port })),
  }))
}
