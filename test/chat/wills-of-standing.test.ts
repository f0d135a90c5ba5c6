/** Wills whose owner lost what they spoke by: an account, a room, while a delay ran or a connection ended. */
import t from 'tap'
import type { Screen } from '../../broker/chat/messages/screening.js'
import { commit } from '../../broker/store/commit.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock, stillClock } from '../helpers/clock.js'
import { until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'
import { brokerWithAlice, kept, leaveWill, refusedWill } from '../helpers/wills.js'

class Deferred {
  resolve!: () => void
  readonly promise = new Promise<undefined>((resolve) => {
    this.resolve = () => resolve(undefined)
  })
}

const STANDING: Record<string, (broker: TestBroker) => Promise<unknown>> = {
  suspended: ({ running }) => running.accounts.suspend('alice', 'root', null),
  removed: ({ running }) => running.accounts.remove('alice'),
  'given another password': ({ running }) => running.accounts.setPassword('alice', 'another-pw'),
}

for (const [what, change] of Object.entries(STANDING)) {
  t.test(
    `whose account is ${what} speaks no more when the delay of a will is over, though nobody discarded it`,
    async (t) => {
      const clock = stillClock(t)
      const { broker, root, login } = await brokerWithAlice(t)
      await root.subscribe('users/root/messages')
      await leaveWill(t, broker, login.token, { delay: 1 })
      // The account alone, without what ends its sessions.
      await change(broker)
      clock.goOn()
      await refusedWill(broker)
      // Deleted once it is refused.
      await until('it is deleted', async () => !(await kept(broker)))
      t.strictSame(root.lines, [])
    },
  )
}

t.test('a will of a bot is not sent when its owner is suspended', async (t) => {
  const clock = stillClock(t)
  const { broker, root, login } = await brokerWithAlice(t)
  await root.subscribe('users/root/messages')
  const alice = await Person.connect(t, broker, 'alice', { password: login.token })
  const { key } = (await alice.get('bots.create', { bot: 'abot' })).key
  await leaveWill(t, broker, key, { user: 'abot', delay: 1 })
  await broker.running.accounts.suspend('alice', 'root', null)
  clock.goOn()
  await refusedWill(broker)
  t.strictSame(root.lines, [])
})

for (const outcome of ['banned', 'removed'] as const) {
  t.test(`a will does not speak in a room its owner was ${outcome} from`, async (t) => {
    const clock = stillClock(t)
    const { broker, root, login } = await brokerWithAlice(t)
    await root.get('rooms.create', { room: 'den', access: 'public' })
    await root.subscribe('rooms/den/messages')
    const alice = await Person.connect(t, broker, 'alice', { password: login.token })
    await alice.get('rooms.join', { room: 'den' })
    await leaveWill(t, broker, login.token, { topic: 'rooms/den/messages', delay: 1 })
    if (outcome === 'banned') await root.get('rooms.ban', { room: 'den', user: 'alice' })
    else await root.get('rooms.remove', { room: 'den', user: 'alice' })
    clock.goOn()
    await refusedWill(broker)
    t.strictSame(root.lines, [])
  })
}

t.test('a will without delay is not sent when the account is suspended while the connection ends', async (t) => {
  const [looked, answered] = [new Deferred(), new Deferred()]
  const slow: Screen = {
    screen: (_, __, { text }) => {
      if (text !== 'slowly') return undefined
      looked.resolve()
      return answered.promise
    },
  }
  const broker = await startTestBroker(t, {}, { screens: [slow] })
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  await root.subscribe('users/root/messages')
  const { token } = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const will = { topic: 'users/root/messages', payload: Buffer.from('gone'), qos: 1 as const, retain: false }
  const alice = await Person.connect(t, broker, 'alice', { password: token, will })
  alice.client.publish('users/root/messages', 'slowly')
  await looked.promise
  const cut = new Promise<void>((resolve) => alice.client.once('close', () => resolve()))
  const successor = Person.connect(t, broker, 'alice', { password: token })
  // Taken over, it waits for what it publishes, and is no live session any more that the suspension would find.
  await cut
  await root.get('accounts.suspend', { user: 'alice' })
  answered.resolve()
  await t.rejects(successor)
  await refusedWill(broker)
  t.equal(broker.running.counters.get('refused.will'), 1)
  t.notOk(root.lines.some((line) => line.endsWith('gone')))
})

t.test('the end of an API key sends a will that waited for it', async (t) => {
  const clock = movableClock(t)
  const { broker, root, login } = await brokerWithAlice(t)
  const { store } = broker.running
  await root.subscribe('users/root/messages')
  const alice = await Person.connect(t, broker, 'alice', { password: login.token })
  const { key, keyId } = await alice.get('keys.create', { name: 'k' })
  const record = (await store.directory.credential('alice', keyId))!
  await commit(store, { ops: [store.directory.credentialOp({ ...record, expiresAt: Date.now() + 60_000 })] })
  await leaveWill(t, broker, key)
  clock.forward(60)
  await root.hears('gone')
})
