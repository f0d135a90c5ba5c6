/** What the roles of a room and of the broker allow, and that a room keeps an owner. */
import t from 'tap'
import type { Person } from '../helpers/people.js'
import { people, privateRoom, roomOf } from '../helpers/rooms.js'

const WRITE = ['owner', 'admin', 'moderator', 'member']
const MODERATE = ['owner', 'admin', 'moderator']
const READ = [...WRITE, 'reader']

t.test('what each role may do', async (t) => {
  const roles = ['owner', 'admin', 'moderator', 'member', 'reader'] as const
  const { boss, subject, other, ...cast } = await people(
    t,
    ['boss', 'subject', 'other', 'guest', ...roles, 'stranger'],
    {
      limits: { asksPerPair: 10_000 },
    },
  )
  const actors = [...roles, 'stranger'] as const
  /** Each in a room of its own, where `subject` is a member and `other` an admin. */
  const acts: [string, (who: Person, room: string) => Promise<{ ok: boolean }>, string[]][] = [
    ['writes', (who, room) => who.send(`rooms/${room}/messages`, { text: 'hi' }), WRITE],
    ['writes as text', async (who, room) => said(who, room), WRITE],
    ['reads', (who, room) => who.ask('history', { room }), READ],
    ['lists members', (who, room) => who.ask('rooms.members', { room }), READ],
    ['updates', (who, room) => who.ask('rooms.update', { room, name: 'x' }), ['owner', 'admin']],
    ['invites', (who, room) => who.ask('rooms.invite', { room, user: 'guest' }), ['owner', 'admin']],
    ['removes a member', (who, room) => who.ask('rooms.remove', { room, user: 'subject' }), MODERATE],
    ['removes an admin', (who, room) => who.ask('rooms.remove', { room, user: 'other' }), ['owner']],
    ['removes an owner', (who, room) => who.ask('rooms.remove', { room, user: 'boss' }), ['owner']],
    ['makes a reader of a member', (who, room) => role(who, room, 'subject', 'reader'), ['owner', 'admin']],
    ['makes an admin', (who, room) => role(who, room, 'subject', 'admin'), ['owner', 'admin']],
    ['makes an owner', (who, room) => role(who, room, 'subject', 'owner'), ['owner']],
    ['makes itself owner', (who, room) => role(who, room, who.user, 'owner'), ['owner']],
    ['lowers an admin', (who, room) => role(who, room, 'other', 'member'), ['owner']],
    ['lowers an owner', (who, room) => role(who, room, 'boss', 'member'), ['owner']],
    ['steps down', stepsDown, ['owner', 'admin']],
    ['hands it over', (who, room) => who.ask('rooms.transfer', { room, user: 'subject' }), ['owner']],
    ['deletes', (who, room) => who.ask('rooms.delete', { room }), ['owner']],
  ]
  let count = 0
  for (const [what, act, allowed] of acts) {
    const may: string[] = []
    for (const actor of actors) {
      const room = `room-${++count}`
      const members: [Person, string][] = [
        [subject, 'member'],
        [other, 'admin'],
      ]
      if (actor !== 'stranger') members.push([cast[actor], actor])
      await roomOf(room, boss, members)
      if ((await act(cast[actor], room)).ok) may.push(actor)
    }
    t.same(may, allowed, what)
  }
})

const role = (who: Person, room: string, user: string, role: string) => who.ask('rooms.setRole', { room, user, role })
const stepsDown = (who: Person, room: string) => role(who, room, who.user, 'reader')

/** Text has no cid, and so no answer when all is well: the log has it, or a refusal comes. */
async function said(who: Person, room: string): Promise<{ ok: boolean }> {
  const before = who.replies.length
  await who.publish(`rooms/${room}/text`, 'hi')
  await who.ask('rooms.list')
  return { ok: who.replies.slice(before).every(({ ok }) => ok) }
}

t.test('a room keeps an owner, and the last one may only leave an empty room', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('den', alice, bob)
  t.equal(await alice.fails('rooms.leave', { room: 'den' }), 'conflict')
  t.equal(await alice.fails('rooms.update', { room: 'den', user: 'alice', role: 'member' }), 'conflict')
  await alice.get('rooms.update', { room: 'den', user: 'bob', role: 'owner' })
  await alice.get('rooms.leave', { room: 'den' })
  t.equal(await bob.fails('rooms.update', { room: 'den', user: 'bob', role: 'admin' }), 'conflict')
  await bob.get('rooms.leave', { room: 'den' })
  t.equal(await bob.fails('rooms.members', { room: 'den' }), 'not_found room')
})

t.test('two owners who leave at the same moment do not leave the room without one', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await privateRoom('den', alice, bob, carol)
  await alice.get('rooms.update', { room: 'den', user: 'bob', role: 'owner' })
  const replies = await Promise.all([alice, bob].map((owner) => owner.ask('rooms.leave', { room: 'den' })))
  t.same(replies.map(({ ok }) => ok).sort(), [false, true])
  const { members } = await carol.get('rooms.members', { room: 'den' })
  t.equal(members.filter(({ role }: { role: string }) => role === 'owner').length, 1)
})

t.test('those with the role admin look after all rooms; with rooms.create: admin only they make any', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'], { rooms: { create: 'admin', autoCreate: true } })
  const root = await connect('root', { roles: ['admin'] })
  t.equal(await alice.fails('rooms.create', { room: 'den' }), 'forbidden')
  t.same(await alice.subscribe('rooms/den/messages'), [0x80], 'not by first use either')
  await root.get('rooms.create', { room: 'den', access: 'private' })
  await root.get('rooms.invite', { room: 'den', user: 'alice' })
  await alice.get('rooms.join', { room: 'den' })
  await root.get('rooms.update', { room: 'den', user: 'alice', role: 'owner' })
  await root.get('rooms.leave', { room: 'den' })
  await root.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  await root.get('rooms.update', { room: 'den', name: 'still' })
  await root.get('rooms.remove', { room: 'den', user: 'bob' })
  t.equal(await root.fails('history', { room: 'den' }), 'forbidden room', 'reading is for members')
  await root.get('rooms.delete', { room: 'den' })
})
