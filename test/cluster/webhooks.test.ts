/** Webhooks of several nodes: each event is told by one of them, whatever nodes come and go, and any of them answers for all. */
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Marks } from '../../broker/readers/marks.js'
import { nodeOfJobClaim } from '../../broker/store/job-owners.js'
import type { LogName } from '../../broker/store/log-name.js'
import { rendezvous } from '../../broker/store/rendezvous.js'
import type { Store } from '../../broker/store/store.js'
import type { Overrides } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { type SharedBroker, startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'
import { type Received, Receiver } from '../helpers/receiver.js'

const SECRET = `whsec_${'x'.repeat(32)}`
/** Seconds after which a log counts as quiet, and it is looked whether all have read it. */
const AFTER_QUIET = 6
const DELIVERY = { backoff: 0.01, maxBackoff: 0.02, attempts: 3 }

interface Setup {
  readonly store: Store
  readonly nodes: readonly SharedBroker[]
  readonly another: () => Promise<SharedBroker>
  readonly receiver: Receiver
}

/** Two nodes with webhooks of these ids, each of which tells the path that is its id. */
async function setup(t: Test, ids: readonly string[] = ['crm'], more: object = {}): Promise<Setup> {
  const receiver = await Receiver.start(t)
  const webhooks = ids.map((id) => ({
    id,
    url: receiver.url.replace('/hook', `/${id}`),
    secret: SECRET,
    events: ['message.sent'],
    direct: false,
  }))
  const rooms = { list: ROOMS.map((id) => ({ id, access: 'public' })) }
  const overrides = { webhooks, rooms, webhookDelivery: { ...DELIVERY, ...more }, limits: { rates: 'off' } }
  const { store, one, two, another } = await startNodes(t, overrides as unknown as Overrides)
  for (const id of ids) await owner(store, id, [one, two])
  return { store, nodes: [one, two], another, receiver }
}

const ROOMS = ['den', 'tea', 'cake']

/** Which of the nodes serves a webhook, once it is the one that is to. */
async function owner(store: Store, id: string, nodes: readonly SharedBroker[]): Promise<SharedBroker> {
  const job = `webhook/${id}`
  const chosen = rendezvous(
    job,
    nodes.map(({ node }) => node.self),
  )
  while (nodeOfJobClaim(store.jobOwners.owner(job) ?? '') !== chosen) await turn()
  return nodes.find(({ node }) => node.self === chosen)!
}

/** The node that serves a webhook, and another one. */
async function ownerAndOther({ store, nodes }: Setup, id = 'crm'): Promise<[SharedBroker, SharedBroker]> {
  const serving = await owner(store, id, nodes)
  return [serving, nodes.find((node) => node !== serving)!]
}

function admin(t: Test, { broker }: SharedBroker, clientId: string): Promise<Person> {
  return Person.connect(t, broker, 'alice', { roles: ['admin'], clientId })
}

/** Resolves when a counter of the node has come so far. */
async function counted({ broker }: SharedBroker, name: string, count: number): Promise<void> {
  while (broker.running.counters.get(name) < count) await turn()
}

/** Resolves when so many nodes have looked whether all webhooks have read the log to its end. */
function looked(t: Test, log: LogName, nodes: number): Promise<void> {
  const { remove } = Marks.prototype
  t.teardown(() => {
    Marks.prototype.remove = remove
  })
  const looking = new Set<Marks>()
  return new Promise((resolve) => {
    Marks.prototype.remove = async function (this: Marks, logs: readonly LogName[]) {
      await remove.call(this, logs)
      if (logs.includes(log)) looking.add(this)
      if (looking.size === nodes) resolve()
    }
  })
}

const textOf = ({ json }: Received): string => json.data.text

/** What a webhook was told of a room, repetitions left out. */
function told(receiver: Receiver, id: string, room: string): string[] {
  const mine = receiver.received.filter(({ path, json }) => path === `/${id}` && json.data.room === room)
  return [...new Set(mine.map(textOf))]
}

/** By webhook and event: how often it was told. */
function counts(receiver: Receiver): Map<string, number> {
  const found = new Map<string, number>()
  for (const { path, json } of receiver.received) {
    const key = `${path} ${json.id}`
    found.set(key, (found.get(key) ?? 0) + 1)
  }
  return found
}

t.test('under load each event is told once to each webhook, in the order of its room', async (t) => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const { store, nodes, receiver } = await setup(t, ids)
  const people = await Promise.all(nodes.map((node, i) => admin(t, node, `alice-${i}`)))
  const serving = new Set(await Promise.all(ids.map((id) => owner(store, id, nodes))))
  t.equal(serving.size, 2, 'the nodes share the webhooks')
  for (const room of ROOMS) await people[0]!.get('rooms.join', { room })
  const said: string[] = []
  await Promise.all(
    people.map(async (person, who) => {
      for (let i = 0; i < 40; i++) {
        said.push(`${who} ${i}`)
        await person.say(ROOMS[i % 3]!, `${who} ${i}`)
      }
    }),
  )
  await receiver.wait(said.length * ids.length)
  t.ok([...counts(receiver).values()].every((count) => count === 1))
  for (const room of ROOMS) {
    const { messages } = await people[0]!.get('history', { room, limit: 100 })
    const inOrder = messages.map(({ text }: { text: string }) => text)
    for (const id of ids) t.same(told(receiver, id, room), inOrder)
  }
})

t.test('a webhook is made on one node, changed on another and removed on the first', async (t) => {
  const { nodes, receiver } = await setup(t, [])
  const [one, two] = [await admin(t, nodes[0]!, 'one'), await admin(t, nodes[1]!, 'two')]
  await one.get('webhooks.create', { webhook: 'w', url: receiver.url, events: ['message.sent'], rooms: ['den'] })
  for (const [i, person] of [one, two].entries()) await person.say('den', `to den ${i}`)
  await receiver.wait(2)
  await two.get('webhooks.update', { webhook: 'w', rooms: ['tea'] })
  t.match((await one.get('webhooks.list')).webhooks, [{ id: 'w', rooms: ['tea'] }])
  await one.say('den', 'not any more')
  for (const [i, person] of [one, two].entries()) await person.say('tea', `to tea ${i}`)
  await receiver.wait(4)
  await two.get('webhooks.update', { webhook: 'w', enabled: false })
  await one.say('tea', 'later')
  await one.get('webhooks.update', { webhook: 'w', enabled: true })
  await receiver.wait(5)
  t.same(receiver.received.map(textOf), ['to den 0', 'to den 1', 'to tea 0', 'to tea 1', 'later'])
  t.equal(await two.fails('webhooks.create', { webhook: 'w', url: receiver.url, events: ['*'] }), 'conflict webhook')
  await one.get('webhooks.delete', { webhook: 'w' })
  for (const person of [one, two]) t.same((await person.get('webhooks.list')).webhooks, [])
  t.equal(await two.fails('webhooks.test', { webhook: 'w' }), 'not_found webhook')
  await two.say('tea', 'to nobody')
  t.equal(receiver.received.length, 5)
})

t.test('any node answers for the one that serves it: its state, its dead letters, a retry, a test', async (t) => {
  const parts = await setup(t, ['crm'], { attempts: 1 })
  const { receiver } = parts
  const [serving, other] = await ownerAndOther(parts)
  const asked = await admin(t, other, 'other')
  receiver.answer = ({ json }) => ({ status: json.data.text === 'poison' ? 500 : 200 })
  await asked.say('den', 'poison')
  const first = async (): Promise<unknown> => (await asked.get('webhooks.list')).webhooks[0]
  const comesTo = async (state: object): Promise<void> => {
    for (;;) {
      const now = (await first()) as Record<string, unknown>
      if (Object.entries(state).every(([key, value]) => now[key] === value)) return
    }
  }
  await comesTo({ dead: 1, lastError: 'answered 500', behind: 0, lastSuccess: null })
  const { deliveries } = await asked.get('webhooks.deliveries', { webhook: 'crm' })
  t.match(deliveries, [{ type: 'message.sent', attempts: 1 }])
  t.same(await asked.get('webhooks.test', { webhook: 'crm' }), { ok: true, status: 200, error: null })
  t.same(await asked.get('webhooks.retry', { webhook: 'crm' }), { retrying: 1 })
  await receiver.wait(2, ({ json }) => json.data.text === 'poison')
  await comesTo({ dead: 1 })
  receiver.answer = () => ({})
  // What the node does not hear now it hears later.
  serving.deafen()
  t.same(await asked.get('webhooks.retry', { webhook: 'crm', delivery: deliveries[0].id }), { retrying: 1 })
  serving.hear()
  await receiver.wait(3, ({ json }) => json.data.text === 'poison')
  await comesTo({ dead: 0 })
  t.equal(await asked.fails('webhooks.retry', { webhook: 'crm', delivery: deliveries[0].id }), 'not_found delivery')
  t.not(((await first()) as { lastSuccess: number | null }).lastSuccess, null)
})

t.test('what is to be tried again is, though the node that was to do it is gone', async (t) => {
  const parts = await setup(t, ['crm'], { attempts: 1 })
  const { store, receiver } = parts
  const [serving, other] = await ownerAndOther(parts)
  const asked = await admin(t, other, 'other')
  receiver.answer = () => ({ status: 500 })
  await asked.say('den', 'poison')
  while ((await asked.get('webhooks.deliveries', { webhook: 'crm' })).deliveries.length === 0);
  receiver.answer = () => ({})
  serving.kill()
  await asked.get('webhooks.retry', { webhook: 'crm' })
  t.equal(receiver.received.length, 1)
  serving.node.leave()
  await receiver.wait(2)
  while ((await store.webhooks.letters('crm', '', 1)).length > 0) await turn()
  t.same(await store.webhooks.retries('crm'), [])
})

t.test('the node that serves it is gone: another one goes on, and repeats what was not saved', async (t) => {
  const parts = await setup(t)
  const { receiver } = parts
  const [serving, other] = await ownerAndOther(parts)
  const alice = await admin(t, other, 'other')
  for (let i = 0; i < 20; i++) await alice.say('den', `before ${i}`)
  await receiver.wait(20)
  serving.kill()
  for (let i = 0; i < 20; i++) await alice.say('den', `after ${i}`)
  serving.node.leave()
  const all = ['before', 'after'].flatMap((when) => Array.from({ length: 20 }, (_, i) => `${when} ${i}`))
  while (told(receiver, 'crm', 'den').length < all.length) await receiver.wait(receiver.received.length + 1)
  t.same(told(receiver, 'crm', 'den'), all, 'in order, none is missing')
  t.equal(counts(receiver).size, all.length, 'what is told again has the id it had')
})

t.test('a node that slept while another took over writes nothing more of the webhook', async (t) => {
  const parts = await setup(t)
  const { store, receiver } = parts
  const [serving, other] = await ownerAndOther(parts)
  const alice = await admin(t, other, 'other')
  let answer = (): void => {}
  receiver.answer = ({ json }) =>
    json.data.text === 'first' && receiver.received.length === 1
      ? new Promise((resolve) => (answer = () => resolve({})))
      : {}
  await alice.say('den', 'first')
  await receiver.wait(1)
  serving.pause()
  serving.node.leave()
  await owner(store, 'crm', [other])
  for (const text of ['second', 'third']) await alice.say('den', text)
  await receiver.wait(4)
  t.same(receiver.received.map(textOf), ['first', 'first', 'second', 'third'])
  // Its delivery is answered, and what it makes of it is refused.
  answer()
  serving.node.lose()
  await serving.goOn()
  await other.broker.running.store.sessions.writeLazily([])
  for (let last = -1; last < 3; ) {
    const cursors = await store.tables.list('readerCursor', {})
    const mine = cursors.filter(([key]) => key.includes('crm'))
    last = Math.max(...mine.map(([, value]) => Number(value)))
    t.ok(mine.length <= 1)
    await turn()
  }
  await alice.say('den', 'fourth')
  await receiver.wait(5)
  t.same(receiver.received.map(textOf), ['first', 'first', 'second', 'third', 'fourth'])
})

t.test('an event that a former owner gives up is no dead letter', async (t) => {
  const parts = await setup(t, ['crm'], { attempts: 1 })
  const { store, receiver } = parts
  const [serving, other] = await ownerAndOther(parts)
  const alice = await admin(t, other, 'other')
  let fail = (): void => {}
  receiver.answer = () =>
    receiver.received.length === 1 ? new Promise((resolve) => (fail = () => resolve({ status: 500 }))) : {}
  await alice.say('den', 'first')
  await receiver.wait(1)
  serving.pause()
  serving.node.leave()
  await receiver.wait(2)
  fail()
  await counted(serving, 'webhooks.failed', 1)
  await serving.goOn()
  while ((await alice.get('webhooks.list')).webhooks[0].lastSuccess === null);
  await serving.broker.running.store.transact('behind what it wrote', () => ({ value: null }))
  t.same(await store.webhooks.letters('crm', '', 9), [])
  t.equal(serving.broker.running.counters.get('webhooks.dead'), 0)
})

t.test('a webhook that is removed and made anew is told nothing of before', async (t) => {
  const { nodes, receiver } = await setup(t, [])
  const [one, two] = [await admin(t, nodes[0]!, 'one'), await admin(t, nodes[1]!, 'two')]
  const details = { webhook: 'w', url: receiver.url, events: ['message.sent'] }
  let answer = (): void => {}
  receiver.answer = ({ json }) =>
    json.data.text === 'old 1' ? new Promise((resolve) => (answer = () => resolve({}))) : {}
  await one.get('webhooks.create', details)
  for (const text of ['old 1', 'old 2']) await one.say('den', text)
  await receiver.wait(1)
  await two.get('webhooks.delete', { webhook: 'w' })
  await two.get('webhooks.create', details)
  await one.say('den', 'new 1')
  await receiver.wait(2)
  answer()
  await two.say('den', 'new 2')
  await receiver.wait(3)
  t.same(receiver.received.map(textOf), ['old 1', 'new 1', 'new 2'])
})

t.test('a node that leaves hands its webhooks over, and nothing is told twice', async (t) => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const { store, nodes, receiver } = await setup(t, ids)
  const [one, two] = nodes as [SharedBroker, SharedBroker]
  const alice = await admin(t, two, 'two')
  const late: (() => void)[] = []
  // Some are being told while the node leaves.
  receiver.answer = ({ json }) => (json.data.text === '5' ? new Promise((resolve) => late.push(() => resolve({}))) : {})
  for (let i = 0; i <= 5; i++) await alice.say('den', String(i))
  await receiver.wait(6 * ids.length)
  const leaving = one.broker.running.drain()
  for (let i = 6; i < 12; i++) await alice.say('den', String(i))
  for (const answer of late) answer()
  await leaving
  await receiver.wait(12 * ids.length)
  for (const id of ids) t.equal(await owner(store, id, [two]), two)
  t.ok([...counts(receiver).values()].every((count) => count === 1))
  for (const id of ids)
    t.same(
      told(receiver, id, 'den'),
      Array.from({ length: 12 }, (_, i) => String(i)),
    )
})

t.test('a receiver that wants no more is told nothing by any node', async (t) => {
  const parts = await setup(t)
  const { nodes, receiver } = parts
  const [serving, other] = await ownerAndOther(parts)
  const alice = await admin(t, other, 'other')
  receiver.answer = () => ({ status: 410 })
  await alice.say('den', 'one')
  while ((await alice.get('webhooks.list')).webhooks[0].enabled);
  await alice.say('den', 'two')
  t.match((await alice.get('webhooks.list')).webhooks, [{ enabled: false, why: /410/ }])
  t.equal(receiver.received.length, 1)
  const disabled = nodes.map(({ broker }) => broker.running.counters.get('webhooks.disabled'))
  t.equal(disabled[0]! + disabled[1]!, 1)
  receiver.answer = () => ({})
  serving.kill()
  serving.node.leave()
  await alice.get('webhooks.update', { webhook: 'crm', enabled: true })
  await receiver.wait(3)
  t.same(receiver.received.map(textOf), ['one', 'one', 'two'])
})

t.test('a log keeps its mark until the webhooks of all nodes have read it', async (t) => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f']
  const clock = movableClock(t)
  const { store, nodes, receiver, another } = await setup(t, ids)
  const [slow, ...others] = ['b', 'a', 'c', 'd', 'e', 'f'] as const
  const serving = new Set(await Promise.all(others.map((id) => owner(store, id, nodes))))
  // Where one has not read it, there is nothing to look for.
  serving.delete(await owner(store, slow, nodes))
  t.equal(serving.size, 1)
  const alice = await admin(t, nodes[0]!, 'one')
  receiver.answer = ({ path }) => (path === `/${slow}` ? { status: 503 } : {})
  await alice.get('webhooks.update', { webhook: slow, enabled: false })
  for (const text of ['one', 'two']) await alice.say('den', text)
  await receiver.wait(2 * (ids.length - 1))
  const haveLooked = looked(t, 'm:den', serving.size)
  clock.forward(AFTER_QUIET)
  await haveLooked
  t.ok(store.outbox.marked().has('m:den'))
  receiver.answer = () => ({})
  await another()
  await alice.get('webhooks.update', { webhook: slow, enabled: true })
  await receiver.wait(2, ({ path }) => path === `/${slow}`)
  t.same(told(receiver, slow, 'den'), ['one', 'two'])
  clock.forward(AFTER_QUIET)
  while (store.outbox.marked().has('m:den')) await new Promise((resolve) => setTimeout(resolve, 50))
  t.ok([...counts(receiver).values()].every((count) => count === 1))
})
