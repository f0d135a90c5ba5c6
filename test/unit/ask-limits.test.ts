/** How often one person may ask another: counted in the change that asks. */
import t, { type Test } from 'tap'
import type { Actor } from '../../broker/chat/model/actor.js'
import { AskLimits } from '../../broker/chat/model/ask-limits.js'
import type { Store } from '../../broker/store/store.js'
import { actorOf, openStore, overtaken, raced } from '../helpers/node-pair.js'
import { secondMemory } from '../helpers/two-memories.js'

const START = 1_000_000

async function open(t: Test, perPair: number) {
  const store = await openStore(t)
  let now = START
  const limits = new AskLimits(perPair, () => now)
  /** Resolves with the seconds to wait; 0: it was asked. */
  const ask = async (actor: Actor, user: string, what: string, { transact }: Store = store): Promise<number> => {
    const asking = transact(`${user} ${what}`, async (tx) => ({
      ops: await limits.ops(tx, actor, user, what),
      value: 0,
    }))
    return asking.then(
      ({ value }) => value,
      (refusal) => (refusal.code === 'rate_limited' ? refusal.retryAfter : Promise.reject(refusal)),
    )
  }
  return { store, ask, forward: (seconds: number) => void (now += seconds * 1000) }
}

const ann = actorOf('ann')

t.test('who asks too often about many things has not asked too often about each', async (t) => {
  const { ask, forward } = await open(t, 100)
  for (let i = 0; i < 100; i++) t.equal(await ask(ann, 'bob', `room ${i}`), 0)
  for (let i = 0; i < 20; i++) t.equal(await ask(ann, 'bob', 'room x'), 10, 'what is refused does not count')
  t.equal(await ask(ann, 'cy', 'room x'), 0, 'each other user is asked apart')
  forward(10)
  t.equal(await ask(ann, 'bob', 'room x'), 0)
})

t.test('a twentieth of it is about the same thing; admins are not counted', async (t) => {
  const { ask, store } = await open(t, 40)
  for (let i = 0; i < 2; i++) t.equal(await ask(ann, 'bob', 'contact'), 0)
  t.equal(await ask(ann, 'bob', 'contact'), 500)
  t.equal(await ask(actorOf('root', 'admin'), 'bob', 'contact'), 0)
  const owners = (await store.tables.list('expiring', {})).map(([key]) => key.split('\0')[0])
  t.same(owners, ['ann', 'ann'], 'one record for whom, one for what')
})

t.test('two nodes admit no more than one, and a decision that is made again counts once', async (t) => {
  const { ask, store, forward } = await open(t, 10)
  const late = await secondMemory(store)
  late.hold()
  const nodes = [store, late.store]
  const asked = Promise.all(Array.from({ length: 30 }, (_, i) => ask(ann, 'bob', `room ${i}`, nodes[i % 2])))
  setImmediate(late.release)
  const waits = await asked
  t.equal(waits.filter((wait) => wait === 0).length, 10)
  for (const contend of [raced, overtaken]) {
    forward(100)
    const outcome = await contend(
      store,
      () => ask(ann, 'bob', `${contend.name} first`),
      (other) => ask(ann, 'bob', `${contend.name} second`, other),
    )
    t.equal(outcome, 100)
  }
})
