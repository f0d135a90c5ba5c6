/**
 * A QoS 2 message of a share group belongs to the session of a member from the commit on that stores it there, and is sent only then. Whatever is
 * saved of the group before that, and whatever fails or ends between: it goes to somebody, and to nobody twice.
 */
import t, { type Test } from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { until } from '../helpers/patience.js'
import { OPEN_ACL, open } from '../helpers/protocol.js'
import { Member } from '../helpers/share-member.js'
import { allDone, ShareSaves } from '../helpers/share-saves.js'

async function begin(t: Test) {
  const broker = await startTestBroker(t, { acl: OPEN_ACL })
  const saves = await ShareSaves.begin(broker, await open(broker, { user: 'bob', id: 'bob' }))
  const other = () => Member.join({ broker }, { id: 'w3', qos: 2 })
  return { broker, saves, other }
}

t.test('the broker ends after the group was saved with another member', async (t) => {
  const { broker, saves, other } = await begin(t)
  await saves.assignTwo()
  await saves.saveWithSecond()
  saves.line.end()
  await broker.restart()
  const third = await other()
  t.same(await third.has(1), ['job 3'], 'what no session has goes to another member')
  const [first, second] = await saves.comeBack(broker)
  await allDone(broker)
  t.same([...first.got, ...second.got, ...third.got].sort(), saves.sent, 'all to one member each')
})

t.test('the store fails, also at the end of the connection: what no save has goes to another member', async (t) => {
  const { broker, saves, other } = await begin(t)
  await saves.assignTwo()
  saves.line.fail()
  await until('the session has ended', async () => !('ann/w1' in broker.running.aedes.clients))
  await saves.line.release()
  const third = await other()
  t.same(await third.has(2), ['job 2', 'job 3'])
  saves.second.acknowledge()
  const [first, second] = await saves.comeBack(broker)
  await allDone(broker)
  t.same([...first.got, ...second.got, ...third.got].sort(), saves.sent)
})

t.test('the member leaves before: what no save has goes to another, what one has stays with its session', async (t) => {
  const { broker, saves, other } = await begin(t)
  await saves.assignTwo()
  saves.first.client.send({ cmd: 'disconnect' })
  const third = await other()
  t.same(await third.has(1), ['job 3'])
  await saves.line.release()
  saves.second.acknowledge()
  const [first, second] = await saves.comeBack(broker)
  await allDone(broker)
  t.ok(first.got.includes('job 2'))
  t.same([...first.got, ...second.got, ...third.got].sort(), saves.sent)
})
