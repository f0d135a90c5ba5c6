/** A right is lost while a message waits for room in the receiver's window: it is not delivered any more. */
import type { IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import { acknowledge, open5, subscribe5 } from '../helpers/mqtt5.js'
import { take } from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'
import { people, privateRoom } from '../helpers/rooms.js'

const topicsOf = (packets: IPublishPacket[]) => packets.map(({ topic, payload }) => `${topic} ${payload}`)

/** Acknowledges what came, and all that comes after it, until a PINGREQ has nothing more before it. */
async function drain(client: RawClient, first: IPublishPacket): Promise<IPublishPacket[]> {
  const came: IPublishPacket[] = []
  acknowledge(client, first)
  for (;;) {
    client.send({ cmd: 'pingreq' })
    const packet = await client.next()
    if (packet?.cmd === 'pingresp' && client.pending.length === 0) return came
    if (packet?.cmd !== 'publish') continue
    came.push(packet)
    acknowledge(client, packet)
  }
}

t.test('presence that waits is not shown to someone who is blocked meanwhile', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('contacts.request', { user: 'bob' })
  await bob.get('contacts.accept', { user: 'alice' })
  const slow = await open5(broker, { user: 'bob', id: 'slow', properties: { receiveMaximum: 1 } })
  await subscribe5(slow, 'users/alice/presence')
  const held = await take(slow, 'publish')
  await alice.publish('users/alice/presence', { status: 'for contacts' })
  await alice.get('blocks.add', { user: 'bob' })
  const gone =
    '{"user":"alice","state":"offline","status":null,"statusEmoji":null,"statusUntil":null,"lastSeen":null,"devices":0,"profileAt":null}'
  t.same(
    topicsOf(await drain(slow, held)),
    [`users/alice/presence ${gone}`],
    'only that there is nothing to see any more',
  )
})

t.test('a plain message that waits is not delivered to a login that lost the role', async (t) => {
  const rules = [{ allow: 'all', who: 'role:staff', topics: ['staff/#'] }]
  const { broker, connect } = await people(t, [], { acl: { rules } })
  const alice = await connect('alice', { roles: ['staff'] })
  for (const filter of ['staff/#', '#']) {
    const slow = await open5(broker, { user: 'bob', id: 'slow', roles: ['staff'], properties: { receiveMaximum: 1 } })
    await subscribe5(slow, filter)
    await alice.publish('staff/plan', 'one')
    const held = await take(slow, 'publish')
    await alice.publish('staff/plan', 'two')
    const renewal = JSON.stringify({ id: 'r', token: await broker.token('bob', []) })
    const topic = 'users/bob/requests/auth.refresh'
    slow.send({ cmd: 'publish', topic, payload: renewal, qos: 1, messageId: 9, dup: false, retain: false })
    await take(slow, 'puback')
    t.same(topicsOf(await drain(slow, held)), [], filter)
  }
})

t.test('a message under way is not sent again to someone who was removed before its turn', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('den', alice, bob)
  const before = await open5(broker, { user: 'bob', id: 'slow', expiry: 1000 })
  await subscribe5(before, 'rooms/+/messages')
  for (const text of ['one', 'two', 'three']) await alice.say('den', text)
  for (let i = 0; i < 3; i++) await take(before, 'publish')
  before.stream.destroy()
  const slow = await open5(broker, {
    ...{ user: 'bob', id: 'slow', expiry: 1000, clean: false },
    properties: { receiveMaximum: 1 },
  })
  const held = await take(slow, 'publish')
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  t.same(topicsOf(await drain(slow, held)), [])
})
