/** The log of administrative acts: who did what, to whom, from where, and whether it was allowed. */
import t from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import type { AuditEntry } from '../../broker/chat/model/audit.js'
import { fetchFrom } from '../helpers/http.js'
import type { Person } from '../helpers/people.js'
import { people, roomOf } from '../helpers/rooms.js'

const lines = async (root: Person, query: object = {}): Promise<string[]> => {
  const { entries } = (await root.get('audit.list', query)) as { entries: AuditEntry[] }
  return entries.map(({ actor, action, user, room, details, result }) =>
    [actor, action, user, room, details && JSON.stringify(details), result].filter(Boolean).join(' '),
  )
}

t.test('what moderators and owners do is logged, from either door, with what was refused', async (t) => {
  const { broker, connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  const root = await connect('root', { roles: ['admin'] })
  await roomOf('den', alice, [
    [bob, 'moderator'],
    [carol, 'member'],
  ])
  const before = (await root.get('audit.list')).entries.at(-1).seq
  const since = async () => (await root.get('audit.list')).entries.filter(({ seq }: AuditEntry) => seq > before)
  await bob.get('rooms.mute', { room: 'den', user: 'carol', for: 60 })
  const ban = { method: 'PUT', as: 'alice', body: { reason: 'noise' } }
  t.equal((await fetchFrom(broker, '/v1/rooms/den/bans/carol', ban)).status, 200)
  t.equal(await bob.fails('rooms.delete', { room: 'den' }), 'forbidden')
  t.equal(await bob.fails('rooms.mute', { room: 'den', user: 'nobody' }), 'not_found user')
  t.match(await since(), [
    { actor: 'bob', action: 'rooms.mute', user: 'carol', room: 'den', details: { for: 60 }, result: 'ok' },
    { actor: 'alice', action: 'rooms.ban', user: 'carol', details: { reason: 'noise' }, address: '127.0.0.1' },
    { actor: 'bob', action: 'rooms.delete', room: 'den', result: 'forbidden', address: /127\.0\.0\.1$/ },
  ])
  t.equal((await since()).length, 3, 'what was not found is no act')
  t.same(await lines(root, { actor: 'bob', action: 'rooms.mute' }), ['bob rooms.mute carol den {"for":60} ok'])
  t.equal((await root.get('audit.list', { user: 'carol', limit: 1 })).more, true)
  t.equal(await alice.fails('audit.list'), 'forbidden')
})

t.test(
  'what a moderator does to the words of others is logged once, retried or not, and one’s own is not',
  async (t) => {
    const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
    const root = await connect('root', { roles: ['admin'] })
    await roomOf('den', alice, [[bob, 'member']])
    for (const text of ['one', 'two', 'three']) await bob.say('den', text)
    const edit = { cid: 'e1', type: 'edit', target: 1, text: '(edited)' }
    const remove = { cid: 'd1', type: 'delete', target: 2 }
    for (const change of [edit, edit, remove, remove])
      t.match(await alice.send('rooms/den/messages', change), { ok: true })
    t.match(await bob.send('rooms/den/messages', { type: 'delete', target: 3 }), { ok: true })
    const expected = ['alice message.edit bob den {"seq":1} ok', 'alice message.delete bob den {"seq":2} ok']
    const messages = async () => (await lines(root, { room: 'den' })).filter((line) => line.includes('message.'))
    t.same(await messages(), expected)
    await broker.restart()
    const again = await connect('root', { roles: ['admin'], clientId: 'again' })
    t.same((await lines(again, { user: 'bob', actor: 'alice' })).slice(-2), expected, 'it outlives a restart')
  },
)

t.test('the command line is logged without passwords, and so are refused attempts, but no flood of them', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'])
  const root = await connect('root', { roles: ['admin'] })
  await callAdmin(broker.dataDir, 'user.add', { name: 'eve', password: 'secret-word', roles: ['publisher'] })
  await callAdmin(broker.dataDir, 'user.passwd', { name: 'eve', password: 'other-word' })
  await callAdmin(broker.dataDir, 'user.remove', { name: 'eve' })
  const logged = await callAdmin(broker.dataDir, 'audit.list', { user: 'eve' })
  t.match(logged, { entries: [{ action: 'user.add' }, { action: 'user.passwd' }, { action: 'user.remove' }] })
  t.same(await lines(root, { actor: 'system' }), [
    'system user.add eve {"roles":["publisher"]} ok',
    'system user.passwd eve ok',
    'system user.remove eve ok',
  ])
  t.notMatch(JSON.stringify(await root.get('audit.list')), /word/)
  for (let i = 0; i < 15; i++) await alice.fails('auth.invite')
  t.equal((await lines(root, { actor: 'alice' })).length, 10)
})

t.test('acts in rooms, however many, do not hide what was done beyond them', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  const root = await connect('root', { roles: ['admin'] })
  await alice.get('rooms.create', { room: 'den' })
  await alice.get('rooms.update', { room: 'den', topic: 'first' })
  t.same(
    await lines(root, { scope: 'server' }),
    await lines(root),
    'what was logged before there was a log of these alone',
  )
  await root.get('auth.invite')
  await root.get('rooms.ban', { room: 'den', user: 'bob' })
  await bob.fails('auth.invite')
  for (let i = 0; i < 20; i++) await alice.get('rooms.update', { room: 'den', topic: `${i}` })
  const { entries } = (await callAdmin(broker.dataDir, 'audit.list', { limit: 10, scope: 'server' })) as {
    entries: AuditEntry[]
  }
  t.match(entries, [
    { action: 'auth.invite' },
    { action: 'rooms.ban', actor: 'root' },
    { actor: 'bob', result: 'forbidden' },
  ])
  t.equal(entries.length, 3)
  t.equal((await lines(root, { room: 'den' })).length, 22, 'all of them are there for who asks')
})

t.test('of an address it is logged where it is, and nothing that lets one in', async (t) => {
  const { connect } = await people(t, [])
  const root = await connect('root', { roles: ['admin'] })
  const url = 'https://me:pw@hooks.example.com/services/T0/s3cret?token=abc'
  await root.ask('webhooks.create', { webhook: 'w', url: url.replace('me:pw@', ''), events: ['user.registered'] })
  const [line] = await lines(root, { action: 'webhooks.create' })
  t.match(line, '"url":"https://hooks.example.com/…"')
  t.notMatch(line, /s3cret|abc/)
})

t.test('acts are kept as long as the configuration says, whatever becomes of messages', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'], { history: { days: 1 }, audit: { days: 10 } })
  const root = await connect('root', { roles: ['admin'] })
  await alice.get('rooms.create', { room: 'den' })
  // Chunks go as a whole, and of a room that is gone the acts are left.
  for (let i = 0; i < 200; i++) await alice.get('rooms.update', { room: 'den', topic: `${i}` })
  await alice.get('rooms.delete', { room: 'den' })
  const count = async () => (await root.get('audit.list', { room: 'den', limit: 1000 })).entries.length
  const days = (n: number) => broker.running.maintenance.sweep(Date.now() + n * 86_400_000)
  await days(9)
  t.equal(await count(), 201)
  await days(11)
  t.ok((await count()) < 201, 'the old ones are gone')
})
