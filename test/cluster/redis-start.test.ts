/** Brokers that start on one Redis: what is wrong with it, or differs between them, is one line each. */
import pino from 'pino'
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { type RedisServer, startRedis } from '../helpers/redis-server.js'

const SECRET = 'one secret for all nodes, of 32 characters'

/** Resolves with the warnings of its start. */
async function start(t: Test, { url }: RedisServer, overrides: Overrides = {}, secret = SECRET): Promise<string[]> {
  const warnings: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(JSON.parse(line).msg) })
  const store = { driver: 'redis', redis: { url } }
  await startTestBroker(t, { ...overrides, store, auth: { jwt: { secret } } }, { log })
  return warnings
}

t.test('a Redis that loses what is acknowledged is refused', async (t) => {
  await t.rejects(start(t, await startRedis(t, { aof: 'off' })), { message: /^appendonly is no: .*; set it to yes$/ })
})

t.test('so is another secret; other settings are warned of', async (t) => {
  const redis = await startRedis(t)
  t.same(await start(t, redis, { node: { id: 'a' } }), [])
  await t.rejects(start(t, redis, {}, `${SECRET}!`), { message: /^auth.jwt.secret is not the one/ })
  t.same(await start(t, redis, { node: { id: 'b' }, history: { days: 7 } }), [
    'set differently on other nodes (a): history.days; clients see the one or the other',
  ])
})
