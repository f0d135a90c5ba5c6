/** What rooms know against disturbance: roles, bans, mutes, settings. */
import t from 'tap'
import { stillClock } from '../helpers/clock.js'
import type { Person } from '../helpers/people.js'
import { people, privateRoom, roomOf } from '../helpers/rooms.js'

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

const LASTING = { clean: false } as const
const MINUTE = 60

t.test('a ban ends what is live and what was queued, and no way leads back', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'])
  await alice.get('rooms.create', { room: 'plaza' })
  const filters = ['rooms/plaza/messages', 'rooms/+/messages', 'rooms/plaza/text', 'rooms/#']
  const sessions = await Promise.all(
    filters.flatMap((_, i) => [`live${i}`, `away${i}`]).map((clientId) => connect('bob', { clientId, ...LASTING })),
  )
  await sessions[0]!.subscribe('rooms/plaza/messages')
  for (const [i, session] of sessions.entries())
    await session.subscribe([filters[Math.floor(i / 2)]!, 'users/bob/events', 'users/bob/messages'])
  const away = sessions.filter((_, i) => i % 2 === 1)
  for (const session of away) await session.leave()
  await alice.subscribe('rooms/plaza/events')
  await alice.say('plaza', 'before')
  const live = sessions.filter((_, i) => i % 2 === 0)
  await Promise.all(live.map((session) => session.hears('before')))
  const ban = await alice.get('rooms.ban', { room: 'plaza', user: 'bob', reason: 'noise' })
  t.match(ban, { user: 'bob', by: 'alice', at: Number, until: null, reason: 'noise' })
  await alice.say('plaza', 'after')
  await alice.tell('bob', 'marker')
  const back = await Promise.all(
    away.map(({ client }) => connect('bob', { clientId: client.options.clientId!, ...LASTING })),
  )
  for (const session of [...live, ...back]) {
    await session.hears('marker')
    const heard = session.lines.filter((line) => /^rooms.plaza.(messages|text)/.test(line))
    t.notOk(heard.some((line) => line.endsWith('after')))
    if (back.includes(session)) t.same(heard, [], 'what was queued is withheld')
  }
  const told = { type: 'banned', by: 'alice', until: null, reason: 'noise' }
  t.match((await alice.on('rooms/plaza/events', 1))[0], { ...told, user: 'bob' })
  t.match(await live[0]!.on('users/bob/events', 1), [{ ...told, room: 'plaza' }])
  t.same((await alice.get('rooms.bans', { room: 'plaza' })).bans, [ban])

  await broker.restart({ rooms: { autoCreate: true } })
  const [a, b, root] = [await connect('alice'), await connect('bob'), await connect('root', { roles: ['admin'] })]
  t.equal(await b.fails('rooms.join', { room: 'plaza' }), 'forbidden')
  t.same(await b.subscribe(['rooms/plaza/messages', 'rooms/plaza/text']), [0x80, 0x80])
  for (const leaf of ['messages', 'text', 'typing'])
    t.match(await b.refused(`rooms/plaza/${leaf}`, leaf === 'typing' ? '' : 'hi'), { error: { code: 'forbidden' } })
  t.equal(await b.fails('send', { room: 'plaza', text: 'hi' }), 'forbidden room')
  t.equal(await a.fails('rooms.invite', { room: 'plaza', user: 'bob' }), 'forbidden')
  t.equal(await b.fails('history', { room: 'plaza' }), 'forbidden room')
  t.match(await root.get('rooms.ban', { room: 'plaza', user: 'bob', for: MINUTE }), { by: 'root', until: Number })
  t.equal(await a.fails('rooms.unban', { room: 'plaza', user: 'nobody' }), 'not_found user')
  await a.get('rooms.unban', { room: 'plaza', user: 'bob' })
  t.same(await b.subscribe('rooms/plaza/messages'), [0x80], 'who was out comes back by rooms.join alone')
  await b.get('rooms.join', { room: 'plaza' })
  t.same((await a.get('rooms.bans', { room: 'plaza' })).bans, [])
})

t.test('a ban is over when its time is; one who was invited before is invited no more', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  await privateRoom('den', alice)
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  const { until } = await alice.get('rooms.ban', { room: 'den', user: 'bob', for: 0.2 })
  t.equal(await bob.fails('rooms.join', { room: 'den' }), 'not_found room', 'the invitation went')
  while ((await alice.get('rooms.bans', { room: 'den' })).bans.length > 0);
  t.ok(Date.now() >= until)
  t.equal(await alice.fails('rooms.unban', { room: 'den', user: 'bob' }), 'not_found user')
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  const carol = await connect('carol')
  await alice.get('rooms.create', { room: 'plaza' })
  await alice.get('rooms.ban', { room: 'plaza', user: 'carol' })
  t.same(await carol.subscribe('rooms/plaza/messages'), [0x80], 'who was never in it is kept out too')
})

t.test('banned and joining at the same moment: the ban wins', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  for (let i = 0; i < 20; i++) {
    const room = `r${i}`
    await alice.get('rooms.create', { room })
    const joins = [bob.ask('rooms.join', { room }), bob.subscribe(`rooms/${room}/messages`)]
    if (i % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([alice.get('rooms.ban', { room, user: 'bob' }), ...joins])
    t.equal((await alice.get('rooms.members', { room })).members.length, 1)
  }
})

t.test('who moderates bans and mutes those below, and nobody else', async (t) => {
  const roles = ['owner', 'admin', 'moderator', 'member', 'reader'] as const
  const names = [...roles, 'owner2', 'admin2', 'moderator2', 'member2', 'reader2'] as const
  const { boss, ...cast } = await people(t, ['boss', ...names])
  for (const method of ['rooms.mute', 'rooms.ban', 'rooms.remove']) {
    await roomOf(
      method,
      boss,
      names.map((name) => [cast[name], name.replace('2', '')] as [Person, string]),
    )
    const done: Record<string, string[]> = {}
    for (const actor of [...roles].reverse()) {
      const targets = []
      for (const target of [...roles].reverse()) {
        const { ok } = await cast[actor].ask(method, { room: method, user: `${target}2` })
        if (ok) targets.push(target)
      }
      done[actor] = targets
    }
    const all = ['reader', 'member', 'moderator', 'admin', 'owner']
    const left = method === 'rooms.mute' ? all : []
    const expected = {
      reader: [],
      member: [],
      moderator: ['reader', 'member'],
      admin: left.length > 0 ? all.slice(0, 3) : ['moderator'],
      owner: left.length > 0 ? all : ['admin', 'owner'],
    }
    if (method === 'rooms.ban') Object.assign(expected, { admin: all.slice(0, 3), owner: all })
    t.same(done, expected, method)
  }
})

t.test('who is muted reads on and writes nothing, until it is over', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'plaza' })
  await bob.subscribe(['rooms/plaza/messages', 'rooms/plaza/events', 'users/bob/events'])
  const { result: mine } = await bob.send('rooms/plaza/messages', { text: 'mine' })
  const mute = await alice.get('rooms.mute', { room: 'plaza', user: 'bob', for: MINUTE })
  t.equal(mute.until - mute.at, MINUTE * 1000)
  const refused = async (topic: string, payload: string | object) => (await bob.refused(topic, payload)).error.code
  const tries: [string, string | object][] = [
    ['messages', 'hi'],
    ['text', 'hi'],
    ['typing', ''],
    ['messages', { type: 'reaction', target: mine.seq, data: { emoji: '👍' } }],
    ['messages', { type: 'edit', target: mine.seq, text: 'x' }],
    ['messages', { type: 'delete', target: mine.seq }],
  ]
  for (const [leaf, payload] of tries) t.equal(await refused(`rooms/plaza/${leaf}`, payload), 'forbidden')
  await alice.say('plaza', 'do you hear?')
  await bob.hears('do you hear?')
  await bob.get('rooms.leave', { room: 'plaza' })
  await bob.get('rooms.join', { room: 'plaza' })
  t.equal(await bob.fails('send', { room: 'plaza', text: 'hi' }), 'forbidden', 'leaving does not help')
  t.same((await alice.get('rooms.mutes', { room: 'plaza' })).mutes, [mute])
  await alice.get('rooms.unmute', { room: 'plaza', user: 'bob' })
  await bob.get('send', { room: 'plaza', text: 'hi' })
  const clock = stillClock(t)
  await alice.get('rooms.mute', { room: 'plaza', user: 'bob', for: 0.2 })
  t.equal(await bob.fails('send', { room: 'plaza', text: 'hi' }), 'forbidden')
  clock.goOn()
  while (!(await bob.ask('send', { room: 'plaza', text: 'over' })).ok);
  const events = (await bob.on('users/bob/events', 4)).map(({ type, room, by }) => [type, room, by])
  t.same(events, [
    ['muted', 'plaza', 'alice'],
    ['left', 'plaza', 'bob'],
    ['unmuted', 'plaza', 'alice'],
    ['muted', 'plaza', 'alice'],
  ])
})

t.test('slow mode: one message at a time, refused without cutting the connection', async (t) => {
  const { connect, alice, bob } = await people(t, ['alice', 'bob'])
  await alice.get('rooms.create', { room: 'plaza', slowMode: MINUTE })
  const first = await bob.send('rooms/plaza/messages', { cid: 'c1', text: 'one' })
  t.match(first, { ok: true })
  const early = await bob.send('rooms/plaza/messages', { cid: 'c2', text: 'two' })
  t.match(early, { ok: false, error: { code: 'rate_limited', retryAfter: Number } })
  t.ok(early.error.retryAfter > 0 && early.error.retryAfter <= MINUTE)
  t.match(await bob.refused('rooms/plaza/messages', 'two'), { error: { code: 'rate_limited' } })
  t.match(await bob.refused('rooms/plaza/text', 'two'), { error: { code: 'rate_limited' } })
  t.same(await bob.send('rooms/plaza/messages', { cid: 'c1', text: 'one' }), first, 'a retry is the first message')
  t.match(await bob.send('rooms/plaza/messages', { type: 'edit', target: 1, text: 'once' }), { ok: true })
  t.match(await bob.send('rooms/lobby/messages', { text: 'elsewhere' }), { ok: true })
  t.ok(bob.client.connected, 'the connection stays')
  for (const text of ['a', 'b']) t.match(await alice.send('rooms/plaza/messages', { text }), { ok: true })
  const carol = await connect('carol')
  t.match(await carol.send('rooms/plaza/messages', { text: 'x', replyTo: 99 }), { error: { code: 'not_found' } })
  t.match(await carol.send('rooms/plaza/messages', { text: 'x' }), { ok: true }, 'what was refused does not count')
  await alice.get('rooms.update', { room: 'plaza', slowMode: 0 })
  for (const text of ['c', 'd']) t.match(await bob.send('rooms/plaza/messages', { text }), { ok: true })
})

t.test('a channel where moderators write, and an archived room', async (t) => {
  const { connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  const settings = { slowMode: 0, write: 'moderators', archived: false, maxMembers: 3 }
  t.match(await alice.get('rooms.create', { room: 'news', write: 'moderators', maxMembers: 3 }), settings)
  await bob.get('rooms.join', { room: 'news' })
  await alice.subscribe('rooms/news/info')
  t.match(await alice.on('rooms/news/info', 1), [settings])
  t.equal(await bob.fails('send', { room: 'news', text: 'hi' }), 'forbidden')
  t.match(await bob.refused('rooms/news/typing', ''), { error: { code: 'forbidden' } })
  t.match(
    await carol.refused('rooms/news/messages', 'hi'),
    { error: { code: 'forbidden' } },
    'it joins, and is refused',
  )
  await alice.get('rooms.setRole', { room: 'news', user: 'bob', role: 'moderator' })
  await bob.get('send', { room: 'news', text: 'hi' })
  const late = await connect('late')
  t.equal(await late.fails('rooms.join', { room: 'news' }), 'conflict', 'full')
  await alice.get('rooms.update', { room: 'news', maxMembers: null, archived: true })
  t.equal(await late.fails('rooms.join', { room: 'news' }), 'forbidden')
  t.same(await late.subscribe('rooms/news/messages'), [0x80])
  for (const person of [alice, bob]) t.equal(await person.fails('send', { room: 'news', text: 'x' }), 'forbidden')
  t.equal((await carol.get('history', { room: 'news' })).messages.length, 1)
  t.match(await alice.get('rooms.update', { room: 'news', archived: false, write: 'members' }), { archived: false })
  await late.get('send', { room: 'news', text: 'joined' })
  for (const [field, value] of [
    ['slowMode', -1],
    ['slowMode', 86401],
    ['write', 'all'],
    ['archived', 1],
    ['maxMembers', 0],
  ] as const)
    t.equal(await alice.fails('rooms.update', { room: 'news', [field]: value }), `bad_request ${field}`)
})

t.test('how each member wants to see a room is their own, and lasts as long as they are in it', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  const defaults = { notifications: 'default', mutedUntil: null, pinned: false, hidden: false, unreadFrom: null }
  t.same((await alice.get('rooms.create', { room: 'plaza' })).mine, defaults)
  await bob.get('rooms.join', { room: 'plaza' })
  await bob.subscribe('users/bob/events')
  const set = { ...defaults, notifications: 'mentions', pinned: true }
  t.same(await bob.get('rooms.settings', { room: 'plaza', notifications: 'mentions', pinned: true }), set)
  t.match(await bob.on('users/bob/events', 1), [{ type: 'settings', room: 'plaza', ...set }])
  await alice.get('rooms.setRole', { room: 'plaza', user: 'bob', role: 'moderator' })
  await alice.tell('bob', 'hi')
  t.match(await bob.get('rooms.settings', { room: '@alice', hidden: true }), { hidden: true })
  t.equal(await alice.fails('rooms.settings', { room: 'lobby', pinned: true }), 'forbidden room')
  t.equal(await alice.fails('rooms.settings', { room: 'plaza', notifications: 'some' }), 'bad_request notifications')
  await broker.restart()
  const [a, b] = [await connect('alice'), await connect('bob')]
  const mine = async (person: Person) =>
    (await person.get('rooms.list')).rooms.map(({ id, mine }: { id: string; mine: object }) => [id, mine])
  t.same(await mine(b), [
    ['dm:alice:bob', { ...defaults, hidden: true }],
    ['plaza', set],
  ])
  t.same(await b.get('rooms.settings', { room: 'plaza' }), set)
  t.same(await mine(a), [
    ['dm:alice:bob', defaults],
    ['plaza', defaults],
  ])
  await b.get('rooms.leave', { room: 'plaza' })
  t.same((await b.get('rooms.join', { room: 'plaza' })).mine, defaults)
})
