/** Who hears a room: strangers nothing, members by any filter, and whoever is out nothing more at once. */
import t from 'tap'
import { heardOfDen } from '../helpers/den.js'
import type { Person } from '../helpers/people.js'
import { people, privateRoom } from '../helpers/rooms.js'

const LASTING = { clean: false } as const

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
  t.same(
    await eve.get('rooms.list', { scope: 'public' }).then(({ rooms }) => rooms.map(({ id }: { id: string }) => id)),
    ['lobby'],
  )
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
    await markers('marker', (session, filter) => t.same(heardOfDen(session), [], filter))
    await alice.get('rooms.invite', { room: 'den', user: 'bob' })
    await bob.get('rooms.join', { room: 'den' })
    await broker.restart()
    const again = await connect('alice')
    await again.say('den', 'again')
    await again.tell('bob', 'marker 2')
    alice.tell = again.tell.bind(again)
    await markers('marker 2', (session, filter) => {
      const expected = /\+|^rooms\/#$/.test(filter) ? ['rooms/den/messages again'] : []
      t.same(heardOfDen(session), expected, `${filter} after the return`)
    })
  })
}

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
  t.ok(heardOfDen(slow).length <= 4, `only what was under way: ${heardOfDen(slow).length}`)

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
  t.same(heardOfDen(back), [])
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
