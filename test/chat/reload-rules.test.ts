/** What of the configuration counts at once when it is read anew: rules, rates, who makes accounts and rooms. */
import t from 'tap'
import type { AclRule, Config } from '../../schemas/config.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { EventReader } from '../helpers/event-reader.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

const OPEN: AclRule[] = [{ allow: 'all', who: 'any', topics: ['factory/#'] }]
/** Alice may have what is not secret, and nothing of the office. */
const CLOSED: AclRule[] = [
  { deny: 'all', who: 'user:alice', topics: ['factory/secret/#', 'factory/office'] },
  { allow: 'all', who: 'any', topics: ['factory/#'] },
]

function reload({ running, config }: TestBroker, change: (next: Config) => void) {
  const next = structuredClone(config)
  change(next)
  return running.reload(next)
}

const useRules = (broker: TestBroker, rules: AclRule[]) => reload(broker, (next) => void (next.acl.rules = rules))

async function open(t: Parameters<typeof startTestBroker>[0], overrides: Overrides = {}) {
  const broker = await startTestBroker(t, { acl: { rules: OPEN }, ...overrides })
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((name) => Person.connect(t, broker, name)))
  return { broker, alice: alice!, bob: bob! }
}

t.test('other rules take from live sessions what they do not allow any more, and nothing else', async (t) => {
  const { broker, alice, bob } = await open(t)
  await alice.subscribe(['factory/#', 'factory/office', '$share/g/factory/secret/plans', 'factory/open'])
  await bob.subscribe('factory/#')
  await bob.publish('factory/secret/plans', 'before')
  await bob.publish('factory/office', 'before')
  await alice.inbox.wait(3)

  t.match(await useRules(broker, CLOSED), { applied: ['acl.rules'], restart: [] })
  const heard = alice.lines.length
  await bob.publish('factory/secret/plans', 'after')
  await bob.publish('factory/office', 'after')
  await bob.publish('factory/open', 'after')
  await alice.inbox.wait(heard + 1)
  t.strictSame(alice.lines.slice(heard), ['factory/open after'])
  await bob.inbox.wait(5)
  t.equal(bob.lines.length, 5, 'others have what they had')
  await alice.publish('factory/office', 'from alice')
  await bob.publish('factory/open', 'last')
  await bob.hears('last')
  t.notOk(bob.lines.includes('factory/office from alice'))
  t.strictSame(await alice.subscribe(['factory/office', 'factory/secret/+']), [128, 128])

  await useRules(broker, OPEN)
  t.strictSame(await alice.subscribe('factory/office'), [1])
  t.ok(alice.client.connected)
})

t.test('a kept session has not what was taken from it when it comes back', async (t) => {
  const { broker, bob } = await open(t)
  const phone = { clientId: 'phone', clean: false }
  const before = await Person.connect(t, broker, 'alice', phone)
  await before.subscribe(['factory/office', 'factory/open'])
  await useRules(broker, CLOSED)
  await before.leave()
  await useRules(broker, OPEN)
  await bob.publish('factory/office', 'one')
  await bob.publish('factory/open', 'two')
  const after = await Person.connect(t, broker, 'alice', phone)
  await after.hears('two')
  t.strictSame(after.lines, ['factory/open two'])
})

t.test('a subscription that is decided while the rules change is decided by those of now', async (t) => {
  const { broker, alice, bob } = await open(t)
  const asked = new Promise<() => void>((resolve) => {
    broker.running.aedes.authorizeSubscribe = (_client, subscription, done) => {
      if (subscription.topic !== 'factory/slow') return done(null, subscription)
      resolve(() => done(null, subscription))
    }
  })
  const granted = alice.subscribe(['factory/office', 'factory/slow'])
  const answer = await asked
  await useRules(broker, CLOSED)
  answer()
  t.strictSame(await granted, [128, 1])
  await bob.publish('factory/office', 'one')
  await bob.publish('factory/slow', 'two')
  await alice.hears('two')
  t.strictSame(alice.lines, ['factory/slow two'])
})

t.test('an event stream that shows what the rules do not allow any more ends, and others go on', async (t) => {
  const { broker } = await open(t)
  const stream = (filter: string) => EventReader.open(t, broker, `/v1/events?filter=${filter}`, { as: 'alice' })
  const [office, floor] = [await stream('factory/office'), await stream('factory/floor')]
  await useRules(broker, CLOSED)
  await office.end()
  await broker.connect('bob').then((bob) => bob.publishAsync('factory/floor', 'on', { qos: 1 }))
  await floor.until(() => JSON.stringify(floor.events).includes('"on"'))
})

t.test('rates count at once, and what is owed stays owed', async (t) => {
  const { broker, alice } = await open(t)
  t.match(await reload(broker, (next) => void (next.limits.rates = { read: 0.1 })), { applied: ['limits.rates'] })
  await alice.get('rooms.list')
  t.equal(await alice.fails('rooms.list'), 'rate_limited')
  await reload(broker, (next) => void (next.limits.rates = { read: 0.2 }))
  t.equal(await alice.fails('rooms.list'), 'rate_limited')
  await reload(broker, (next) => void (next.limits.rates = 'off'))
  await alice.get('rooms.list')
  await reload(broker, (next) => void (next.limits.rates = { read: 0.1 }))
  await alice.get('rooms.list')
  t.equal(await alice.fails('rooms.list'), 'rate_limited')
})

t.test('who makes accounts and rooms', async (t) => {
  const { broker, alice } = await open(t)
  const register = (user: string) =>
    fetchFrom(broker, '/v1/auth/register', { method: 'POST', body: { user, password: 'a password' } })
  t.equal((await register('carl')).status, 201)
  await alice.get('rooms.create', { room: 'den' })
  const outcome = await reload(broker, (next) => {
    next.auth.registration = 'closed'
    next.rooms.create = 'admin'
    next.history.days = 3
  })
  t.match(outcome, { applied: ['auth.registration', 'rooms.create'], restart: ['history.days'] })
  t.equal((await register('dora')).status, 403)
  t.match(await alice.fails('rooms.create', { room: 'attic' }), /^forbidden/)
  t.match(await alice.fails('devices.register', { device: 'lamp' }), /^forbidden/)
  await reload(broker, (next) => {
    next.rooms.create = 'user'
    next.rooms.autoCreate = true
  })
  await alice.say('cellar', 'anyone?')
  t.match(await alice.get('rooms.get', { room: 'cellar' }), { room: 'cellar' })
})
