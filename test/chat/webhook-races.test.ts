/** Webhooks that race with what another node does, which this one has not heard of yet. */
import { createSecretKey } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { SecretBox } from '../../broker/auth/secret-box.js'
import { completeConfig } from '../../broker/config/config.js'
import { ReaderRegistry } from '../../broker/readers/registry.js'
import { DeadLetters } from '../../broker/readers/webhooks/dead-letters.js'
import { Poster } from '../../broker/readers/webhooks/poster.js'
import { Webhooks } from '../../broker/readers/webhooks/webhooks.js'
import { body } from '../../broker/store/body.js'
import { commit } from '../../broker/store/commit.js'
import { Jobs } from '../../broker/store/jobs.js'
import { SingleNode } from '../../broker/store/nodes.js'
import { dropLog } from '../../broker/store/op.js'
import type { Store } from '../../broker/store/store.js'
import { Counters } from '../../broker/util/counters.js'
import { TimerWheel } from '../../broker/util/timer-wheel.js'
import { uuid7 } from '../../broker/util/uuid7.js'
import { MAX_WEBHOOKS } from '../../schemas/webhooks.js'
import { openStore, raced } from '../helpers/node-pair.js'
import { Receiver } from '../helpers/receiver.js'
import { secondMemory } from '../helpers/two-memories.js'

const secretBox = new SecretBox(createSecretKey(Buffer.alloc(32, 1)))
const HOOK = { url: 'https://example.com/', events: ['*'] }

async function webhooksOf(t: Test, store: Store, privateAddresses = false): Promise<Webhooks> {
  const wheel = new TimerWheel()
  const failed = (error: unknown): void => void t.fail(String(error))
  const registry = new ReaderRegistry({ store, wheel, failed })
  const [counters, poster, config] = [new Counters(), new Poster(privateAddresses), completeConfig({})]
  const jobs = new Jobs({ store, nodes: new SingleNode(), wheel, failed })
  const made = await Webhooks.open({
    ...{ store, registry, jobs, wheel, counters, poster, secretBox, config, failed, note: () => {} },
  })
  await jobs.open()
  t.teardown(async () => {
    await jobs.close()
    poster.close()
    await registry.close()
    wheel.close()
  })
  return made
}

async function records(store: Store): Promise<string[]> {
  const found: string[] = []
  for await (const { id, events, direct, createdBy } of store.webhooks.all())
    found.push(`${id} of ${createdBy}: ${events}${direct ? ', direct' : ''}`)
  return found.sort()
}

/** What one node does, what another does that does not know of it, what becomes of the second, and what is left. */
const RACES: readonly [
  name: string,
  first: (webhooks: Webhooks, store: Store) => Promise<unknown>,
  second: (webhooks: Webhooks) => Promise<unknown>,
  outcome: unknown,
  left: readonly string[],
][] = [
  [
    'two of one name',
    (one) => one.create('ann', { ...HOOK, webhook: 'new' }),
    (other) => other.create('bob', { ...HOOK, webhook: 'new' }),
    'conflict',
    ['new of ann: *', 'old of ann: *'],
  ],
  [
    'two changes of one',
    (one) => one.update('old', { events: ['room.created'] }),
    (other) => other.update('old', { direct: true }),
    { direct: true, events: ['room.created'] },
    ['old of ann: room.created, direct'],
  ],
  ['a change of one that is removed', (one) => one.remove('old'), (other) => other.update('old', {}), 'not_found', []],
  ['two removals', (one) => one.remove('old'), (other) => other.remove('old'), 'not_found', []],
  [
    'a change while its author is removed',
    (one) => one.removeUser('ann'),
    (other) => other.update('old', { direct: true }),
    { createdBy: 'system' },
    ['old of system: *, direct'],
  ],
  [
    'one by a user who is removed',
    (_, store) => commit(store, { ops: store.directory.deleteUserOps('bob', 2) }),
    (other) => other.create('bob', { ...HOOK, webhook: 'new' }),
    { createdBy: 'system' },
    ['new of system: *', 'old of ann: *'],
  ],
]

for (const [name, first, second, outcome, left] of RACES)
  t.test(name, async (t) => {
    const store = await openStore(t, ['ann', 'bob'])
    const one = await webhooksOf(t, store)
    await one.create('ann', { ...HOOK, webhook: 'old' })
    const late = await secondMemory(store)
    const other = await webhooksOf(t, late.store)
    late.hold()
    await first(one, store)
    const done = second(other).catch(({ code }) => code)
    setImmediate(late.release)
    t.match(await done, outcome ?? null)
    t.same(await records(store), left)
  })

t.test('a webhook that has yet to hear that a room is another one posts what is in it in order', async (t) => {
  const store = await openStore(t, ['ann'])
  const hints: (() => void)[] = []
  const onGrowth = store.log.onGrowth.bind(store.log)
  store.log.onGrowth = (listener) => onGrowth((...growth) => void hints.push(() => listener(...growth)))
  const tell = (): void => {
    for (const hint of hints.splice(0)) hint()
  }
  const receiver = await Receiver.start(t)
  const webhooks = await webhooksOf(t, store, true)
  await webhooks.create('ann', { url: receiver.url, events: ['message.*'] })
  const say = (...texts: string[]) =>
    commit(store, {
      drafts: texts.map((text) => {
        const id = uuid7()
        const said = body(`{"id":"${id}","seq":`, `,"from":"ann","type":"text","text":"${text}"}`)
        return { log: 'm:tea', id, ts: Date.now(), from: 'ann', qos: 1, body: said, dedupe: null } as const
      }),
    })
  let go = (): void => {}
  const asked = new Promise<void>((resolve) => (go = resolve))
  receiver.answer = () => asked.then(() => ({}))
  await say('old 1')
  tell()
  await receiver.wait(1)
  await say('old 2')
  tell()
  await commit(store, { ops: [dropLog('m:tea')] })
  await say('new 1', 'new 2', 'new 3')
  go()
  while ((await webhooks.list())[0]!.behind > 0) await turn()
  tell()
  const told = await receiver.wait(4)
  t.same(
    told.map(({ json }) => json.data.text),
    ['old 1', 'new 1', 'new 2', 'new 3'],
  )
})

t.test('there are no more than the limit', async (t) => {
  const store = await openStore(t, ['ann'])
  const one = await webhooksOf(t, store)
  for (let i = 1; i < MAX_WEBHOOKS; i++) await one.create('ann', { ...HOOK, webhook: `w${i}` })
  const outcome = await raced(
    store,
    () => one.create('ann', HOOK),
    async (late) => (await webhooksOf(t, late)).create('ann', HOOK),
  )
  t.equal(outcome, 'conflict')
  t.equal((await records(store)).length, MAX_WEBHOOKS)
})

t.test('nothing is kept of an event of a webhook that was removed', async (t) => {
  const store = await openStore(t, ['ann'])
  const one = await webhooksOf(t, store)
  await one.create('ann', { ...HOOK, webhook: 'w' })
  const letter = { webhook: 'w', id: 'e', log: 'm:tea', seq: 1, type: 'message', at: 1, attempts: 1, error: 'no' }
  const letters = (store: Store) => new DeadLetters(store, 'w', 10, null)
  t.equal(
    await raced(
      store,
      () => one.remove('w'),
      (late) => letters(late).add(letter, []),
    ),
    0,
  )
  t.same(await store.webhooks.letters('w', '', 10), [])
})
