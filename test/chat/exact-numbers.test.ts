/** What is acknowledged comes back as it was sent: numbers too, whichever topic they are written to. */
import t from 'tap'
import { people, roomOf } from '../helpers/rooms.js'

const LARGE = '9007199254740993'

t.test('numbers that would come back as others are refused wherever a client writes JSON', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  const root = await connect('root', { roles: ['admin'] })
  const { key } = await alice.get('devices.register', { device: 'lamp' })
  const lamp = await connect('lamp', { password: key })
  const { id } = await alice.get('devices.command', { device: 'lamp', name: 'blink' })
  const all = [
    [alice, 'devices/lamp/commands', `{"name":"blink","params":{"n":${LARGE}}}`],
    [lamp, 'devices/lamp/receipts', `{"id":"${id}","ok":true,"result":{"n":${LARGE}}}`],
    [root, 'broadcast/news', `{"text":"hi","data":{"n":${LARGE}},"roles":["admin"]}`],
    [root, 'users/bob/notifications', `{"title":"t","body":"b","data":{"n":${LARGE}}}`],
    [alice, 'users/bob/signals', `{"n":${LARGE}}`],
    [alice, 'users/bob/messages', `{"type":"custom","data":{"n":${LARGE}}}`],
  ] as const
  for (const [who, topic, payload] of all)
    t.match(await who.refused(topic, payload), { error: { code: 'bad_request', field: 'n' } }, topic)
  await bob.subscribe('users/bob/signals')
  await alice.publish('users/bob/signals', LARGE)
  t.match(await bob.on('users/bob/signals', 1), [{ text: LARGE }], 'as a text it is what it was')
})

t.test('what a device says with such a number is posted as the text that it is', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  const { key } = await alice.get('devices.register', { device: 'lamp' })
  const lamp = await connect('lamp', { password: key })
  await roomOf('den', alice, [])
  await alice.get('devices.bridge', { device: 'lamp', filter: 'state', room: 'den' })
  await alice.subscribe('rooms/den/messages')
  for (const number of [LARGE, '21.5']) await lamp.publish('devices/lamp/state', `{"n":${number}}`)
  t.match(await alice.on('rooms/den/messages', 2), [{ text: `{"n":${LARGE}}` }, { type: 'custom', data: { n: 21.5 } }])
})
