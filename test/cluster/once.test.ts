/** What has to be done once is done once by several nodes, and by any of them. */
import t from 'tap'
import { movableClock } from '../helpers/clock.js'
import { startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'

t.test('a command to a device expires once, also if the node that took it has ended', async (t) => {
  const clock = movableClock(t)
  const { one, two } = await startNodes(t, { listen: { connectTimeout: '1d' } })
  const owner = await Person.connect(t, one.broker, 'owner', { clientId: 'one' })
  const elsewhere = await Person.connect(t, two.broker, 'owner', { clientId: 'two' })
  await owner.get('devices.register', { device: 'lamp' })
  await elsewhere.subscribe('users/owner/events')
  const command = (name: string) => owner.get('devices.command', { device: 'lamp', name, ttl: 10 })
  await command('first')
  clock.forward(11)
  t.match(await elsewhere.on('users/owner/events', 1), [{ name: 'first', state: 'expired' }])
  await command('second')
  one.kill()
  clock.forward(11)
  const events = await elsewhere.on('users/owner/events', 2)
  t.match(
    events.map(({ name, state }) => `${name} ${state}`),
    ['first expired', 'second expired'],
  )
})

t.test('configured webhooks are stored by the first node that has them', async (t) => {
  const webhook = {
    id: 'crm',
    url: 'https://example.com/',
    events: ['*'],
    direct: false,
    secret: `whsec_${'x'.repeat(32)}`,
  }
  const { store, another } = await startNodes(t, { webhooks: [webhook] })
  const written: string[] = []
  await store.follow({
    load: async () => () => {},
    apply: (_, changes) => written.push(...changes.map(({ table }) => table)),
  })
  await another()
  t.notOk(written.includes('webhook'), written.join())
})
