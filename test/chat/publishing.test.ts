/** What is published over HTTP, or by a request: the same rights, limits and hooks as a publish over MQTT. */
import t from 'tap'
import { EventReader } from '../helpers/event-reader.js'
import { fetchFrom } from '../helpers/http.js'
import { people, privateRoom } from '../helpers/rooms.js'

t.test('typing over HTTP is seen in the room, and refused to who may not write', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob', 'eve'])
  await privateRoom('den', alice, bob)
  await alice.tell('bob', 'hi')
  await alice.subscribe(['rooms/den/typing', 'rooms/dm:alice:bob/typing'])
  const post = (as: string, room: string, body: object = {}) =>
    fetchFrom(broker, `/v1/rooms/${encodeURIComponent(room)}/typing`, { method: 'POST', as, body })
  t.equal((await post('bob', 'den')).status, 200)
  t.equal((await post('bob', 'den', { typing: false })).status, 200)
  t.match(await alice.on('rooms/den/typing', 2), [
    { user: 'bob', typing: true },
    { user: 'bob', typing: false },
  ])
  t.equal((await post('bob', '@alice')).status, 200)
  t.match(await alice.on('rooms/dm:alice:bob/typing', 1), [{ user: 'bob', typing: true }])
  t.match((await post('eve', 'den')).body, { code: 'not_found' })
  await alice.get('rooms.mute', { room: 'den', user: 'bob' })
  t.match((await post('bob', 'den')).body, { code: 'forbidden' })
  await alice.get('blocks.add', { user: 'bob' })
  t.match((await post('bob', '@alice')).body, { code: 'forbidden' })
})

t.test('typing ends with the session that typed', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('den', alice, bob)
  await alice.subscribe('rooms/den/typing')
  const phone = await connect('bob', { clientId: 'phone' })
  await phone.publish('rooms/den/typing', '')
  await bob.publish('rooms/den/typing', '')
  await alice.on('rooms/den/typing', 2)
  await phone.vanish()
  await alice.subscribe('users/bob/presence')
  await alice.inbox.wait(1, ({ payload }) => payload.includes('"devices":1'))
  t.equal(alice.inbox.json('rooms/den/typing').length, 2, 'another session still types')
  await bob.vanish()
  t.match((await alice.on('rooms/den/typing', 3))[2], { user: 'bob', typing: false })
  const again = await connect('bob')
  await again.publish('rooms/den/typing', '')
  await again.publish('rooms/den/typing', { typing: false })
  await again.leave()
  await alice.say('den', 'marker')
  await alice.subscribe('rooms/den/messages')
  await alice.say('den', 'end')
  await alice.hears('end')
  t.equal(alice.inbox.json('rooms/den/typing').length, 5, 'what has ended does not end again')
})

t.test('presence over HTTP: the status of the user; away are the event streams', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('den', alice, bob)
  const patch = (body: object) => fetchFrom(broker, '/v1/presence', { method: 'PATCH', as: 'bob', body })
  t.match((await patch({ status: 'busy', statusEmoji: '📅' })).body, {
    state: 'online',
    status: 'busy',
    statusEmoji: '📅',
  })
  t.match((await patch({ away: true })).body, { state: 'online', status: 'busy' }, 'there is no stream')
  await bob.leave()
  await alice.subscribe('users/bob/presence')
  await EventReader.open(t, broker, '/v1/events?filter=rooms/den/messages', { as: 'bob' })
  t.match((await patch({ away: true })).body, { state: 'away', devices: 1 })
  await alice.inbox.wait(1, ({ payload }) => payload.includes('"away"'))
  t.match((await patch({ away: false })).body, { state: 'online' })
  t.match((await patch({ state: 'offline' })).body, { code: 'bad_request', field: 'state' })
})

t.test('plain topics: by the rules, with every QoS, retained, and with the account gone', async (t) => {
  const acl = { rules: [{ allow: 'all', who: 'any', topics: ['plain/#'] }] }
  const { broker, connect, alice } = await people(t, ['alice'], { acl })
  await alice.subscribe('plain/#', 2)
  const post = (body: object, as = 'bob') => fetchFrom(broker, '/v1/publish', { method: 'POST', as, body })
  t.equal((await post({ topic: 'plain/a', payload: 'text ✓' })).status, 200)
  t.equal((await post({ topic: 'plain/b', base64: Buffer.from([0, 255]).toString('base64'), qos: 2 })).status, 200)
  t.equal((await post({ topic: 'plain/c', qos: 0 })).status, 200)
  t.equal((await post({ topic: 'plain/kept', payload: 'kept', retain: true })).status, 200)
  await alice.inbox.wait(4)
  t.same(
    alice.heard.map(({ topic, payload, qos }) => [topic, payload.toString('hex'), qos]),
    [
      ['plain/a', Buffer.from('text ✓').toString('hex'), 1],
      ['plain/b', '00ff', 2],
      ['plain/c', '', 0],
      ['plain/kept', Buffer.from('kept').toString('hex'), 1],
    ],
  )
  const late = await connect('late')
  await late.subscribe('plain/#')
  await late.hears('kept')
  for (const [body, code, field] of [
    [{ topic: 'secret/a', payload: 'x' }, 'forbidden', undefined],
    [{ topic: 'devices/alice/a', payload: 'x' }, 'forbidden', undefined],
    [{ topic: 'rooms/lobby/messages', payload: 'x' }, 'bad_request', 'topic'],
    [{ topic: 'users/bob/requests/rooms.list', payload: '{}' }, 'bad_request', 'topic'],
    [{ topic: '$SYS/x', payload: 'x' }, 'bad_request', 'topic'],
    [{ topic: 'plain/+', payload: 'x' }, 'bad_request', 'topic'],
    [{ topic: 'plain/a', payload: 'x', base64: 'AA==' }, 'bad_request', 'base64'],
    [{ topic: 'plain/a', qos: 3 }, 'bad_request', 'qos'],
  ] as const)
    t.match((await post(body)).body, { code, ...(field ? { field } : {}) }, JSON.stringify(body))
  t.same(await alice.get('publish', { topic: 'plain/d', payload: 'by a request' }), {})
  await alice.hears('by a request')
})

t.test('what is retained over HTTP counts to its user', async (t) => {
  const acl = { rules: [{ allow: 'all', who: 'any', topics: ['plain/#'] }] }
  const { broker } = await people(t, [], { acl, limits: { retainedMessagesPerUser: 2 } })
  const post = (topic: string) =>
    fetchFrom(broker, '/v1/publish', { method: 'POST', as: 'bob', body: { topic, payload: 'x', retain: true } })
  t.same([(await post('plain/1')).status, (await post('plain/2')).status], [200, 200])
  t.match((await post('plain/3')).body, { code: 'too_large' })
  t.equal((await post('plain/2')).status, 200)
})
