/** `limits.liveSessionsPerUser`: how many sessions of a person are connected at once. */
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { open5 } from '../helpers/mqtt5.js'
import { connectPacket, leave, type Opening, open, take } from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

async function codeOf(broker: TestBroker, opening: Opening): Promise<number | undefined> {
  const client = new RawClient(broker, opening.version ?? 4)
  client.send(await connectPacket(broker, opening))
  const { returnCode, reasonCode } = await take(client, 'connack')
  return opening.version === 5 ? reasonCode : returnCode
}

t.test('one session more than a user may have live is refused, others are not', async (t) => {
  const broker = await startTestBroker(t, { limits: { liveSessionsPerUser: 3 } })
  const first = await open(broker, { id: 'one' })
  for (const id of ['two', 'three']) await open(broker, { id })
  t.equal(await codeOf(broker, { id: 'four', version: 5 }), 0x97, 'quota exceeded')
  t.equal(await codeOf(broker, { id: 'four', version: 4 }), 3, 'server unavailable')
  t.equal(await codeOf(broker, { id: 'two' }), 0, 'who takes over a session is no one more')
  t.equal(await codeOf(broker, { id: 'four', user: 'bob' }), 0)
  await leave(broker, first)
  t.equal(await codeOf(broker, { id: 'four' }), 0, 'there is room again')
})

t.test('of many that come at once no more than that are let in', async (t) => {
  const broker = await startTestBroker(t, { limits: { liveSessionsPerUser: 3 } })
  const ids = Array.from({ length: 12 }, (_, i) => `c${i}`)
  const codes = await Promise.all(ids.map((id) => codeOf(broker, { id })))
  t.equal(codes.filter((code) => code === 0).length, 3)
})

t.test('a kept session may always come back; a clean start that is refused leaves it as it is', async (t) => {
  const broker = await startTestBroker(t, { limits: { liveSessionsPerUser: 2 } })
  await leave(broker, await open5(broker, { id: 'kept', clean: false, expiry: 3600 }))
  for (const id of ['one', 'two']) await open(broker, { id })
  t.equal(await codeOf(broker, { id: 'kept', clean: true }), 3)
  t.equal(await codeOf(broker, { id: 'new', clean: false }), 3, 'a new one may not')
  const kept = new RawClient(broker, 4)
  kept.send(await connectPacket(broker, { id: 'kept', clean: false }))
  t.match(await take(kept, 'connack'), { returnCode: 0, sessionPresent: true })
})

t.test('sessions of bots and devices count for who owns them', async (t) => {
  const broker = await startTestBroker(t, { limits: { liveSessionsPerUser: 2 } })
  const ann = await open5(broker, { id: 'one' })
  ann.send({
    cmd: 'publish',
    topic: 'users/ann/requests/devices.register',
    payload: JSON.stringify({ device: 'lamp' }),
    qos: 1,
    messageId: 1,
    retain: false,
    dup: false,
  })
  await take(ann, 'puback')
  t.equal(await codeOf(broker, { user: 'lamp', id: 'lamp' }), 0)
  t.equal(await codeOf(broker, { user: 'lamp', id: 'second' }), 3)
  t.equal(await codeOf(broker, { id: 'two' }), 3)
})
