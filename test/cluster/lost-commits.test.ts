/** Redis has lost what it had acknowledged: who is connected goes on with what is stored now. */
import t from 'tap'
import { Inbox, request, startTestBroker } from '../helpers/broker.js'
import { EventReader } from '../helpers/event-reader.js'
import { until } from '../helpers/patience.js'
import { startRedis } from '../helpers/redis-server.js'

t.test('sessions and streams whose position is lost get what comes next', async (t) => {
  const server = await startRedis(t, { aof: 'off' })
  const redis = { url: server.url, assume: ['appendonly', 'appendfsync'] }
  const shared = {
    rooms: { list: [{ id: 'den', access: 'public' }] },
    store: { driver: 'redis', redis },
    auth: { jwt: { secret: 'one secret for all nodes, of 32 characters' } },
  }
  const [one, two] = [await startTestBroker(t, shared), await startTestBroker(t, shared)]
  const session = { clientId: 'phone', clean: false, reconnectPeriod: 20 }
  const [ann, bob] = [await one.connect('ann', session), await two.connect('bob', session)]
  const inboxes = [new Inbox(ann), new Inbox(bob)]
  for (const client of [ann, bob]) await client.subscribeAsync('rooms/den/messages', { qos: 1 })
  const stream = await EventReader.open(t, two, '/v1/events', { as: 'bob' })
  const say = (text: string) => request(ann, 'ann', 'send', { room: 'den', text })
  t.match(await say('kept'), { ok: true })
  await until('the stream has it', async () => stream.events.some(({ data }) => data.message?.text === 'kept'))
  await server.command('SAVE')
  for (const text of ['lost 1', 'lost 2', 'lost 3']) t.match(await say(text), { ok: true })
  for (const inbox of inboxes) await inbox.wait(4, ({ topic }) => topic === 'rooms/den/messages')
  const { epoch } = two.running.store
  await server.kill9()
  await server.restart()
  await until('both nodes know', async () => [one, two].every(({ running }) => running.store.epoch !== epoch))
  await until('the stream has ended', async () => stream.ended)
  await until('it is stored', async () => ann.connected && (await say('new')).ok === true)
  for (const inbox of inboxes) await inbox.wait(1, ({ payload }) => payload.includes('"text":"new"'))
  const again = await EventReader.open(t, two, '/v1/events', {
    as: 'bob',
    headers: { 'last-event-id': stream.lastId },
  })
  await until('the stream goes on', async () => again.events.some(({ data }) => data.message?.text === 'new'))
  t.equal(one.running.store.epoch, two.running.store.epoch)
})
