/** What the suites about several nodes have in common. */
import { aedes } from '../peers/aedes.js'
import type { Peer } from '../peers/peer.js'
import { topictalk } from '../peers/topictalk.js'
import { type Column, SHARES } from '../suite.js'

export interface Layout {
  readonly name: string
  readonly count: number
  readonly onRedis: boolean
}

/** Alone: with the embedded store, or what a broker has in its place. */
export const LAYOUTS: readonly Layout[] = [
  { name: 'alone', count: 1, onRedis: false },
  { name: '1 node', count: 1, onRedis: true },
  { name: '2 nodes', count: 2, onRedis: true },
  { name: '3 nodes', count: 3, onRedis: true },
]

/** Those of which several nodes can share a Redis. */
export const PEERS_ON_REDIS: readonly Peer[] = [topictalk, aedes]

export const SHARES_ON_REDIS: readonly Column[] = [...SHARES, { key: 'redisShare', label: 'Redis CPU', unit: 'share' }]
