/** What rooms know against disturbance: roles, bans, mutes, settings. */
import t from 'tap'
import { people, roomOf } from '../helpers/rooms.js'

t.test('a room is handed over: one owner more, one admin more, and both are told', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await roomOf('den', alice, [[bob, 'admin']])
  await alice.subscribe(['rooms/den/events', 'users/alice/events'])
  await bob.subscribe('users/bob/events')
  t.match(await alice.get('rooms.transfer', { room: 'den', user: 'bob' }), { user: 'bob', role: 'owner' })
  t.match(await alice.get('rooms.members', { room: 'den' }), {
    members: [
      { user: 'alice', role: 'admin' },
      { user: 'bob', role: 'owner' },
    ],
  })
  t.match(await alice.on('rooms/den/events', 2), [
    { type: 'role', user: 'bob', by: 'alice', role: 'owner' },
    { type: 'role', user: 'alice', by: 'alice', role: 'admin' },
  ])
  t.match(await bob.on('users/bob/events', 1), [{ type: 'role', room: 'den', role: 'owner' }])
  t.match(await alice.on('users/alice/events', 1), [{ type: 'role', room: 'den', role: 'admin' }])
  t.equal(await alice.fails('rooms.transfer', { room: 'den', user: 'alice' }), 'forbidden')
  t.equal(await carol.fails('rooms.transfer', { room: 'den', user: 'carol' }), 'not_found room')
  t.equal(await carol.fails('rooms.setRole', { room: 'den', user: 'bob', role: 'reader' }), 'not_found room')
})

t.test('two owners who hand over at the same moment leave the room with owners', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await roomOf('den', alice, [
    [bob, 'owner'],
    [carol, 'member'],
  ])
  await Promise.all([
    alice.ask('rooms.transfer', { room: 'den', user: 'bob' }),
    bob.ask('rooms.transfer', { room: 'den', user: 'alice' }),
    bob.ask('rooms.leave', { room: 'den' }),
  ])
  const { members } = await carol.get('rooms.members', { room: 'den' })
  t.ok(members.some(({ role }: { role: string }) => role === 'owner'))
})
