/** Announcements for those who have a role: nobody else gets them, however they listen. */
import t from 'tap'
import { EventReader } from '../helpers/event-reader.js'
import { fetchFrom } from '../helpers/http.js'
import type { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

const LASTING = { clean: false } as const
const STAFF = { roles: ['staff', 'night-shift'] }
const NEWS = 'broadcast/news'

async function cast(t: Parameters<typeof people>[0]) {
  const all = await people(t, ['guest'])
  const herald = await all.connect('herald', { roles: ['publisher'] })
  const clerk = await all.connect('clerk', STAFF)
  return { ...all, herald, clerk }
}

/** Says something to all, so that whoever has heard it has heard what came before. */
async function announce(herald: Person, last = 'end'): Promise<void> {
  await herald.publish(NEWS, { text: 'for all' })
  await herald.publish(NEWS, { text: 'for staff', roles: ['staff'] })
  await herald.publish(NEWS, { text: 'for cooks', roles: ['cook', 'waiter'] })
  await herald.publish(NEWS, last)
}

t.test('live: only who has one of the roles, admins and the sender included', async (t) => {
  const { connect, herald, clerk, guest } = await cast(t)
  const root = await connect('root', { roles: ['admin'] })
  const all = [clerk, guest, root, herald]
  for (const [i, person] of all.entries()) await person.subscribe(i % 2 ? 'broadcast/+' : NEWS, (i % 2) as 0 | 1)
  await announce(herald)
  await Promise.all(all.map((person) => person.hears('end')))
  t.same(clerk.lines, [`${NEWS} for all`, `${NEWS} for staff`, `${NEWS} end`])
  t.match(clerk.inbox.json(NEWS)[1], { channel: 'news', seq: 2, roles: ['staff'], from: 'herald', type: 'text' })
  for (const person of [guest, root, herald]) t.same(person.lines, [`${NEWS} for all`, `${NEWS} end`], person.user)
})

t.test('what has the shape of a targeted announcement is one, and nothing else is', async (t) => {
  const { herald, clerk, guest } = await cast(t)
  await clerk.subscribe(NEWS)
  await guest.subscribe(NEWS)
  await herald.publish(NEWS, { roles: ['staff'], temp: 3 })
  await herald.publish(NEWS, { text: '{"roles":["staff"]}', data: { roles: ['staff'] } })
  for (const roles of [[], ['a b'], 'staff', [1], Array.from({ length: 17 }, (_, i) => `r${i}`)])
    t.equal((await herald.refused(NEWS, { text: 'x', roles })).error.code, 'bad_request', JSON.stringify(roles))
  t.match(await herald.send(NEWS, { cid: 'c', text: 'once', roles: ['staff'] }), { result: { seq: 3 } })
  t.match(await herald.send(NEWS, { cid: 'c', text: 'once', roles: ['staff'] }), { result: { seq: 3 } })
  t.match(await herald.send(NEWS, { cid: 'c', text: 'once', roles: ['cook'] }), { error: { code: 'conflict' } })
  await herald.publish(NEWS, 'end')
  await Promise.all([clerk.hears('end'), guest.hears('end')])
  t.same(
    clerk.inbox.json(NEWS).map(({ seq }) => seq),
    [1, 2, 3, 4],
  )
  t.same(
    guest.inbox.json(NEWS).map(({ seq }) => seq),
    [2, 4],
  )
})

t.test('after an absence, by the roles of the login that comes back', async (t) => {
  const { broker, connect, herald } = await cast(t)
  const names = ['clerk', 'guest', 'former', 'promoted']
  const before: Record<string, object> = { clerk: STAFF, former: STAFF }
  const after: Record<string, object> = { clerk: STAFF, promoted: STAFF }
  for (const name of names) {
    const phone = await connect(name, { clientId: 'phone', ...LASTING, ...before[name] })
    await phone.subscribe('broadcast/#')
    await phone.leave()
  }
  await announce(herald)
  await broker.restart()
  for (const name of names) {
    const phone = await connect(name, { clientId: 'phone', ...LASTING, ...after[name] })
    await phone.hears('end')
    const staff = name in after ? [`${NEWS} for staff`] : []
    t.same(phone.lines, [`${NEWS} for all`, ...staff, `${NEWS} end`], name)
  }
})

t.test('a role that is taken back on a live connection ends what it gave', async (t) => {
  const { broker, herald, clerk } = await cast(t)
  await clerk.subscribe(NEWS)
  await announce(herald, 'before')
  await clerk.hears('before')
  await clerk.get('auth.refresh', { token: await broker.token('clerk', ['guest']) })
  await announce(herald, 'after')
  await clerk.hears('after')
  const staff = clerk.lines.filter((line) => line.endsWith('for staff'))
  t.equal(staff.length, 1)
})

t.test('retained: later subscribers get it by their roles, until it is cleared', async (t) => {
  const { broker, connect, herald, clerk, guest } = await cast(t)
  await herald.publish(NEWS, { text: 'for staff', roles: ['staff'] }, { retain: true })
  await herald.publish('broadcast/open', 'for all', { retain: true })
  for (const person of [clerk, guest]) {
    await person.subscribe('broadcast/+')
    await person.hears('for all')
    await person.get('rooms.list')
  }
  const lasting = await connect('guest', { clientId: 'phone', ...LASTING })
  await lasting.subscribe('broadcast/+')
  await lasting.hears('for all')
  t.same([...clerk.lines].sort(), [`${NEWS} for staff`, 'broadcast/open for all'])
  t.same([guest.lines, lasting.lines], [['broadcast/open for all'], ['broadcast/open for all']])
  const stream = await EventReader.open(t, broker, '/v1/events?filter=broadcast/%2B', { as: 'guest' })
  t.same(await stream.texts(1), ['for all'])
  await herald.get('broadcast.clear', { channel: 'news' })
  const late = await connect('late', STAFF)
  await late.subscribe('broadcast/+')
  await late.hears('for all')
  t.same(late.lines, ['broadcast/open for all'])
})

t.test('a shared subscription gives each to a session that has the role', async (t) => {
  const { connect, herald } = await cast(t)
  const [one, two] = [
    await connect('clerk', { clientId: 'one', ...STAFF }),
    await connect('clerk', { clientId: 'two', roles: ['guest'] }),
  ]
  for (const session of [one, two]) await session.subscribe(`$share/desk/${NEWS}`)
  for (let n = 0; n < 6; n++) await herald.publish(NEWS, { text: `staff ${n}`, roles: ['staff'] })
  await one.inbox.wait(6)
  await two.leave()
  await herald.publish(NEWS, 'end')
  await one.hears('end')
  t.same(one.lines.length, 7)
  t.same(two.lines, [])
})

t.test('event streams, history and the list of channels show nobody what is for others', async (t) => {
  const { broker, herald, clerk, guest } = await cast(t)
  const open = (token: string) => EventReader.open(t, broker, '/v1/events?filter=broadcast/news', { token })
  const [outside, inside] = [
    await open(await broker.token('guest')),
    await open(await broker.token('clerk', ['staff'])),
  ]
  await announce(herald)
  t.same(await inside.texts(3), ['for all', 'for staff', 'end'])
  t.same(await outside.texts(2), ['for all', 'end'])
  const history = async (person: Person) => (await person.get('broadcast.history', { channel: 'news' })).messages
  t.match(await history(guest), [
    { seq: 1, text: 'for all' },
    { seq: 2, gone: 'blocked' },
    { seq: 3, gone: 'blocked' },
    { seq: 4, text: 'end' },
  ])
  t.match(await history(clerk), [{}, { seq: 2, text: 'for staff' }, { seq: 3, gone: 'blocked' }, {}])
  await herald.get('broadcast', { channel: 'backstage', text: 'secret', roles: ['staff'], ttl: 3600 })
  t.match(await guest.get('broadcast.channels'), { channels: [{ channel: 'news', last: 4 }], more: false })
  const { channels } = await clerk.get('broadcast.channels', { limit: 1 })
  t.match(channels, [{ channel: 'backstage', last: 1 }])
  t.match(await clerk.get('broadcast.channels', { after: 'backstage' }), { channels: [{ channel: 'news' }] })
})

t.test('over HTTP: announced once for one key, retained if asked', async (t) => {
  const { broker, clerk } = await cast(t)
  const post = () =>
    fetchFrom(broker, '/v1/broadcast/news/messages', {
      ...{ method: 'POST', as: 'herald', roles: ['publisher'], headers: { 'idempotency-key': '"k"' } },
      body: { text: 'from the backend', retain: true, roles: ['staff'] },
    })
  const [first, again] = [await post(), await post()]
  t.match([first.status, first.body.seq, again.body.seq], [201, 1, 1])
  await clerk.subscribe(NEWS)
  await clerk.hears('from the backend')
  t.match(clerk.heard, [{ retain: true }])
})
