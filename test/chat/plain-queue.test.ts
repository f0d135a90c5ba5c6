import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { ProbeStream } from '../helpers/probe-stream.js'

function publish(topic: string, messageId: number, retain: boolean) {
  return { cmd: 'publish', topic, payload: topic, qos: 1, messageId, dup: false, retain } as const
}

t.test('a retained message reaches a persistent session beside a live one of the same commit, before it', async (t) => {
  const broker = await startTestBroker(t, {
    acl: { rules: [{ allow: 'all', who: 'any', topics: ['plant/#'] }] },
  })
  const publisher = await ProbeStream.login(broker, 'pia')
  publisher.receive(publish('plant/kept', 1, true))
  await publisher.until(({ cmd }) => cmd === 'puback')
  const subscriber = await ProbeStream.login(broker, 'sue', { clean: false })
  const { store } = broker.running
  const { commit } = store
  store.commit = (change) => {
    commit.call(store, change)
    if (!change.ops.some((op) => op.type === 'enqueue' && op.copyAt)) return
    store.commit = commit
    // Still in this turn, so that both are in one commit.
    queueMicrotask(() => publisher.receive(publish('plant/live', 2, false)))
  }
  await subscriber.subscribe('plant/#', 1)
  await subscriber.until(({ cmd }) => cmd === 'publish', 2)
  t.strictSame(subscriber.payloads, ['plant/kept', 'plant/live'])
})
