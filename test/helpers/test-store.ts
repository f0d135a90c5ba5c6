/** Which store the brokers of tests have: with `TEST_STORE=redis` each its own Redis server, else the embedded one. */
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Test } from 'tap'
import { storeLocation } from '../../broker/wiring/storage.js'
import type { Overrides } from './broker.js'
import { filesIn } from './disk.js'
import { type RedisServer, startRedis } from './redis-server.js'
import { TcpProxy } from './tcp-proxy.js'

export const onRedis = process.env['TEST_STORE'] === 'redis'
/** Ms by which each reply of Redis is late. */
const LATE = Number(process.env['TEST_STORE_DELAY'] ?? 0)

export interface TestStore {
  /** What a test says of `store.level` and `auth` itself stays as it is. */
  configure(overrides: Overrides): Overrides
  /** As an operator does who gives all nodes another secret. */
  forgetSecret(): Promise<unknown>
  /** What its files hold; on Redis, what a rewritten append-only file would. */
  files(): Promise<string[]>
}

/**
 * Closed with the test.
 * @param isBrought The test has a store of its own, as those of several nodes
 */
export async function testStore(t: Test, dataDir: string, isBrought: boolean): Promise<TestStore> {
  if (!onRedis || isBrought) return embedded(dataDir)
  // What a test waits for is not the disk. A snapshot is searched for words.
  const server = await startRedis(t, { aof: 'off', config: { rdbcompression: 'no' } })
  const prefix = basename(dataDir)
  const store = {
    driver: 'redis',
    redis: { url: await addressOf(t, server), prefix, assume: ['appendonly', 'appendfsync'] },
  }
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
    files: async () => {
      await server.command('SAVE')
      return [await readFile(join(server.directory, 'dump.rdb'), 'latin1')]
    },
  }
}

function embedded(dataDir: string): TestStore {
  return {
    configure: (overrides) => overrides,
    forgetSecret: async () => {},
    files: () => filesIn(storeLocation(dataDir)),
  }
}

async function addressOf(t: Test, server: RedisServer): Promise<string> {
  if (LATE === 0) return server.url
  const proxy = await TcpProxy.start(t, server)
  proxy.delay = LATE
  return proxy.url
}
