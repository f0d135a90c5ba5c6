/** Wills that wait for their time: by what login they were left, and what ends with it. */
import t from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import type { TestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { brokerWithAlice, kept, leaveWill } from '../helpers/wills.js'

async function discarded(broker: TestBroker): Promise<void> {
  while (await kept(broker)) await new Promise((resolve) => setImmediate(resolve))
}

const headersOf = (bearer: string) => ({ authorization: `Bearer ${bearer}` })
const post = (broker: TestBroker, path: string, bearer: string, body: object = {}) =>
  fetchFrom(broker, `/v1/${path}`, { method: 'POST', headers: headersOf(bearer), body })
const remove = (broker: TestBroker, path: string, bearer: string) =>
  fetchFrom(broker, `/v1/${path}`, { method: 'DELETE', headers: headersOf(bearer) })

type Opened = Awaited<ReturnType<typeof brokerWithAlice>>
const admin = (name: string, params: object) => (o: Opened) => callAdmin(o.broker.dataDir, name, params)

const ENDINGS: Record<string, (opened: Opened) => Promise<unknown>> = {
  'auth.logout': ({ broker, login }) => post(broker, 'auth/logout', login.token),
  'auth.logoutEverywhere': ({ broker, login }) => post(broker, 'auth/logout-everywhere', login.token),
  'auth.password': ({ broker, login }) =>
    post(broker, 'auth/password', login.token, { old: 'alice-pw', new: 'another-pw' }),
  'auth.resetPassword': async ({ root }) => {
    const { token } = await root.get('auth.reset', { user: 'alice' })
    await root.get('auth.resetPassword', { token, password: 'another-pw' })
  },
  'sessions.end': ({ broker, login }) => remove(broker, 'sessions/phone', login.token),
  'sessions.endOthers': async ({ broker }) => remove(broker, 'sessions', await broker.token('alice')),
  'accounts.suspend': ({ root }) => root.get('accounts.suspend', { user: 'alice' }),
  'accounts.delete': ({ root }) => root.get('accounts.delete', { user: 'alice' }),
  'topictalk user passwd': admin('user.passwd', { name: 'alice', password: 'another-pw' }),
  'topictalk user suspend': admin('user.suspend', { name: 'alice' }),
  'topictalk user remove': admin('user.remove', { name: 'alice' }),
}

for (const [name, end] of Object.entries(ENDINGS)) {
  t.test(`${name} discards a will that waits, and one that was read before speaks no more`, async (t) => {
    const opened = await brokerWithAlice(t)
    const { broker, login } = opened
    const will = await leaveWill(t, broker, login.token)
    await end(opened)
    await discarded(broker)
    if (name === 'sessions.end') return
    const { counters, aedes } = broker.running
    const before = counters.get('refused.will')
    await aedes.wills.publishStored(will)
    t.equal(counters.get('refused.will'), before + 1)
  })
}

t.test('a key that is revoked takes its wills along, and no others', async (t) => {
  const { broker, login } = await brokerWithAlice(t)
  const key = (await post(broker, 'keys', login.token, { name: 'k' })).body
  const will = await leaveWill(t, broker, key.key)
  await leaveWill(t, broker, login.token, { clientId: 'laptop' })
  await remove(broker, `keys/${key.id}`, login.token)
  await discarded(broker)
  t.ok(await kept(broker, 'laptop'))
  await broker.running.aedes.wills.publishStored(will)
  t.equal(broker.running.counters.get('refused.will'), 1)
})

t.test('a will that waits is sent with the roles its account has by then', async (t) => {
  const { broker, root } = await brokerWithAlice(t)
  const { accounts, aedes, counters } = broker.running
  await accounts.setRoles('alice', ['publisher'])
  await root.subscribe('broadcast/news')
  const will = { ...(await leaveWill(t, broker, 'alice-pw')), topic: 'broadcast/news' }
  await aedes.wills.publishStored(will)
  await root.hears('gone')
  await accounts.setRoles('alice', [])
  await aedes.wills.publishStored(will)
  t.equal(counters.get('refused.will'), 1)
})

t.test('a will waits no longer than its token lives, and is not sent after that', async (t) => {
  const { broker, login } = await brokerWithAlice(t)
  const will = await leaveWill(t, broker, login.token)
  t.equal(will.due, login.expiresAt)
  await broker.running.aedes.wills.publishStored({ ...will, expiresAt: Date.now() - 60_000 })
  t.equal(broker.running.counters.get('refused.will'), 1)
})

t.test('a will of an earlier release, which says nothing of its login, is sent', async (t) => {
  const { broker, root, login } = await brokerWithAlice(t)
  await root.subscribe('users/root/messages')
  const { login: _, issuedAt: __, expiresAt: ___, ofAccount: ____, ...old } = await leaveWill(t, broker, login.token)
  await broker.running.aedes.wills.publishStored(old)
  await root.hears('gone')
})

t.test('a will that outlives the broker ends with its login too', async (t) => {
  const { broker, login } = await brokerWithAlice(t)
  const will = await leaveWill(t, broker, login.token)
  await broker.restart()
  await callAdmin(broker.dataDir, 'user.suspend', { name: 'alice' })
  await discarded(broker)
  await callAdmin(broker.dataDir, 'user.resume', { name: 'alice' })
  await broker.running.aedes.wills.publishStored(will)
  t.equal(broker.running.counters.get('refused.will'), 0, 'a suspension that is over leaves logins as they were')
})
