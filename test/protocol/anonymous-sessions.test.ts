/** `limits.anonymousSessions` and `limits.anonymousSessionsPerAddress`: sessions nobody answers for. */
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { take } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

interface Visit {
  /** Of the client: an address of this machine. */
  from?: string
  clean?: boolean
  version?: 4 | 5
  /** Seconds, MQTT 5. */
  expiry?: number
}

function start(t: Test, limits: { anonymousSessions?: number; anonymousSessionsPerAddress?: number }) {
  return startTestBroker(t, { auth: { anonymous: true }, limits })
}

/** What the broker says to an anonymous client, and whether it had a session; the client leaves again. */
async function visit(broker: TestBroker, id: string, { from, clean = false, version = 4, expiry }: Visit = {}) {
  const socket = connect({ host: '127.0.0.1', port: broker.port, localAddress: from ?? '127.0.0.1' })
  const client = new RawClient(broker, version, socket)
  client.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clean,
    clientId: id,
    keepalive: 0,
    ...(expiry === undefined ? {} : { properties: { sessionExpiryInterval: expiry } }),
  })
  const { returnCode, reasonCode, sessionPresent } = await take(client, 'connack')
  client.send({ cmd: 'disconnect' })
  await client.whenClosed()
  return [version === 5 ? reasonCode : returnCode, sessionPresent]
}

t.test('one address keeps so many sessions, another has its own; clean sessions are not counted', async (t) => {
  const broker = await start(t, { anonymousSessionsPerAddress: 2 })
  t.same(await visit(broker, 'one'), [0, false])
  t.same(await visit(broker, 'two', { version: 5, expiry: 3600 }), [0, false])
  t.same(await visit(broker, 'three'), [3, false], 'server unavailable')
  t.same(await visit(broker, 'three', { version: 5, expiry: 3600 }), [0x97, false], 'quota exceeded')
  t.same(await visit(broker, 'three', { clean: true }), [0, false])
  t.same(await visit(broker, 'three', { from: '127.0.0.2' }), [0, false])
  t.same(await visit(broker, 'one'), [0, true], 'one that is there may always come back')
  t.same(await visit(broker, 'one', { from: '127.0.0.2' }), [0, true], 'from everywhere')
})

t.test('all addresses together keep so many', async (t) => {
  const broker = await start(t, { anonymousSessions: 2 })
  const codes = await Promise.all(
    [1, 2, 3, 4, 5].map(async (n) => (await visit(broker, `c${n}`, { from: `127.0.0.${n}` }))[0]),
  )
  t.same(codes.sort(), [0, 0, 3, 3, 3])
})

t.test('a session that ends makes room', async (t) => {
  const broker = await start(t, { anonymousSessions: 1 })
  t.same(await visit(broker, 'one'), [0, false])
  t.same(await visit(broker, 'two'), [3, false])
  t.same(await visit(broker, 'one', { clean: true }), [0, false])
  t.same(await visit(broker, 'two'), [0, false])
})

t.test('they are counted again after a restart, and those beyond a new bound stay', async (t) => {
  const broker = await start(t, {})
  for (const id of ['one', 'two', 'three']) await visit(broker, id)
  await broker.restart({ limits: { anonymousSessionsPerAddress: 2 } })
  t.same(await visit(broker, 'three'), [0, true])
  t.same(await visit(broker, 'four'), [3, false])
  t.same(await visit(broker, 'four', { from: '127.0.0.2' }), [0, false])
})
