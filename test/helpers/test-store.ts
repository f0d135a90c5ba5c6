/** Which store the brokers of tests have: with `TEST_STORE=redis` each its own Redis server, else the embedded one. */
import { basename } from 'node:path'
import type { Test } from 'tap'
import type { Overrides } from './broker.js'
import { startRedis } from './redis-server.js'

export const onRedis = process.env['TEST_STORE'] === 'redis'

export interface TestStore {
  /** What a test says of `store` and `auth` itself stays as it is. */
  configure(overrides: Overrides): Overrides
  /** As an operator does who gives all nodes another secret. */
  forgetSecret(): Promise<unknown>
}

/** Closed with the test. */
export async function testStore(t: Test, dataDir: string): Promise<TestStore> {
  if (!onRedis) return { configure: (overrides) => overrides, forgetSecret: async () => {} }
  // What a test waits for is not the disk.
  const server = await startRedis(t, { aof: 'off' })
  const prefix = basename(dataDir)
  const store = { driver: 'redis', redis: { url: server.url, prefix, assume: ['appendonly', 'appendfsync'] } }
  return {
    configure: ({ auth, ...overrides }) => ({
      ...overrides,
      store: { ...store, level: (overrides.store as { level?: object } | undefined)?.level ?? {} },
      auth: {
        ...auth,
        jwt: { secret: 'the secret that all nodes of a test have', ...(auth?.jwt as object | undefined) },
      },
    }),
    forgetSecret: () => server.command('HDEL', `{${prefix}}meta`, 'secret'),
  }
}
