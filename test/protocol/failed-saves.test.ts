/** When the store fails and comes back: what a session has moved since its last save, and what is told to who asked. */
import t from 'tap'
import { StoreError } from '../../broker/store/changes.js'
import { startTestBroker } from '../helpers/broker.js'
import { Person } from '../helpers/people.js'
import { leave, OPEN_ACL, open, publish, subscribe, takePublishes, untilPong } from '../helpers/protocol.js'

const ROOM = 'rooms/lobby/messages'

t.test('what a failed save did not store is saved with the next one', async (t) => {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const { store } = broker.running
  const reader = await open(broker, { user: 'rita', id: 'r', clean: false })
  await subscribe(reader, ['q/a', 1], [ROOM, 1])
  const speaker = await open(broker, { user: 'pia', id: 'p' })
  for (const topic of ['q/a', ROOM]) await publish(speaker, topic, 'once')
  const received = await takePublishes(reader, 2)
  const failed = new Promise<void>((resolve) => {
    const { commit } = store
    store.commit = (change) => {
      if (!change.ops.some(({ type }) => type === 'dequeue')) return commit.call(store, change)
      store.commit = commit
      change.settled(new StoreError('the disk is gone'), [])
      resolve()
    }
  })
  for (const { messageId } of received) reader.send({ cmd: 'puback', messageId: messageId! })
  await failed
  t.equal(store.queue.size('rita/r').messages, 1)
  await leave(broker, reader)
  t.equal(store.queue.size('rita/r').messages, 0)
  const again = await open(broker, { user: 'rita', id: 'r', clean: false })
  t.same(await untilPong(again), [], 'both are acknowledged')
})

t.test('what could not be stored is refused alike, a message or a command', async (t) => {
  const broker = await startTestBroker(t)
  const { store } = broker.running
  const alice = await Person.connect(t, broker, 'alice')
  const failNext = (): void => {
    const { commit } = store
    store.commit = (change) => {
      if (change.drafts.length === 0) return commit.call(store, change)
      store.commit = commit
      change.settled(new StoreError('the disk is gone'), [])
    }
  }
  const error = { code: 'unavailable', message: 'nothing was stored; try again', retryAfter: 1 }
  failNext()
  t.match(await alice.ask('rooms.create', { room: 'den' }), { ok: false, error })
  t.match(await alice.ask('rooms.create', { room: 'den' }), { ok: true })
  failNext()
  t.match(await alice.ask('send', { room: 'den', text: 'hello' }), { ok: false, error })
})
