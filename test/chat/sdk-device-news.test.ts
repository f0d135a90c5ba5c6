/** What a client of the SDK hears of devices, with a real device. */
import t from 'tap'
import { connectDevice } from '../../client/device/index.js'
import { type Chat, createChat, type DeviceNews, followDevice, people } from '../../client/node/index.js'
import { Subscriptions } from '../../client/people/subscriptions.js'
import type { Wire } from '../../client/wire/wire.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { until } from '../helpers/patience.js'

async function cast(t: Parameters<typeof startTestBroker>[0]) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' }, presence: { offlineDelay: 0 } })
  const [owner, friend] = await Promise.all([enter(t, broker, 'owner'), enter(t, broker, 'friend')])
  const { key } = await owner.ask.devices.register({ device: 'lamp' })
  const lamp = connectDevice({ url: `mqtt://127.0.0.1:${broker.port}`, auth: { token: key } })
  t.teardown(() => lamp.close())
  return { broker, owner, friend, lamp }
}

async function enter(t: Parameters<typeof startTestBroker>[0], broker: TestBroker, user: string): Promise<Chat> {
  const auth = { token: await broker.token(user) }
  const chat = createChat({ url: httpUrl(broker), auth, people: people() })
  t.teardown(() => chat.close())
  await chat.connect()
  return chat
}

/** What is told of the lamp from now on. */
function follow(chat: Chat): { readonly told: (DeviceNews | null)[]; stop(): void } {
  const told: (DeviceNews | null)[] = []
  return { told, stop: followDevice(chat, 'lamp', (news) => told.push(news)) }
}

t.test('who may read a device hears what it says, and is told its state at first', async (t) => {
  const { owner, friend, lamp } = await cast(t)
  lamp.state({ on: true })
  await lamp.flush()
  const { told, stop } = follow(owner)
  await until('the state is told', async () => told.length === 1)
  t.same(told, [{ topic: 'state', value: { on: true } }])
  lamp.telemetry('motor/speed', 7)
  await until('what is measured is told', async () => told.length === 2)
  t.match(told[1], { topic: 'telemetry/motor/speed', value: { value: 7, ts: Number } })
  const stranger = follow(friend)
  await until('others are told that they may not', async () => stranger.told.length === 1)
  t.same(stranger.told, [null])
  stop()
  const again = follow(owner)
  await until('who follows it anew is told the state again', async () => again.told.length > 0)
  t.same(again.told[0], { topic: 'state', value: { on: true } })
})

t.test('what is no JSON is told as text, and what is no text harms nothing', async (t) => {
  const broker = await startTestBroker(t)
  const owner = await enter(t, broker, 'owner')
  const { key } = await owner.ask.devices.register({ device: 'lamp' })
  const device = await broker.connect('lamp', { password: key })
  const { told } = follow(owner)
  await until('it is followed', async () => {
    await device.publishAsync('devices/lamp/ping', 'x')
    return told.length > 0
  })
  await device.publishAsync('devices/lamp/bytes', Buffer.from([0xff, 0xfe]))
  await device.publishAsync('devices/lamp/words', 'warm {')
  await until('all is told', async () => told.some((news) => news?.topic === 'words'))
  t.same(
    told.filter((news) => news?.topic !== 'ping'),
    [
      { topic: 'bytes', value: '' },
      { topic: 'words', value: 'warm {' },
    ],
  )
  t.equal(owner.status.current.state, 'online')
})

t.test('the owner, and those it shares with, see whether a device is there', async (t) => {
  const { owner, friend, lamp } = await cast(t)
  const presence = owner.users.presence('lamp')
  const stop = presence.subscribe(() => {})
  await until('it is online', async () => presence.current?.state === 'online')
  t.match(await friend.ask.users.presence({ users: ['lamp'] }), { presences: [{ state: 'offline', lastSeen: null }] })
  await owner.ask.devices.share({ device: 'lamp', user: 'friend', may: 'read' })
  t.match(await friend.ask.users.presence({ users: ['lamp'] }), { presences: [{ state: 'online' }] })
  const seen = friend.users.presence('lamp')
  const stopSeen = seen.subscribe(() => {})
  await until('the friend sees it', async () => seen.current?.state === 'online')
  await owner.ask.devices.unshare({ device: 'lamp', user: 'friend' })
  await until('it is taken back', async () => seen.current?.state === 'offline')
  await owner.ask.devices.share({ device: 'lamp', user: 'friend', may: 'read' })
  await until('it is told at once', async () => seen.current?.state === 'online')
  stopSeen()
  await lamp.close()
  await until('it is offline', async () => presence.current?.state === 'offline')
  t.type(presence.current?.lastSeen, 'number')
  stop()
})

t.test('a device that is followed anew and let go at once is followed no more', async (t) => {
  const packets: string[] = []
  const wire = {
    subscribe: async (all: readonly { filter: string }[]) => all.map(({ filter }) => packets.push(`+${filter}`) && 0),
    unsubscribe: async (all: readonly string[]) => all.map((filter) => packets.push(`-${filter}`) && 0),
  } as unknown as Wire
  const subscriptions = new Subscriptions()
  subscriptions.begin(wire)
  subscriptions.follow('devices/lamp/#', () => {})
  await until('it is followed', async () => packets.length === 1)
  subscriptions.follow('devices/lamp/#', () => {})()
  await until('it is let go', async () => packets.length === 2)
  t.same(packets, ['+devices/lamp/#', '-devices/lamp/#'])
})
