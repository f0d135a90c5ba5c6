/** What a device publishes, in rooms: in its name, with its ack, never more than a room takes. */
import t from 'tap'
import { people, privateRoom } from '../helpers/rooms.js'

const ROOM = 'rooms/home/messages'

async function cast(t: Parameters<typeof people>[0]) {
  const all = await people(t, ['owner', 'friend', 'stranger'])
  const { owner, friend } = all
  await privateRoom('home', owner, friend)
  const { key } = await owner.get('devices.register', { device: 'meter' })
  const meter = await all.connect('meter', { password: key })
  const bridge = (more: object) => owner.get('devices.bridge', { device: 'meter', room: 'home', ...more })
  return { ...all, key, meter, bridge }
}

t.test('alarms of a device are posted in its name, once each, and the rest is not', async (t) => {
  const { broker, connect, key, meter, owner, friend, bridge } = await cast(t)
  await bridge({ filter: 'alarms/#', template: '{topic}: {what} at {level} ({payload})' })
  await bridge({ filter: 'alarms/+', template: 'a second bridge into the room' })
  await friend.subscribe([ROOM, 'rooms/home/events'])
  await owner.subscribe('devices/meter/#')
  await meter.publish('devices/meter/alarms/door', { what: 'open', level: 3, type: 'delete', target: 1 })
  await meter.publish('devices/meter/temperature', '21')
  await meter.publish('devices/meter/alarms/raw', 'fire')
  const [first, second] = await friend.on(ROOM, 2)
  t.match(first, { from: 'meter', room: 'home', seq: 1, type: 'text' })
  t.match(first.text, /^alarms\/door: open at 3 \(\{"what":"open"/)
  t.equal(second.text, 'alarms/raw:  at  (fire)')
  await owner.hears('fire')
  t.equal(owner.lines.length, 3, 'published as ever')
  await broker.restart()
  const again = await connect('meter', { password: key, clientId: 'again' })
  await again.publish('devices/meter/alarms/door', 'closed', { qos: 2, retain: true })
  const reader = await connect('friend', { clientId: 'reader' })
  const { messages } = await reader.get('history', { room: 'home' })
  t.same(
    messages.map(({ from, seq }: { from: string; seq: number }) => `${from} ${seq}`),
    ['meter 1', 'meter 2', 'meter 3'],
  )
})

t.test('without a template an object is data, and nothing a device says is more than that', async (t) => {
  const { meter, friend, bridge } = await cast(t)
  await friend.say('home', 'first')
  await bridge({ filter: '#' })
  await friend.subscribe(ROOM)
  await meter.publish('devices/meter/a', { type: 'delete', target: 1, mentions: ['@room'] })
  await meter.publish('devices/meter/b', '/deploy')
  await meter.publish('devices/meter/c', Buffer.from([0xff]))
  await meter.publish('devices/meter/d', '', { retain: true })
  await meter.publish('devices/meter/receipts', { id: 'x', ok: true })
  await meter.publish('devices/meter/e', 'end')
  await friend.hears('end')
  t.match(friend.inbox.json(ROOM), [
    { type: 'custom', data: { type: 'delete', target: 1 } },
    { type: 'text', text: '/deploy' },
    { type: 'text', text: 'end' },
  ])
  t.match((await friend.get('history', { room: 'home' })).messages[0], { text: 'first' })
})

t.test('a bridge keeps to the slow mode of its room, over a restart', async (t) => {
  const { broker, connect, key, meter, owner, bridge } = await cast(t)
  await bridge({ filter: 'state' })
  await owner.get('rooms.update', { room: 'home', slowMode: 3600 })
  const dropped = () => broker.running.counters.get('dropped.bridge_rate_limited')
  for (const state of ['a', 'b']) await meter.publish('devices/meter/state', state)
  t.equal(dropped(), 1)
  await broker.restart()
  const again = await connect('meter', { password: key, clientId: 'again' })
  await again.publish('devices/meter/state', 'c')
  t.equal(dropped(), 1, 'counted anew by the broker that was started')
  const reader = await connect('friend', { clientId: 'reader' })
  t.match((await reader.get('history', { room: 'home' })).messages, [{ from: 'meter', text: 'a' }])
  t.equal((await reader.get('history', { room: 'home' })).messages.length, 1)
})

t.test('a device that floods, is muted or removed is kept out of the room, and published all the same', async (t) => {
  const { broker, meter, owner, friend, bridge } = await cast(t)
  const { id } = await bridge({ filter: 'state' })
  await owner.subscribe('devices/meter/state')
  await friend.subscribe(ROOM)
  const left = (code: string) => broker.running.counters.get(`dropped.bridge_${code}`)
  for (let n = 0; n < 30; n++) await meter.publish('devices/meter/state', `${n}`)
  await owner.hears('29')
  await friend.say('home', 'after the flood')
  await friend.hears('after the flood')
  const posted = friend.lines.length - 1
  t.ok(posted >= 10 && posted < 30, `${posted} of 30`)
  t.equal(posted + left('rate_limited'), 30)
  await owner.get('rooms.mute', { room: 'home', user: 'meter' })
  await meter.publish('devices/meter/state', 'muted')
  await owner.get('rooms.unmute', { room: 'home', user: 'meter' })
  await owner.get('rooms.remove', { room: 'home', user: 'meter' })
  await meter.publish('devices/meter/state', 'removed')
  t.equal(left('forbidden'), 2)
  await owner.get('devices.unbridge', { device: 'meter', bridge: id })
  await meter.publish('devices/meter/state', 'unbridged')
  await owner.hears('unbridged')
  t.equal(left('forbidden'), 2)
  t.same((await owner.get('devices.get', { device: 'meter' })).bridges, [])
})

t.test('a bridge needs the device to be one’s own, and a room one may invite into', async (t) => {
  const { owner, friend, stranger, bridge } = await cast(t)
  const asked = { device: 'meter', filter: '#', room: 'home' }
  t.equal(await friend.fails('devices.bridge', asked), 'not_found device')
  await owner.get('devices.share', { device: 'meter', user: 'friend', may: 'control' })
  t.equal(await friend.fails('devices.bridge', asked), 'forbidden')
  await stranger.get('rooms.create', { room: 'den', access: 'private' })
  t.equal(await owner.fails('devices.bridge', { ...asked, room: 'den' }), 'not_found room')
  t.equal(await owner.fails('devices.bridge', { ...asked, room: 'lobby' }), 'forbidden')
  t.equal(await owner.fails('devices.bridge', { ...asked, filter: 'a+' }), 'bad_request filter')
  await owner.get('rooms.ban', { room: 'home', user: 'meter' })
  t.equal(await owner.fails('devices.bridge', asked), 'forbidden')
  await owner.get('rooms.unban', { room: 'home', user: 'meter' })
  for (let n = 0; n < 20; n++) await bridge({ filter: `${n}` })
  t.equal(await owner.fails('devices.bridge', asked), 'conflict')
})

t.test('a room may be called whatever the broker calls its turns', async (t) => {
  const { connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await carol.get('rooms.create', { room: 'device' })
  await bob.get('rooms.join', { room: 'device' })
  await carol.get('rooms.ban', { room: 'device', user: 'bob' })
  await alice.get('rooms.join', { room: 'device' })
  await carol.get('rooms.setRole', { room: 'device', user: 'alice', role: 'admin' })
  const { key } = await alice.get('devices.register', { device: 'lamp' })
  await connect('lamp', { password: key })
  t.match(await alice.get('devices.bridge', { device: 'lamp', filter: 'alarms', room: 'device' }), { room: 'device' })
  await alice.get('devices.transfer', { device: 'lamp', user: 'bob' })
  await Promise.all([
    bob.get('devices.accept', { device: 'lamp' }),
    carol.get('rooms.ban', { room: 'device', user: 'alice' }),
  ])
  t.same(
    (await carol.get('rooms.members', { room: 'device' })).members.map(({ user }: { user: string }) => user),
    ['carol'],
  )
})
