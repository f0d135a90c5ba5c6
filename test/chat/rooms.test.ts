/** Rooms: who may do what, who sees what, and that whoever is out is out at once. */
import t from 'tap'
import { Person } from '../helpers/people.js'
import { people, privateRoom, roomOf } from '../helpers/rooms.js'

const LASTING = { clean: false } as const

t.test('the life of a room, as those in it are told', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await alice.subscribe(['rooms/+/events', 'users/alice/events'])
  await bob.subscribe(['rooms/+/events', 'users/bob/events'])
  const created = await alice.get('rooms.create', { room: 'den', access: 'private', name: 'The Den', topic: 'secrets' })
  t.match(created, {
    id: 'den',
    access: 'private',
    direct: false,
    name: 'The Den',
    topic: 'secrets',
    avatar: null,
    createdBy: 'alice',
    members: 1,
    role: 'owner',
    head: 0,
  })
  t.same(await alice.get('rooms.invite', { room: 'den', user: 'bob' }), {})
  t.match(await bob.get('rooms.join', { room: 'den' }), { id: 'den', members: 2, role: 'member' })
  t.match(await bob.get('rooms.join', { room: 'den' }), { members: 2 }, 'joining twice is joining once')
  t.match(await alice.get('rooms.update', { room: 'den', name: null, avatar: 'https://x/y.png' }), {
    name: null,
    topic: 'secrets',
    avatar: 'https://x/y.png',
  })
  t.match(await alice.get('rooms.update', { room: 'den', user: 'bob', role: 'admin' }), { user: 'bob', role: 'admin' })
  t.same(
    (await bob.get('rooms.members', { room: 'den' })).members.map(({ user, role }: { user: string; role: string }) => [
      user,
      role,
    ]),
    [
      ['alice', 'owner'],
      ['bob', 'admin'],
    ],
  )
  t.match(await bob.get('rooms.list'), { rooms: [{ id: 'den', role: 'admin', members: 2 }], more: false })
  t.match(await bob.get('rooms.list', { scope: 'public' }), { rooms: [{ id: 'lobby', role: null }], more: false })
  await bob.get('rooms.leave', { room: 'den' })
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  await alice.get('rooms.delete', { room: 'den' })
  t.same(await alice.get('rooms.list'), { rooms: [], more: false })

  const events = await alice.on('rooms/den/events', 10)
  t.same(
    events.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  t.match(events, [
    { type: 'created', room: 'den', by: 'alice', id: /^[0-9a-f-]{36}$/, ts: Number },
    { type: 'invited', user: 'bob', by: 'alice' },
    { type: 'joined', user: 'bob' },
    { type: 'updated', by: 'alice' },
    { type: 'role', user: 'bob', by: 'alice', role: 'admin' },
    { type: 'left', user: 'bob' },
    { type: 'invited', user: 'bob' },
    { type: 'joined', user: 'bob' },
    { type: 'removed', user: 'bob', by: 'alice' },
    { type: 'deleted', by: 'alice' },
  ])
  t.match(await bob.on('users/bob/events', 5), [
    { seq: 1, type: 'invited', room: 'den', by: 'alice' },
    { seq: 2, type: 'role', room: 'den', by: 'alice', role: 'admin' },
    { seq: 3, type: 'left', room: 'den', by: 'bob' },
    { seq: 4, type: 'invited', room: 'den', by: 'alice' },
    { seq: 5, type: 'removed', room: 'den', by: 'alice' },
  ])
  const seen = (await bob.on('rooms/den/events', 5)).map(({ type }) => type)
  t.same(seen.slice(0, 4), ['joined', 'updated', 'role', 'left'], 'bob hears of the room while he is in it')
  t.match(
    await alice.on('users/alice/events', 1),
    [{ seq: 1, type: 'deleted', room: 'den', by: 'alice' }],
    'of what she did herself, only what her other devices find nowhere else',
  )
})

t.test('a request that is wrong is answered with what is wrong', async (t) => {
  const { alice } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den' })
  await alice.tell('bob', 'hi')
  const faults: [string, object, string][] = [
    ['rooms.create', {}, 'bad_request room'],
    ['rooms.create', { room: '' }, 'bad_request room'],
    ['rooms.create', { room: 'no/room' }, 'bad_request room'],
    ['rooms.create', { room: '+' }, 'bad_request room'],
    ['rooms.create', { room: '.hidden' }, 'bad_request room'],
    ['rooms.create', { room: 'x'.repeat(65) }, 'bad_request room'],
    ['rooms.create', { room: 'dm:alice:bob' }, 'bad_request room'],
    ['rooms.create', { room: '@bob' }, 'bad_request room'],
    ['rooms.create', { room: 7 }, 'bad_request room'],
    ['rooms.create', { room: 'den' }, 'conflict room'],
    ['rooms.create', { room: 'r', access: 'secret' }, 'bad_request access'],
    ['rooms.create', { room: 'r', name: 'x'.repeat(129) }, 'bad_request name'],
    ['rooms.create', { room: 'r', colour: 'red' }, 'bad_request colour'],
    ['rooms.update', { room: 'den', access: 'hidden' }, 'bad_request access'],
    ['rooms.update', { room: 'den', user: 'alice' }, 'bad_request role'],
    ['rooms.update', { room: 'den', role: 'owner' }, 'bad_request user'],
    ['rooms.update', { room: 'den', user: 'alice', role: 'king' }, 'bad_request role'],
    ['rooms.update', { room: 'den', user: 'alice', role: 'owner', name: 'x' }, 'bad_request name'],
    ['rooms.update', { room: 'den', user: 'bob', role: 'reader' }, 'not_found user'],
    ['rooms.update', { room: 'nowhere', name: 'x' }, 'not_found room'],
    ['rooms.setRole', { room: 'den', user: 'alice' }, 'bad_request role'],
    ['rooms.setRole', { room: 'den', user: 'bob', role: 'reader' }, 'not_found user'],
    ['rooms.setRole', { room: '@bob', user: 'bob', role: 'reader' }, 'bad_request room'],
    ['rooms.ban', { room: 'den', user: 'nobody' }, 'not_found user'],
    ['rooms.ban', { room: 'den', user: 'alice' }, 'bad_request user'],
    ['rooms.ban', { room: 'den', user: 'bob', for: 0 }, 'bad_request for'],
    ['rooms.ban', { room: '@bob', user: 'bob' }, 'bad_request room'],
    ['rooms.mute', { room: 'den', user: 'bob' }, 'not_found user'],
    ['rooms.unmute', { room: 'den', user: 'alice' }, 'not_found user'],
    ['rooms.bans', { room: 'lobby' }, 'forbidden'],
    ['rooms.mutes', { room: 'nowhere' }, 'not_found room'],
    ['rooms.transfer', { room: 'den' }, 'bad_request user'],
    ['rooms.transfer', { room: 'den', user: 'bob' }, 'not_found user'],
    ['rooms.transfer', { room: 'den', user: 'alice' }, 'bad_request user'],
    ['rooms.delete', { room: 'nowhere' }, 'not_found room'],
    ['rooms.join', { room: 'nowhere' }, 'not_found room'],
    ['rooms.leave', { room: 'nowhere' }, 'not_found room'],
    ['rooms.leave', { room: 'lobby' }, 'forbidden room'],
    ['rooms.invite', { room: 'den' }, 'bad_request user'],
    ['rooms.invite', { room: 'den', user: 'nobody' }, 'not_found user'],
    ['rooms.invite', { room: 'den', user: 'alice' }, 'conflict user'],
    ['rooms.remove', { room: 'den', user: 'bob' }, 'not_found user'],
    ['rooms.remove', { room: 'den', user: 'alice' }, 'bad_request user'],
    ['rooms.members', { room: 'lobby' }, 'forbidden room'],
    ['rooms.members', { room: 'den', limit: 0 }, 'bad_request limit'],
    ['rooms.list', { scope: 'all' }, 'bad_request scope'],
    ['rooms.leave', { room: '@bob' }, 'bad_request room'],
    ['rooms.invite', { room: 'dm:alice:bob', user: 'carol' }, 'bad_request room'],
    ['rooms.delete', { room: '@bob' }, 'bad_request room'],
    ['rooms.join', { room: '@carol' }, 'not_found room'],
    ['rooms.promote', { room: 'den' }, 'not_found'],
    ['auth.refresh', { token: 'x' }, 'unauthorized token'],
  ]
  for (const [method, params, expected] of faults)
    t.equal(await alice.fails(method, params), expected, `${method} ${JSON.stringify(params).slice(0, 60)}`)

  const ask = (payload: string) => alice.refused('users/alice/requests/rooms.list', payload)
  t.match(await ask('not json'), { re: null, method: 'rooms.list', ok: false, error: { code: 'bad_request' } })
  t.match(await ask('[]'), { ok: false, error: { code: 'bad_request' } })
  t.match(await ask('{"id":{}}'), { re: null, error: { code: 'bad_request', field: 'id' } })
  t.match(await ask(`{"id":"${'x'.repeat(129)}"}`), { re: null, error: { code: 'bad_request', field: 'id' } })
  t.match(await ask('{"id":7}'), { re: 7, ok: true })
  t.match(await ask('{}'), { re: null, ok: true })
})

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

t.test('to a stranger a private room is not there', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  const eve = await connect('eve', { will: undefined })
  await privateRoom('den', alice, bob)
  const answers = async (room: string) => {
    const codes = []
    for (const leaf of ['messages', 'text', 'events', 'typing', 'info', 'receipts', '#', '+'])
      codes.push(...(await eve.subscribe(`rooms/${room}/${leaf}`)))
    for (const leaf of ['messages', 'text', 'typing']) {
      const { error } = await eve.refused(`rooms/${room}/${leaf}`, leaf === 'typing' ? '' : 'hi')
      codes.push(`${error.code} ${error.message}`)
    }
    for (const method of ['history', 'rooms.members', 'rooms.join', 'rooms.leave', 'rooms.update', 'rooms.delete']) {
      const { error } = await eve.ask(method, { room })
      codes.push(`${error.code} ${error.message}`)
    }
    for (const method of ['rooms.invite', 'rooms.remove']) {
      const { error } = await eve.ask(method, { room, user: 'bob' })
      codes.push(`${error.code} ${error.message}`)
    }
    return codes.map((code) => String(code).replaceAll(room, 'ROOM'))
  }
  const hidden = await answers('den')
  t.same(hidden, await answers('nowhere'), 'the same answers as where there is no room')
  t.same(
    hidden.map((answer) => answer.split(' ')[0]),
    [...Array(8).fill('128'), ...Array(11).fill('not_found')],
  )
  t.same(await eve.get('rooms.list', { scope: 'public' }).then(({ rooms }) => rooms.map(({ id }: Named) => id)), [
    'lobby',
  ])
  await eve.subscribe(['rooms/#', 'rooms/+/messages', 'rooms/+/info', 'users/+/presence'])
  await alice.say('den', 'secret')
  await eve.say('lobby', 'marker')
  await eve.get('rooms.list')
  t.notOk(eve.heard.some(({ topic, payload }) => `${topic} ${payload}`.includes('den')))

  await alice.get('rooms.invite', { room: 'den', user: 'eve' })
  t.equal(await eve.fails('history', { room: 'den' }), 'forbidden room', 'the invited know of it, and are not in it')
  t.same(await eve.subscribe('rooms/den/messages'), [0x80], 'an invitation is taken by rooms.join')
  await alice.get('rooms.remove', { room: 'den', user: 'eve' })
  t.equal(await eve.fails('rooms.join', { room: 'den' }), 'not_found room', 'the invitation was withdrawn')
})

interface Named {
  id: string
}

const EVERY_WAY = ['rooms/den/messages', 'rooms/+/messages', 'rooms/#', 'rooms/den/#', 'rooms/+/+', 'rooms/den/text']

for (const [how, end] of [
  ['removed', (owner: Person) => owner.get('rooms.remove', { room: 'den', user: 'bob' })],
  ['leaving', (_: Person, bob: Person) => bob.get('rooms.leave', { room: 'den' })],
] as const) {
  t.test(`${how}: live sessions hear nothing more, whatever their filter`, async (t) => {
    const { connect, alice, bob } = await people(t, ['alice', 'bob'])
    await privateRoom('den', alice, bob)
    const sessions: Person[] = []
    for (const [i, filter] of EVERY_WAY.entries()) {
      const session = await connect('bob', { clientId: `s${i}`, ...LASTING })
      t.same(await session.subscribe([filter, 'users/bob/messages']), [1, 1], filter)
      sessions.push(session)
    }
    await alice.say('den', 'before')
    await Promise.all(sessions.map((session) => session.hears('before')))
    await end(alice, bob)
    await alice.say('den', 'after')
    await alice.tell('bob', 'marker')
    for (const session of sessions) {
      await session.hears('marker')
      t.notOk(session.lines.some((line) => line.includes('after')))
    }
    t.match(await bob.refused('rooms/den/messages', 'hi'), { error: { code: 'not_found' } })
    t.match(await bob.refused('rooms/den/typing', ''), { error: { code: 'not_found' } })

    await alice.get('rooms.invite', { room: 'den', user: 'bob' })
    await bob.get('rooms.join', { room: 'den' })
    await alice.say('den', 'again')
    await alice.tell('bob', 'marker 2')
    for (const [i, session] of sessions.entries()) {
      await session.hears('marker 2')
      const heard = session.lines.some((line) => line.endsWith('again'))
      t.equal(heard, EVERY_WAY[i]!.includes('+') || EVERY_WAY[i] === 'rooms/#', `${EVERY_WAY[i]} after the return`)
      t.notOk(session.lines.some((line) => line.includes('after')))
    }
  })

  t.test(`${how}: sessions that are away get nothing of it any more, not even what was waiting`, async (t) => {
    const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
    await privateRoom('den', alice, bob)
    for (const [i, filter] of EVERY_WAY.entries()) {
      const session = await connect('bob', { clientId: `s${i}`, ...LASTING })
      await session.subscribe([filter, 'users/bob/messages'])
      await session.leave()
    }
    await alice.say('den', 'waiting')
    await end(alice, bob)
    await alice.say('den', 'after')
    await alice.tell('bob', 'marker')
    const markers = async (text: string, check: (session: Person, filter: string) => void) => {
      for (const [i, filter] of EVERY_WAY.entries()) {
        const session = await connect('bob', { clientId: `s${i}`, ...LASTING })
        await session.hears(text)
        await alice.tell('bob', 'live')
        await session.hears('live')
        check(session, filter)
        await session.leave()
      }
    }
    await markers('marker', (session, filter) => t.same(ofDen(session), [], filter))
    await alice.get('rooms.invite', { room: 'den', user: 'bob' })
    await bob.get('rooms.join', { room: 'den' })
    await broker.restart()
    const again = await connect('alice')
    await again.say('den', 'again')
    await again.tell('bob', 'marker 2')
    alice.tell = again.tell.bind(again)
    await markers('marker 2', (session, filter) => {
      const expected = /\+|^rooms\/#$/.test(filter) ? ['rooms/den/messages again'] : []
      t.same(ofDen(session), expected, `${filter} after the return`)
    })
  })
}

const ofDen = (person: Person): string[] => person.lines.filter((line) => /^rooms\/den\/(messages|text)/.test(line))

t.test('removal stops what waits for a slow reader, and what was under way is not sent again', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'], { limits: { inflight: 4 } })
  await privateRoom('den', alice, bob)
  const slow = await connect('bob', { clientId: 'slow', ...LASTING })
  await slow.subscribe(['rooms/+/messages', 'users/bob/messages'])
  const unread: (() => void)[] = []
  slow.client.handleMessage = (_, done) => void unread.push(done)
  await Promise.all(Array.from({ length: 40 }, (_, i) => alice.say('den', `line ${i}`)))
  await slow.inbox.wait(1)
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  await alice.tell('bob', 'marker')
  slow.client.handleMessage = (_, done) => done()
  for (const done of unread) done()
  await slow.hears('marker')
  t.ok(ofDen(slow).length <= 4, `only what was under way: ${ofDen(slow).length}`)

  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  slow.client.handleMessage = () => {}
  await Promise.all(Array.from({ length: 4 }, (_, i) => alice.say('den', `unacked ${i}`)))
  await slow.inbox.wait(1, ({ payload }) => payload.toString().includes('unacked'))
  await slow.vanish()
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  await alice.tell('bob', 'marker 2')
  const back = await connect('bob', { clientId: 'slow', ...LASTING })
  await back.hears('marker 2')
  t.same(ofDen(back), [])
})

t.test('a public room is joined by an exact subscription or a publish, and by nothing else', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'])
  await alice.get('rooms.join', { room: 'lobby' })
  const members = async () =>
    (await alice.get('rooms.members', { room: 'lobby' })).members.map(({ user }: { user: string }) => user).slice(1)
  const eve = await connect('eve', {
    will: { topic: 'rooms/lobby/messages', payload: Buffer.from('will'), qos: 1, retain: false },
  })
  t.same(await eve.subscribe(['rooms/+/messages', 'rooms/#', 'rooms/+/text']), [1, 1, 1])
  t.same(
    await eve.subscribe(['events', 'typing', 'info', '#', '+'].map((leaf) => `rooms/lobby/${leaf}`)),
    Array(5).fill(0x80),
  )
  t.match(await eve.refused('rooms/lobby/typing', ''), { error: { code: 'forbidden' } })
  await eve.vanish()
  t.same(await members(), [], 'neither wildcard nor will')
  t.same((await alice.get('history', { room: 'lobby' })).messages, [])

  const joiners = await Promise.all(['u1', 'u2', 'u3', 'u4'].map((user) => connect(user)))
  t.same(await joiners[0]!.subscribe('rooms/lobby/messages'), [1])
  t.same(await joiners[1]!.subscribe('rooms/lobby/text', 0), [0])
  await joiners[2]!.say('lobby', 'hi')
  await joiners[3]!.publish('rooms/lobby/text', 'hi')
  await alice.get('rooms.list')
  t.same(await members(), ['u1', 'u2', 'u3', 'u4'])
  t.equal(broker.running.counters.all()['refused.will'], 1)
})

t.test('a will speaks in a room as long as its owner may', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  await privateRoom('den', alice)
  await alice.subscribe('rooms/den/messages')
  const willing = async () => {
    const bob = await connect('bob', {
      clientId: 'bob',
      will: { topic: 'rooms/den/messages', payload: Buffer.from('bob is gone'), qos: 1, retain: true },
    })
    return bob
  }
  const bob = await willing()
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  await bob.vanish()
  await alice.hears('bob is gone')
  t.notOk(alice.heard[0]!.retain, 'RETAIN is ignored on messages')
  const removed = await willing()
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  await removed.vanish()
  const muted = await willing()
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await muted.get('rooms.join', { room: 'den' })
  await alice.get('rooms.update', { room: 'den', user: 'bob', role: 'reader' })
  await muted.vanish()
  await alice.say('den', 'marker')
  await alice.hears('marker')
  t.same(alice.lines, ['rooms/den/messages bob is gone', 'rooms/den/messages marker'])
})

t.test('whoever left or was removed comes back to a public room by rooms.join alone', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'plaza' })
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  t.same(await phone.subscribe('rooms/plaza/messages'), [1])
  await phone.leave()
  for (const end of [
    () => bob.get('rooms.leave', { room: 'plaza' }),
    () => alice.get('rooms.remove', { room: 'plaza', user: 'bob' }),
  ]) {
    await end()
    await broker.restart()
    alice.client.removeAllListeners()
    const [a, b] = [await connect('alice'), await connect('bob')]
    const restored = await connect('bob', { clientId: 'phone', ...LASTING })
    t.same(await b.subscribe('rooms/plaza/messages'), [0x80])
    t.match(await b.refused('rooms/plaza/messages', 'hi'), { error: { code: 'forbidden' } })
    t.match(await b.refused('rooms/plaza/text', 'hi'), { error: { code: 'forbidden' } })
    t.same((await a.get('rooms.members', { room: 'plaza' })).members.length, 1)
    await b.get('rooms.join', { room: 'plaza' })
    t.same(await b.subscribe('rooms/plaza/messages'), [1])
    await a.say('plaza', 'hello')
    await b.hears('hello')
    t.same(restored.lines, [], 'the exact filter of before is gone')
    await restored.leave()
    Object.assign(alice, { get: a.get.bind(a) })
    Object.assign(bob, { get: b.get.bind(b) })
  }
})

t.test('subscribing and joining at the same moment: whichever comes first, the wildcard follows', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  const bob = await connect('bob', LASTING)
  const laptop = await connect('bob', { clientId: 'laptop' })
  for (let i = 0; i < 25; i++) {
    const room = `r${i}`
    await alice.get('rooms.create', { room })
    const joined = laptop.ask('rooms.join', { room })
    if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([joined, bob.subscribe('rooms/+/messages')])
    await alice.say(room, room)
    await bob.hears(room)
    await bob.client.unsubscribeAsync('rooms/+/messages')
  }
  t.equal(bob.heard.length, 25)
})

t.test('subscribing and being removed at the same moment: nothing is heard afterwards', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  const bob = await connect('bob', LASTING)
  await bob.subscribe('users/bob/messages')
  for (let i = 0; i < 25; i++) {
    const room = `r${i}`
    await privateRoom(room, alice, bob)
    const removed = alice.ask('rooms.remove', { room, user: 'bob' })
    if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([removed, bob.subscribe([`rooms/${room}/messages`, 'rooms/+/messages'])])
    await alice.say(room, 'secret')
  }
  await alice.tell('bob', 'marker')
  await bob.hears('marker')
  t.same(bob.lines, ['users/bob/messages marker'])
  await bob.leave()
  await alice.say('r1', 'secret')
  await alice.tell('bob', 'marker 2')
  const back = await connect('bob', LASTING)
  await back.hears('marker 2')
  t.same(back.lines, ['users/bob/messages marker 2'])
})

t.test('joining a room that is being deleted: one of the two, never half of both', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  await phone.subscribe('rooms/+/messages')
  for (let i = 0; i < 25; i++) {
    await alice.get('rooms.create', { room: 'den' })
    const gone = alice.ask('rooms.delete', { room: 'den' })
    if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
    const [deleted] = await Promise.all([
      gone,
      bob.ask('rooms.join', { room: 'den' }),
      bob.publish('rooms/den/text', 'hi'),
    ])
    t.ok(deleted.ok)
    t.same((await bob.get('rooms.list')).rooms, [])
  }
  await alice.get('rooms.create', { room: 'den' })
  t.same((await alice.get('history', { room: 'den' })).messages, [])
  t.equal((await alice.get('rooms.members', { room: 'den' })).members.length, 1)
})

t.test('a deleted room is gone for all; its name may be used anew, from 1', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den' })
  const phone = await connect('bob', { clientId: 'phone', ...LASTING })
  await phone.subscribe(['rooms/den/messages', 'rooms/+/messages', 'users/bob/messages'])
  await alice.send('rooms/den/messages', { cid: 'c', text: 'old 1' })
  for (let i = 2; i <= 5; i++) await alice.say('den', `old ${i}`)
  await phone.hears('old 5')
  await phone.leave()
  await alice.say('den', 'old 6')
  await bob.subscribe('rooms/den/messages')
  await alice.get('rooms.delete', { room: 'den' })
  t.equal(await bob.fails('history', { room: 'den' }), 'not_found room')
  t.equal(await alice.fails('history', { room: 'den' }), 'not_found room')
  t.match(await bob.refused('rooms/den/messages', 'hi'), { error: { code: 'not_found' } })

  await alice.get('rooms.create', { room: 'den' })
  t.same((await alice.get('history', { room: 'den' })).messages, [])
  await bob.get('rooms.join', { room: 'den' })
  t.match(await alice.send('rooms/den/messages', { cid: 'c', text: 'new 1' }), { ok: true, result: { seq: 1 } })
  for (let i = 2; i <= 7; i++) await alice.say('den', `new ${i}`)
  await alice.tell('bob', 'marker')
  const back = await connect('bob', { clientId: 'phone', ...LASTING })
  await back.hears('marker')
  await back.inbox.wait(8)
  t.same(
    ofDen(back),
    [1, 2, 3, 4, 5, 6, 7].map((i) => `rooms/den/messages new ${i}`),
    'a wildcard follows to the new room, from the join on',
  )
  t.same(ofDen(bob), [], 'the exact filter went with the old one')
  await broker.restart()
  const again = await connect('alice')
  t.equal((await again.get('history', { room: 'den' })).messages.length, 7)
})

t.test('a full room takes nobody, however many come at once', async (t) => {
  const { connect, alice } = await people(t, ['alice'], { rooms: { maxMembers: 3 } })
  await alice.get('rooms.create', { room: 'den' })
  const crowd = await Promise.all(Array.from({ length: 8 }, (_, i) => connect(`u${i}`)))
  const codes = (await Promise.all(crowd.map((person) => person.subscribe('rooms/den/messages')))).flat()
  t.same(codes.sort(), [1, 1, ...Array(6).fill(0x80)])
  t.equal((await alice.get('rooms.members', { room: 'den' })).members.length, 3)
  const late = await connect('late')
  t.equal(await late.fails('rooms.join', { room: 'den' }), 'conflict')
})

t.test('without autoCreate an unknown room is refused; with it, first use makes it', async (t) => {
  const strict = await people(t, ['alice'])
  t.same(await strict.alice.subscribe('rooms/new/messages'), [0x80])
  t.match(await strict.alice.refused('rooms/new/messages', 'hi'), { error: { code: 'not_found' } })

  const { connect, alice, bob } = await people(t, ['alice', 'bob'], { rooms: { autoCreate: true } })
  t.same(await alice.subscribe('rooms/by-sub/messages'), [1])
  t.match(await alice.send('rooms/by-pub/messages', { text: 'hi' }), { ok: true, result: { seq: 1 } })
  t.match((await alice.get('rooms.list')).rooms, [
    { id: 'by-pub', access: 'public', role: 'owner' },
    { id: 'by-sub', access: 'public', role: 'owner' },
  ])
  t.match(await bob.refused('rooms/.bad/messages', 'hi'), { error: { code: 'bad_request' } })
  const eve = await connect('eve', {
    will: { topic: 'rooms/by-will/messages', payload: Buffer.from('x'), qos: 1, retain: false },
  })
  await eve.vanish()
  t.equal(await alice.fails('history', { room: 'by-will' }), 'not_found room')

  const crowd = await Promise.all(Array.from({ length: 6 }, (_, i) => connect(`u${i}`)))
  const replies = await Promise.all(crowd.map((person) => person.send('rooms/rush/messages', { text: person.user })))
  t.same(replies.map(({ result }) => result.seq).sort(), [1, 2, 3, 4, 5, 6])
  const { members } = await crowd[0]!.get('rooms.members', { room: 'rush' })
  t.equal(members.length, 6, 'all are members')
  t.equal(members.filter(({ role }: { role: string }) => role === 'owner').length, 1)
  t.same((await Promise.all(crowd.map((person) => person.subscribe('rooms/rush2/messages')))).flat(), Array(6).fill(1))
  const made = await Promise.all(crowd.map((person) => person.ask('rooms.create', { room: 'mine' })))
  t.equal(made.filter(({ ok }) => ok).length, 1, 'only one made it')
})

t.test('rooms.list of the configuration are made at the start, once', async (t) => {
  const list = [
    { id: 'news', access: 'public', name: 'News', topic: 'what happens' },
    { id: 'staff', access: 'private' },
  ]
  const { broker, alice } = await people(t, ['alice'], { rooms: { list } })
  t.match((await alice.get('rooms.list', { scope: 'public' })).rooms, [
    { id: 'news', name: 'News', topic: 'what happens', createdBy: 'system', members: 0 },
  ])
  t.equal(await alice.fails('rooms.join', { room: 'staff' }), 'not_found room')
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  await root.get('rooms.join', { room: 'staff' })
  await root.get('rooms.update', { room: 'news', name: 'Old News' })
  await broker.restart()
  const again = await Person.connect(t, broker, 'alice')
  t.match((await again.get('rooms.list', { scope: 'public' })).rooms, [{ id: 'news', name: 'Old News', head: null }])
})

t.test('long lists come in pages', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  for (let i = 0; i < 5; i++) await alice.get('rooms.create', { room: `r${i}` })
  const page = await alice.get('rooms.list', { limit: 3 })
  t.match([page.rooms.map(({ id }: Named) => id), page.more], [['r0', 'r1', 'r2'], true])
  const rest = await alice.get('rooms.list', { limit: 3, after: 'r2' })
  t.match([rest.rooms.map(({ id }: Named) => id), rest.more], [['r3', 'r4'], false])
  for (const user of ['dave', 'carol', 'bob']) await (await connect(user)).get('rooms.join', { room: 'r0' })
  const members = async (params: object) => {
    const { members, more } = await alice.get('rooms.members', { room: 'r0', ...params })
    return [members.map(({ user }: { user: string }) => user), more]
  }
  t.same(await members({ limit: 2 }), [['alice', 'bob'], true])
  t.same(await members({ limit: 2, after: 'bob' }), [['carol', 'dave'], false])
})

t.test('what a room is, retained for whoever subscribes and live when it changes', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'den', name: 'The Den' })
  await alice.get('rooms.create', { room: 'attic' })
  await alice.subscribe('rooms/den/info')
  t.same(await alice.on('rooms/den/info', 1), [
    {
      ...{ room: 'den', name: 'The Den', topic: null, avatar: null, access: 'public', members: 1 },
      ...{ slowMode: 0, write: 'members', archived: false, maxMembers: null, policies: null, thinned: [] },
    },
  ])
  t.ok(alice.heard[0]!.retain)
  for (let i = 0; i < 20; i++) void alice.say('den', `line ${i}`)
  await bob.get('rooms.join', { room: 'den' })
  const [carol, dave] = [await connect('carol'), await connect('dave')]
  await Promise.all([carol, dave].map((person) => person.get('rooms.join', { room: 'den' })))
  await alice.get('rooms.update', { room: 'den', topic: 'tea' })
  const [, live] = await alice.on('rooms/den/info', 2)
  t.match(live, { topic: 'tea', members: 4 }, 'one for all that happened within a second')
  t.notOk(alice.heard.at(-1)!.retain)
  await alice.subscribe('rooms/+/info')
  await alice.inbox.wait(2, ({ topic, retain }) => topic.endsWith('/info') && retain)
  await alice.on('rooms/attic/info', 1)
  t.same(await bob.subscribe('rooms/attic/info'), [0x80])
  await bob.subscribe('rooms/den/info')
  t.match(await bob.on('rooms/den/info', 1), [{ members: 4 }])
  t.equal(alice.inbox.json('rooms/den/info').length, 3, 'a new message is no change of the room')
})

t.test('a message may be sent by a request', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await alice.subscribe('rooms/lobby/messages')
  await bob.subscribe('users/bob/messages')
  const sent = await bob.get('send', { room: 'lobby', text: 'hello', cid: 'c1' })
  t.match(sent, { room: 'lobby', seq: 1 })
  t.same(await bob.get('send', { room: 'lobby', text: 'hello', cid: 'c1' }), sent, 'a retry returns the first result')
  t.equal(await bob.fails('send', { room: 'lobby', text: 'other', cid: 'c1' }), 'conflict cid')
  t.equal(await bob.fails('send', { room: 'lobby', txt: 'x' }), 'bad_request txt')
  t.equal(await bob.fails('send', { room: 'nowhere', text: 'x' }), 'not_found room')
  t.match(await alice.get('send', { room: '@bob', text: 'psst' }), { room: 'dm:alice:bob', seq: 1 })
  t.match(await bob.on('users/bob/messages', 1), [{ text: 'psst', from: 'alice', to: 'bob' }])
  t.match(await alice.on('rooms/lobby/messages', 1), [{ text: 'hello', from: 'bob', cid: 'c1' }])
  t.equal(bob.replies.length, 5, 'each is answered once')
})
