/** `limits.roomsPerUser`: in how many rooms one user is, whatever the way in. */
import t from 'tap'
import type { Person } from '../helpers/people.js'
import { people, privateRoom } from '../helpers/rooms.js'

const REFUSED = { ok: false, error: { code: 'conflict', message: /limits\.roomsPerUser/ } }

async function made(owner: Person, ...rooms: [room: string, access: string][]): Promise<void> {
  for (const [room, access] of rooms) await owner.get('rooms.create', { room, access })
}

t.test('who is in as many rooms as a user may be comes into none more, by no way', async (t) => {
  const { ann, bob } = await people(t, ['ann', 'bob'], { limits: { roomsPerUser: 6 }, rooms: { autoCreate: true } })
  await made(bob, ['open', 'public'], ['asked', 'request'], ['invited', 'private'], ['linked', 'private'])
  const { link } = await bob.get('rooms.links.create', { room: 'linked' })
  await bob.get('rooms.invite', { room: 'invited', user: 'ann' })
  await ann.get('rooms.request', { room: 'asked' })
  await made(ann, ...['a', 'b', 'c', 'd', 'e', 'f'].map((room): [string, string] => [room, 'public']))

  t.match(await ann.ask('rooms.create', { room: 'g' }), REFUSED)
  t.match(await ann.ask('rooms.join', { room: 'open' }), REFUSED)
  t.match(await ann.ask('rooms.join', { room: 'invited' }), REFUSED)
  t.match(await ann.ask('rooms.join', { room: 'linked', link }), REFUSED)
  t.match(await bob.ask('rooms.approve', { room: 'asked', user: 'ann' }), REFUSED)
  t.same(await ann.subscribe(['rooms/open/messages', 'rooms/made-by-use/messages']), [0x80, 0x80])
  t.equal((await bob.get('rooms.members', { room: 'open' })).count, 1)
  t.equal((await ann.get('rooms.list', {})).rooms.length, 6)

  await ann.get('rooms.leave', { room: 'f' })
  await ann.get('rooms.join', { room: 'invited' })
  t.match(await ann.ask('rooms.join', { room: 'open' }), REFUSED)
})

t.test('joins that are under way count, and direct conversations do not', async (t) => {
  const { ann, bob } = await people(t, ['ann', 'bob', 'cleo'], { limits: { roomsPerUser: 2 } })
  await bob.tell('ann', 'hello')
  await ann.tell('cleo', 'hello')
  const rooms = ['a', 'b', 'c', 'd', 'e']
  const replies = await Promise.all(rooms.map((room) => ann.ask('rooms.create', { room })))
  t.equal(replies.filter(({ ok }) => ok).length, 2)
  await bob.tell('ann', 'still heard')
})

t.test('who is in more rooms than that stays in them, and grows no further', async (t) => {
  const { broker, connect, ann, bob } = await people(t, ['ann', 'bob'])
  for (const room of ['a', 'b', 'c']) await privateRoom(room, ann, bob)
  await broker.restart({ limits: { roomsPerUser: 2 } })
  const [again, other] = [await connect('ann'), await connect('bob')]
  t.equal((await again.get('rooms.list', {})).rooms.length, 3)
  t.match(await again.ask('rooms.create', { room: 'd' }), REFUSED)
  t.same(await other.subscribe('rooms/a/messages'), [1])
  await again.say('a', 'goes on')
  await other.inbox.wait(1, ({ topic }) => topic === 'rooms/a/messages')
})
