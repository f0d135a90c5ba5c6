/** Two brokers on one Redis. */
import type { Test } from 'tap'
import { type Overrides, startTestBroker, type TestBroker } from './broker.js'
import { startRedis } from './redis-server.js'

/** Of their tokens. */
export const SECRET = 'one secret for all nodes, of 32 characters'

export async function twoNodes(t: Test, overrides: Overrides = {}): Promise<[TestBroker, TestBroker]> {
  const { url } = await startRedis(t, { aof: 'off' })
  const redis = { url, assume: ['appendonly', 'appendfsync'] }
  const shared: Overrides = {
    rooms: { list: [{ id: 'den', access: 'public' }] },
    acl: { rules: [{ allow: 'all', who: 'any', topics: ['plain/#'] }] },
    ...overrides,
    store: { driver: 'redis', redis },
    auth: { ...overrides.auth, jwt: { secret: SECRET } },
  }
  return [await startTestBroker(t, shared), await startTestBroker(t, shared)]
}
