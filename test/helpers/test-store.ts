/** Which store the brokers of tests have: with `TEST_STORE=redis` each its own Redis server, else the embedded one. */
import { basename } from 'node:path'
import type { Test } from 'tap'
import type { Overrides } from './broker.js'
import { startRedis } from './redis-server.js'

export const onRedis = process.env['TEST_STORE'] === 'redis'

/** What a test says of `store` and `auth` itself stays as it is. */
export async function testStore(t: Test, dataDir: string): Promise<(overrides: Overrides) => Overrides> {
  if (!onRedis) return (overrides) => overrides
  // What a test waits for is not the disk.
  const { url } = await startRedis(t, { aof: 'off' })
  const store = { driver: 'redis', redis: { url, prefix: basename(dataDir), assume: ['appendonly', 'appendfsync'] } }
  return ({ auth, ...overrides }) => ({
    ...overrides,
    store: { ...store, level: (overrides.store as { level?: object } | undefined)?.level ?? {} },
    auth: {
      ...auth,
      jwt: { secret: 'the secret that all nodes of a test have', ...(auth?.jwt as object | undefined) },
    },
  })
}
