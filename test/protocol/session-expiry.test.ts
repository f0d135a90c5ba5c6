/** Session expiry where the broker is not there to look [MQTT5-3.1.2.11.2]. */
import t from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { connect5, open5 } from '../helpers/mqtt5.js'
import { onRedis } from '../helpers/test-store.js'

/** As if it were killed: what its sessions write when they end is not written, nor that it ends. */
async function kill(broker: TestBroker): Promise<void> {
  const { sessions } = broker.running.store
  const { recordOp, heartbeatOp: seenOp } = sessions
  sessions.recordOp = (record) => recordOp.call(sessions, { ...record, disconnectedAt: 0 })
  sessions.heartbeatOp = ({ at }) => seenOp.call(sessions, { at, ended: false })
  await broker.restart()
}

const NO_HEARTBEAT = { skip: onRedis && 'nodes see there who is gone: cluster/gone-nodes' }

t.test('a session that was connected when the broker died ends when it should', NO_HEARTBEAT, async (t) => {
  const clock = movableClock(t)
  const broker = await startTestBroker(t)
  const there = async (id: string): Promise<boolean> => {
    const saved = await broker.running.store.sessions.load(`ann/${id}`)
    return saved !== null && (await connect5(broker, { id, clean: false, expiry: 60 }))[1].sessionPresent
  }
  for (const id of ['resumed', 'over']) await open5(broker, { id, clean: true, expiry: 60 })
  await kill(broker)
  clock.forward(40)
  t.equal(await there('resumed'), true)
  // The broker comes and goes more often than it looks after sessions.
  for (let i = 0; i < 3; i++) await broker.restart()
  clock.forward(40)
  t.equal(await there('over'), false, '80 seconds after the death, not the last start')
  t.equal(await there('resumed'), true, 'it was connected 40 seconds ago')
})
