/** Finds the server that takes writes. */
import { StoreError } from '../changes.js'
import { type Address, type Host, hostText } from './address.js'
import type { RedisConnection } from './connection.js'

/** Opens a connection to a server of the deployment, or to one of its Sentinels. */
export type Open = (host: Host, who: 'server' | 'sentinel') => Promise<RedisConnection>

/** @throws StoreError with one line. */
export async function locate(address: Address, open: Open): Promise<RedisConnection> {
  return findSingle(address, open)
}

async function findSingle(address: Address, open: Open): Promise<RedisConnection> {
  return writing(await open(address.hosts[0]!, 'server'), address)
}

function writing(connection: RedisConnection, { kind }: Address): RedisConnection {
  const fault = faultOf(connection, kind)
  if (fault === null) return connection
  connection.close()
  throw new StoreError(`Redis at ${hostText(connection.host)} ${fault}`)
}

function faultOf({ server, isCluster }: RedisConnection, kind: Address['kind']): string | null {
  if (server.mode === 'sentinel') return 'is a Sentinel: use redis+sentinel://'
  if (isCluster !== (kind === 'cluster'))
    return isCluster ? 'is part of a Redis Cluster: use redis+cluster://' : 'is not part of a Redis Cluster'
  return server.role === 'master' ? null : 'is a replica, which takes no writes: its master is needed'
}
