/** `limits.followedPerUser`: what wildcards over many memberships may follow together. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { open5, subscribe5 } from '../helpers/mqtt5.js'
import { cut } from '../helpers/protocol.js'
import { people } from '../helpers/rooms.js'

/** Each is five logs and topics of `rooms/#`: more than a thousand together. */
const ROOMS = 205
const BREADTH = ROOMS * 5

t.test('a wildcard that would make the sessions of a person follow too much is refused, as are joins', async (t) => {
  const limits = { followedPerUser: BREADTH + 20, rates: 'off' }
  const { broker, ann } = await people(t, ['ann'], { limits })
  for (let i = 0; i < ROOMS; i++) await ann.get('rooms.create', { room: `room-${i}` })
  const sessions = await Promise.all(['one', 'two', 'three'].map((id) => open5(broker, { user: 'ann', id })))
  const codes = await Promise.all(sessions.map((session) => subscribe5(session, 'rooms/#')))
  t.same(codes.flat().sort(), [1, 0x97, 0x97], 'one of those that come at once, the others exceed a quota')
  const granted = sessions[codes.findIndex(([code]) => code === 1)]!
  const refused = sessions[codes.findIndex(([code]) => code !== 1)]!
  t.same(await subscribe5(refused, '$share/g/rooms/#'), [0x97], 'a share group follows as a session does')
  t.same(await subscribe5(refused, 'rooms/room-1/typing'), [1], 'rooms by their names are few')

  const replies = []
  for (let i = 0; i < 10; i++) replies.push(await ann.ask('rooms.create', { room: `more-${i}` }))
  t.equal(replies.filter(({ ok }) => ok).length > 0, true)
  t.match(replies.at(-1), { ok: false, error: { code: 'conflict', message: /limits\.followedPerUser/ } })

  await cut(broker, granted)
  const another = await open5(broker, { user: 'ann', id: 'another' })
  t.same(await subscribe5(another, 'rooms/+/messages'), [1], 'there is room again')
})

t.test('few rooms are not counted', async (t) => {
  const broker = await startTestBroker(t, { limits: { followedPerUser: 1 } })
  for (const id of ['one', 'two'])
    t.same(await subscribe5(await open5(broker, { id }), ['rooms/#', 'users/ann/#']), [1, 1])
})
