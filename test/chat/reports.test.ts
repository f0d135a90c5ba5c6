/** What users report, who sees it, and what is done about it. */
import t from 'tap'
import { people, roomOf } from '../helpers/rooms.js'

const SPAM = { reason: 'spam' }

t.test('a report tells the moderators but not who it is about, and keeps what was said', async (t) => {
  const { connect, alice, bob, carol, dora } = await people(t, ['alice', 'bob', 'carol', 'dora'])
  const root = await connect('root', { roles: ['admin'] })
  await roomOf('den', alice, [
    [bob, 'moderator'],
    [carol, 'member'],
    [dora, 'moderator'],
  ])
  for (const person of [alice, bob, carol, dora]) await person.subscribe(`users/${person.user}/events`)
  await bob.say('den', { text: 'buy this', data: { price: 3 } })
  const about = { room: 'den', seq: 1 }
  const report = await carol.get('reports.create', { ...about, reason: 'spam', text: 'again' })
  t.match(report, { by: 'carol', user: 'bob', status: 'open', text: 'again', resolution: null })
  t.equal((await carol.get('reports.create', { ...about, reason: 'other' })).id, report.id, 'twice is once')
  for (const person of [alice, dora])
    t.match(await person.on(`users/${person.user}/events`, 1), [
      { type: 'reported', room: 'den', report: report.id, target: 1 },
    ])
  await bob.say('den', { type: 'edit', target: 1, text: 'nothing' })
  await bob.say('den', { type: 'delete', target: 1 })
  const seen = [{ id: report.id, message: { seq: 1, from: 'bob', text: 'buy this', data: { price: 3 } } }]
  for (const [person, params] of [
    [alice, { room: 'den' }],
    [dora, { room: 'den' }],
    [root, {}],
  ] as const)
    t.match(await person.get('reports.list', params), { reports: seen, more: false }, person.user)
  t.same(await bob.get('reports.list', { room: 'den' }), { reports: [], more: false }, 'not what is about them')
  t.equal(await bob.fails('reports.resolve', { report: report.id, action: 'dismiss' }), 'not_found report')
  t.equal(await carol.fails('reports.list', { room: 'den' }), 'forbidden')
  t.equal(await alice.fails('reports.list'), 'forbidden')
  for (const person of [bob, carol])
    t.same(
      (await person.inbox.json(`users/${person.user}/events`)).filter(({ type }) => type === 'reported'),
      [],
    )
})

t.test('only what one can read can be reported, and only others', async (t) => {
  const { alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
  await roomOf('den', alice, [[bob, 'member']])
  await alice.say('den', 'one')
  await alice.say('den', { type: 'reaction', target: 1, data: { emoji: '👍' } })
  await alice.say('den', 'three')
  await alice.say('den', { type: 'delete', target: 3 })
  const fails = (params: object) => bob.fails('reports.create', { ...SPAM, ...params })
  t.equal(await carol.fails('reports.create', { room: 'den', seq: 1, ...SPAM }), 'not_found room')
  t.equal(await fails({ room: 'den', seq: 9 }), 'not_found seq')
  t.equal(await fails({ room: 'den', seq: 2 }), 'bad_request seq')
  t.equal(await fails({ room: 'den', seq: 3 }), 'not_found seq')
  t.equal(await fails({ seq: 1 }), 'bad_request room')
  t.equal(await fails({}), 'bad_request user')
  t.equal(await fails({ user: 'nobody' }), 'not_found user')
  t.equal(await fails({ user: 'bob' }), 'bad_request user')
  t.equal(await fails({ room: 'den', seq: 1, user: 'carol' }), 'bad_request user')
  t.equal(await alice.fails('reports.create', { room: 'den', seq: 1, ...SPAM }), 'bad_request user')
})

t.test('resolving does what was chosen, closes all reports of the same, and is logged', async (t) => {
  const { connect, alice, bob, carol, dora } = await people(t, ['alice', 'bob', 'carol', 'dora'])
  const root = await connect('root', { roles: ['admin'] })
  await roomOf('den', alice, [
    [bob, 'member'],
    [carol, 'moderator'],
    [dora, 'member'],
  ])
  for (const text of ['one', 'two', 'three']) await bob.say('den', text)
  const first = await dora.get('reports.create', { room: 'den', seq: 1, ...SPAM })
  const again = await alice.get('reports.create', { room: 'den', seq: 1, ...SPAM })
  const second = await dora.get('reports.create', { room: 'den', seq: 2, ...SPAM })
  const person = await dora.get('reports.create', { room: 'den', user: 'bob', reason: 'harassment' })
  const resolve = (id: string, action: string, more: object = {}) =>
    carol.get('reports.resolve', { report: id, action, ...more })
  t.match(await resolve(first.id, 'delete', { note: 'plain spam' }), {
    resolution: { by: 'carol', note: 'plain spam' },
  })
  t.equal(await alice.fails('reports.resolve', { report: again.id, action: 'dismiss' }), 'conflict report')
  await resolve(second.id, 'mute', { for: 60 })
  t.match(await bob.refused('rooms/den/messages', 'four'), { error: { code: 'forbidden' } })
  t.equal(await carol.fails('reports.resolve', { report: person.id, action: 'delete' }), 'bad_request action')
  await resolve(person.id, 'ban')
  t.match(await alice.get('rooms.bans', { room: 'den' }), {
    bans: [{ user: 'bob', by: 'carol', reason: 'harassment' }],
  })
  const { messages } = await alice.get('history', { room: 'den', limit: 3, after: 0 })
  t.match(messages, [{ seq: 1, gone: 'deleted' }, { seq: 2 }, { seq: 3 }])
  t.same((await alice.get('reports.list', { room: 'den' })).reports, [])
  t.equal((await alice.get('reports.list', { room: 'den', status: 'resolved' })).reports.length, 4)
  const { entries } = await root.get('audit.list', { actor: 'carol' })
  t.match(
    entries.map(({ action, user, details }: Record<string, unknown>) => [action, user, details]),
    [
      ['message.delete', 'bob', { seq: 1 }],
      ['reports.resolve', undefined, { action: 'delete', note: 'plain spam' }],
      ['rooms.mute', 'bob', { for: 60 }],
      ['reports.resolve', undefined, { action: 'mute' }],
      ['rooms.ban', 'bob', { reason: 'harassment' }],
      ['reports.resolve', undefined, { action: 'ban' }],
    ],
  )
})

t.test(
  'a conversation is reported to admins alone, and a room of the same name made later shows nothing',
  async (t) => {
    const { connect, alice, bob, carol } = await people(t, ['alice', 'bob', 'carol'])
    const root = await connect('root', { roles: ['admin'] })
    await alice.tell('bob', 'nasty')
    const direct = await bob.get('reports.create', { room: '@alice', seq: 1, reason: 'harassment' })
    t.equal(await alice.fails('reports.list', { room: '@bob' }), 'bad_request room')
    t.match(await root.get('reports.list', { room: 'dm:alice:bob' }), {
      reports: [{ id: direct.id, message: { text: 'nasty' } }],
    })
    await root.get('reports.resolve', { report: direct.id, action: 'dismiss' })
    await roomOf('den', alice, [[bob, 'member']])
    await bob.say('den', 'secret of old')
    const old = await alice.get('reports.create', { room: 'den', seq: 1, ...SPAM })
    await alice.get('rooms.delete', { room: 'den' })
    await carol.get('rooms.create', { room: 'den' })
    t.same((await carol.get('reports.list', { room: 'den' })).reports, [])
    t.equal(await carol.fails('reports.resolve', { report: old.id, action: 'dismiss' }), 'not_found report')
    t.equal(await root.fails('reports.resolve', { report: old.id, action: 'ban' }), 'bad_request action')
    t.match(await root.get('reports.list'), { reports: [{ id: old.id, message: { text: 'secret of old' } }] })
  },
)

t.test('reports outlive a restart; resolved ones go with their evidence when their time is over', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'], { moderation: { keepReports: '30d' } })
  await roomOf('den', alice, [[bob, 'member']])
  await bob.say('den', 'verbatim-evidence')
  const { id } = await alice.get('reports.create', { room: 'den', seq: 1, ...SPAM })
  await broker.restart()
  const later = await connect('alice', { clientId: 'later' })
  t.match(await later.get('reports.list', { room: 'den' }), {
    reports: [{ id, message: { text: 'verbatim-evidence' } }],
  })
  await later.get('reports.resolve', { report: id, action: 'delete' })
  const { maintenance, store } = broker.running
  const days = (n: number) => maintenance.sweep(Date.now() + n * 86_400_000)
  await days(29)
  t.match(await later.get('reports.list', { room: 'den', status: 'resolved' }), {
    reports: [{ id, status: 'resolved', message: { text: 'verbatim-evidence' } }],
  })
  await days(31)
  t.same((await later.get('reports.list', { room: 'den', status: 'resolved' })).reports, [])
  t.equal(await store.moderation.evidence(id), null)
})

t.test('a page of reports fits into a reply', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { limits: { replyBytes: 50_000 } })
  await roomOf('den', alice, [[bob, 'member']])
  const ids: string[] = []
  for (let seq = 1; seq <= 5; seq++) {
    await bob.say('den', 'x'.repeat(20_000))
    ids.push((await alice.get('reports.create', { room: 'den', seq, ...SPAM })).id)
  }
  const seen: string[] = []
  for (let more = true; more; ) {
    const page = await alice.get('reports.list', { room: 'den', after: seen.at(-1) ?? '' })
    seen.push(...page.reports.map(({ id }: { id: string }) => id))
    more = page.more
  }
  t.same(seen, ids)
})

t.test('a filter reports what it lets pass: the message, or the edit', async (t) => {
  const filters = [
    { match: 'words', patterns: ['darn'], action: 'mask' },
    { match: 'words', patterns: ['bitcoin'], action: 'report' },
  ]
  const { alice, bob } = await people(t, ['alice', 'bob'], { moderation: { filters } })
  await roomOf('den', alice, [[bob, 'member']])
  await alice.subscribe('users/alice/events')
  await bob.say('den', 'darn BITCOIN')
  await bob.say('den', 'fine')
  await bob.say('den', { type: 'edit', target: 2, text: 'bitcoin' })
  await alice.on('users/alice/events', 2)
  t.match(await alice.get('reports.list', { room: 'den' }), {
    reports: [
      { by: 'system', reason: 'automatic', text: 'BITCOIN', user: 'bob', seq: 1, message: { text: '**** BITCOIN' } },
      { by: 'system', reason: 'automatic', text: 'bitcoin', seq: 2, message: { type: 'edit', target: 2 } },
    ],
  })
})
