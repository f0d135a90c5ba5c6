/** The store contract behind Sentinels and on a Redis Cluster, and what becomes of a node when their master fails. */
import t, { type Test } from 'tap'
import { openRedisStore } from '../../broker/store/redis/redis-store.js'
import type { Store } from '../../broker/store/store.js'
import { type Deployment, LONG_SILENCE, SILENCE, startCluster, startSentinel } from '../helpers/redis-deployments.js'
import { append, draft, storeSuite, texts } from './store-suite.js'

let places = 0

function open(
  url: string,
  prefix: string,
  onFault: (error: unknown) => void,
  more: { limits?: object; now?: () => number } = {},
): Promise<{ store: Store }> {
  const limits = { queueMessages: 1000, queueBytes: 1_000_000, ...more.limits }
  return openRedisStore({ url, prefix, limits, timeoutMs: 15_000, now: more.now ?? Date.now, onFault })
}

function suiteOn(t: Test, { url }: Deployment): void {
  storeSuite(t, async (t) => {
    const prefix = `place${++places}`
    const onFault = (error: unknown): void => void t.fail(String(error))
    const opened = async (limits?: object, now = Date.now): Promise<Store> =>
      (await open(url, prefix, onFault, { ...(limits ? { limits } : {}), now })).store
    return { open: opened }
  })
}

/** Two nodes write while the master is killed; what was acknowledged is there, once, under its number. */
async function failover(t: Test, deployment: Deployment): Promise<void> {
  const prefix = `failover${++places}`
  const faults: string[] = []
  const onFault = (error: unknown): void => void faults.push(String(error))
  const nodes = [await open(deployment.url, prefix, onFault), await open(deployment.url, prefix, onFault)]
  const acknowledged = new Map<string, string>()
  const write = async (store: Store, name: string, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const text = `${name} ${i}`
      const outcome = await append(store, draft('m:a', text, { cid: text }))
      acknowledged.set(text, outcome.replace(/^\w+ /, ''))
    }
  }
  const master = await deployment.masterOf(`{${prefix}}`)
  const writing = nodes.map(({ store }, i) => write(store, `node ${i}`, 200))
  while (acknowledged.size < 50) await new Promise((resolve) => setImmediate(resolve))
  // Nothing is lost that the replica has: this is about going on, not about what a crash may lose.
  await master.command('WAIT', '1', '1000')
  await master.kill9()
  await Promise.all(writing)
  for (const { store } of nodes) {
    await store.catchUp()
    const found = texts(await store.log.read('m:a', 0, 1000, 1e6))
    const lost = [...acknowledged].filter(([text, seq]) => found[Number(seq) - 1] !== text)
    // Replication is asynchronous: what the master acknowledged in its last moment may be gone, and then it is said.
    if (lost.length > 0)
      t.ok(
        faults.some((fault) => fault.includes('has lost')),
        `lost ${lost}: ${faults}`,
      )
    t.equal(new Set(found).size, found.length, 'nothing twice')
  }
  await Promise.all(nodes.map(({ store }) => store.close()))
}

for (const [name, start] of Object.entries({ Sentinels: startSentinel, 'a Cluster': startCluster })) {
  t.test(name, async (t) => {
    const deployment = await start(t)
    await deployment.countAsGoneAfter(LONG_SILENCE)
    t.test('contract', (t) => {
      suiteOn(t, deployment)
      t.end()
    })
    t.test('the master is killed', async (t) => {
      await deployment.countAsGoneAfter(SILENCE)
      await failover(t, deployment)
    })
  })
}
