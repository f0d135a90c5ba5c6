/** What an API key may make: no more roles, no longer life, and nothing for others. */
import t, { type Test } from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { Person, type PersonOptions } from '../helpers/people.js'

const DAY = 86_400_000

async function open(t: Test) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const root = await connect('root', { roles: ['admin', 'notifier'] })
  const byKey = async (person: Person, expiresIn?: number) => {
    const made = await person.get('keys.create', { name: 'k', ...(expiresIn && { expiresIn }) })
    const client = await connect(person.user, { password: made.key, clientId: `by-${made.id}` })
    return { client, expiresAt: made.expiresAt as number | null }
  }
  return { broker, connect, root, byKey }
}

t.test('a key makes keys for bots of its user alone, and these end with it', async (t) => {
  const { connect, byKey } = await open(t)
  const alice = await connect('alice')
  await alice.get('bots.create', { bot: 'helper' })
  const short = await byKey(alice, 60)
  const ofBot = await short.client.get('keys.create', { name: 'b', user: 'helper', expiresIn: 315_360_000 })
  t.ok(ofBot.expiresAt <= short.expiresAt!)
  t.equal(await short.client.fails('keys.create', { name: 'own' }), 'forbidden')
  const made = await short.client.get('bots.create', { bot: 'helper-2' })
  t.ok(made.key.expiresAt <= short.expiresAt!)
  const { client } = await byKey(alice)
  const bounded = await client.get('keys.create', { name: 'c', user: 'helper' })
  t.ok(bounded.expiresAt <= Date.now() + 30 * DAY, 'also where the key has no end')
  t.equal((await alice.get('keys.create', { name: 'd', user: 'helper' })).expiresAt, null, 'a token is not held back')
})

t.test('a key of an admin makes nothing for other admins, and nothing that outlives it', async (t) => {
  const { connect, root, byKey } = await open(t)
  await root.get('accounts.create', { user: 'boss', password: 'boss-pw', roles: ['admin'] })
  await root.get('accounts.create', { user: 'pub', password: 'pub-pw', roles: ['publisher'] })
  await root.get('accounts.create', { user: 'ann', password: 'ann-pw', roles: ['notifier'] })
  await root.get('accounts.create', { user: 'chief', password: 'chief-pw', roles: ['admin', 'notifier'] })
  const chief = await connect('chief', { password: 'chief-pw' })
  const { client, expiresAt } = await byKey(chief, 120)
  for (const user of ['boss', 'pub', 'ann'])
    t.equal(await client.fails('keys.create', { name: 'x', user }), 'forbidden', user)
  for (const user of ['boss', 'pub']) t.equal(await client.fails('auth.reset', { user }), 'forbidden', user)
  t.ok((await client.get('auth.reset', { user: 'ann' })).expiresAt <= expiresAt!)
  t.ok((await client.get('auth.invite', {})).expiresAt <= expiresAt! + 1000)
  t.equal(await client.fails('accounts.create', { user: 'evil', roles: ['admin'] }), 'forbidden')
  t.equal(await client.fails('accounts.setRoles', { user: 'ann', roles: ['publisher'] }), 'forbidden')
  t.ok(await client.get('accounts.setRoles', { user: 'pub', roles: ['notifier'] }))
  t.ok(await root.get('auth.reset', { user: 'boss' }), 'a token is not held back')
})

t.test('a key of a device that a key took over ends with that', async (t) => {
  const { connect, byKey } = await open(t)
  const alice = await connect('alice')
  const bob = await connect('bob')
  await alice.get('devices.register', { device: 'lamp' })
  await alice.get('devices.transfer', { device: 'lamp', user: 'bob' })
  const { client, expiresAt } = await byKey(bob, 120)
  const { key } = await client.get('devices.accept', { device: 'lamp' })
  const lamp = await connect('lamp', { password: key })
  const { keys } = await lamp.get('keys.list')
  t.equal(keys.length, 1)
  t.ok(Number.isInteger(keys[0].expiresAt) && keys[0].expiresAt <= expiresAt!, `${keys[0].expiresAt}`)
})

t.test('a key removes no account', async (t) => {
  const { connect, byKey } = await open(t)
  const { client } = await byKey(await connect('alice'))
  t.equal(await client.fails('account.delete', { user: 'alice' }), 'forbidden')
})
