/** How much memory of Redis a record takes. */
import { Link } from '../../broker/store/redis/link.js'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import * as stored from '../load/stored.js'
import { withBroker } from '../peers/peer.js'
import { redis } from '../peers/redis.js'
import { topictalk } from '../peers/topictalk.js'
import type { Suite, Values } from '../suite.js'

const COUNT = 50_000
const KINDS = [
  stored.MESSAGE,
  stored.MESSAGE_WITH_CID,
  stored.MEMBER,
  stored.SESSION,
  stored.RETAINED,
  stored.REFERENCE,
] as const

export const nodesMemory: Suite = {
  name: 'nodes-memory',
  title: 'Memory of Redis for each record (`used_memory`)',
  columns: [{ key: 'bytes', label: 'bytes each', unit: 'count' }],
  main: { key: 'bytes', better: 'less' },
  peers: [topictalk],
  tasks({ scale }) {
    const count = Math.max(1000, Math.round(COUNT * scale))
    return KINDS.map((kind) => ({ cell: kind.name, measure: () => measure(kind, count) }))
  },
}

function measure(kind: stored.Stored, count: number): Promise<Values | null> {
  return withBroker(redis, async ({ port }) => {
    const url = `redis://127.0.0.1:${port}`
    const options = { prefix: 'memory', limits: { queueMessages: count, queueBytes: Number.MAX_SAFE_INTEGER } }
    const { store } = await openRedisStore({ url, ...options })
    try {
      const before = await usedMemory(url)
      await stored.storeMany(store, kind, count)
      return { bytes: ((await usedMemory(url)) - before) / count }
    } finally {
      await store.close()
    }
  })
}

async function usedMemory(url: string): Promise<number> {
  const link = new Link({ url, hashTag: '', timeoutMs: 10_000, name: 'bench', onFault: () => {} })
  await link.start()
  const facts = String(await link.connection!.call('INFO', ['memory']))
  await link.close()
  return Number(/used_memory:(\d+)/.exec(facts)![1])
}
