/** Nothing is lost or repeated when the store begins to follow a log only some time after a subscription took effect. */
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { leave, open, publish, subscribe, takePublishes, untilPong } from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'

const ROOM = 'rooms/lobby/messages'

/** From now on the store answers who follows a log only when told to. Returns what lets it answer. */
function slowStore({ running }: TestBroker): () => void {
  const { log } = running.store
  const { follow } = log
  let release = (): void => {}
  const gate = new Promise<void>((resolve) => (release = resolve))
  log.follow = async (name, listener) => {
    await gate
    return follow.call(log, name, listener)
  }
  return () => {
    log.follow = follow
    release()
  }
}

/** The texts that come, in order; those of QoS 1 are acknowledged. */
async function texts(client: RawClient, count: number): Promise<string[]> {
  const found = await takePublishes(client, count)
  for (const { qos, messageId } of found) if (qos === 1) client.send({ cmd: 'puback', messageId: messageId! })
  return found.map(({ payload }) => JSON.parse(payload.toString()).text)
}

for (const qos of [0, 1] as const)
  for (const filter of [ROOM, 'rooms/+/messages'])
    t.test(`${filter}, QoS ${qos}`, async (t: Test) => {
      const broker = await startTestBroker(t)
      const ann = await open(broker)
      await publish(ann, ROOM, 'before')
      const bob = await open(broker, { user: 'bob', id: 'b', clean: false })
      await subscribe(bob, [ROOM, 0])
      await leave(broker, bob)

      const release = slowStore(broker)
      const again = await open(broker, { user: 'bob', id: 'b', clean: false })
      await subscribe(again, [filter, qos])
      await publish(ann, ROOM, '1')
      await publish(ann, ROOM, '2')
      t.same(await untilPong(again), [], 'the store has not answered')
      release()
      t.same(await texts(again, 2), ['1', '2'], 'what came after the subscription, and nothing of before')
      await publish(ann, ROOM, '3')
      t.same(await texts(again, 1), ['3'])
      t.same(await untilPong(again), [])
    })

t.test('a kept session that returns', async (t) => {
  const broker = await startTestBroker(t)
  const ann = await open(broker)
  const opening = { user: 'bob', id: 'b', clean: false }
  const bob = await open(broker, opening)
  await subscribe(bob, [ROOM, 1])
  await publish(ann, ROOM, '1')
  t.same(await texts(bob, 1), ['1'])
  await leave(broker, bob)
  await publish(ann, ROOM, '2')
  const release = slowStore(broker)
  const again = await open(broker, opening)
  await publish(ann, ROOM, '3')
  release()
  t.same(await texts(again, 2), ['2', '3'])
  t.same(await untilPong(again), [])
})

t.test('a new channel', async (t) => {
  const broker = await startTestBroker(t)
  const root = await open(broker, { user: 'root', roles: ['admin'] })
  const bob = await open(broker, { user: 'bob' })
  await subscribe(bob, ['broadcast/+', 0])
  const release = slowStore(broker)
  await publish(root, 'broadcast/news', '1')
  await publish(root, 'broadcast/news', '2')
  release()
  t.same(await texts(bob, 2), ['1', '2'])
  await publish(root, 'broadcast/news', '3')
  t.same(await texts(bob, 1), ['3'])
})
