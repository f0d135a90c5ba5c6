/** A session is taken over while its connection is sent again what was in flight [MQTT-4.4.0-1]: the next one gets the rest, and nothing is lost. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { until } from '../helpers/patience.js'
import { cut, OPEN_ACL, open } from '../helpers/protocol.js'
import { holdQueueReads } from '../helpers/reading.js'
import { Member } from '../helpers/share-member.js'
import { send } from '../helpers/share-nodes.js'

for (const filter of ['jobs/+', '$share/workers/jobs/+'])
  for (const qos of [1, 2] as const)
    for (const resent of [0, 1])
      t.test(`${filter} at QoS ${qos}, ${resent} of 3 packets were sent again`, async (t) => {
        const broker = await startTestBroker(t, { acl: OPEN_ACL })
        const stays = { id: 'w1', qos, expiry: 60 }
        const first = await Member.join({ broker }, { ...stays, filter, holds: true })
        const sent = await send(await open(broker, { user: 'bob', id: 'bob' }), 0, 3, qos)
        await first.has(3)
        await cut(broker, first.client)
        const reads = holdQueueReads(broker.running.store, resent)
        const second = await Member.join({ broker }, { ...stays, filter: null })
        await reads.begun
        await second.has(resent)
        const joining = Member.join({ broker }, { ...stays, filter: null }, qos === 2 ? second : null)
        await second.client.whenClosed()
        await reads.release()
        const third = await joining
        await until('each has come', async () => new Set([...second.got, ...third.got]).size === 3)
        if (qos === 2) t.same(third.got, sent, 'in order, each once')
        else t.same(third.got.slice(-2), sent.slice(-2), 'in order')
        const { store } = broker.running
        await until('all is acknowledged', async () => [...store.queue.nonEmptyQueues()].length === 0)
      })
