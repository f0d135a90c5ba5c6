/** What messages may not say, through every door and after a restart. */
import t from 'tap'
import { loadConfig } from '../../broker/config/config.js'
import { people } from '../helpers/rooms.js'

const MASKS = { match: 'words', patterns: ['darn', '笨蛋'], action: 'mask' }
const REFUSES = { match: 'regex', patterns: ['(?i)buy\\s+now'], action: 'refuse' }

t.test('words are masked and phrases refused, in rooms, conversations, edits and reactions', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { moderation: { filters: [MASKS, REFUSES] } })
  await alice.get('rooms.create', { room: 'den' })
  await bob.subscribe(['rooms/den/messages', 'rooms/den/text', 'users/bob/messages'])
  await alice.say('den', 'Darn, darning')
  await alice.publish('rooms/den/text', '你这笨蛋')
  await alice.say('den', { type: 'edit', target: 1, text: 'a darn edit' })
  await alice.tell('bob', { text: 'darn', data: { kept: true } })
  const texts = (await bob.on('rooms/den/messages', 3)).map(({ text }) => text)
  t.same(texts, ['****, darning', '你这**', 'a **** edit'])
  t.match(await bob.on('users/bob/messages', 1), [{ text: '****', data: { kept: true } }])
  const refusal = { error: { code: 'forbidden', field: 'text' } }
  t.match(await alice.refused('rooms/den/messages', 'Buy  NOW'), refusal)
  t.match(await alice.refused('users/bob/messages', { text: 'buy now' }), refusal)
  t.match(await alice.refused('rooms/den/messages', { type: 'edit', target: 1, text: 'buy now' }), refusal)
  const reaction = { type: 'reaction', target: 1, data: { emoji: ':darn:' } }
  t.match(await alice.refused('rooms/den/messages', reaction), refusal, 'a reaction cannot be masked')
  t.match(await alice.refused('rooms/den/messages', 'darn '.repeat(33)), refusal, 'too much to mask')
  const { messages } = await alice.get('history', { room: 'den', view: 'folded' })
  t.match(messages, [
    { seq: 1, text: 'a **** edit' },
    { seq: 2, text: '你这**' },
  ])
})

t.test('a filter of some rooms leaves the others alone', async (t) => {
  const { alice } = await people(t, ['alice'], { moderation: { filters: [{ ...MASKS, rooms: ['den'] }] } })
  for (const room of ['den', 'pub']) await alice.get('rooms.create', { room })
  await alice.subscribe('rooms/+/messages')
  await alice.say('den', 'darn')
  await alice.say('pub', 'darn')
  t.match(await alice.on('rooms/den/messages', 1), [{ text: '****' }])
  t.match(await alice.on('rooms/pub/messages', 1), [{ text: 'darn' }])
})

t.test('admins change the filters of a running broker; those of the configuration stay', async (t) => {
  const { broker, connect, alice } = await people(t, ['alice'], { moderation: { filters: [MASKS] } })
  const root = await connect('root', { roles: ['admin'] })
  await alice.get('rooms.create', { room: 'den' })
  t.match(await alice.send('rooms/den/messages', { cid: 'c1', text: 'buy now' }), { ok: true })
  t.match(await root.get('filters.set', { filters: [REFUSES] }), { filters: [REFUSES], configured: [MASKS] })
  t.match(await alice.refused('rooms/den/messages', 'buy now'), { error: { code: 'forbidden' } })
  t.match(await alice.send('rooms/den/messages', { cid: 'c1', text: 'buy now' }), { ok: true, result: { seq: 1 } })
  t.match(await alice.send('rooms/den/messages', { text: 'darn' }), { ok: true })
  t.equal(await alice.fails('filters.list'), 'forbidden')
  t.equal(
    await root.fails('filters.set', { filters: [{ ...REFUSES, patterns: [')'] }] }),
    'bad_request filters.0.patterns.0',
  )
  await broker.restart()
  const later = await connect('alice', { clientId: 'later' })
  t.match(await later.refused('rooms/den/messages', 'buy now'), { error: { code: 'forbidden' } })
  const again = await connect('root', { roles: ['admin'], clientId: 'again' })
  t.match(await again.get('filters.set', { filters: [] }), { filters: [], configured: [MASKS] })
  t.match(await later.send('rooms/den/messages', { text: 'buy now' }), { ok: true })
})

t.test('a pattern that is none stops the start, and is named', async (t) => {
  const load = (filters: unknown) => () =>
    loadConfig({ env: {}, set: [`moderation.filters=${JSON.stringify(filters)}`], cwd: t.testdir({}) })
  t.throws(load([MASKS, { ...REFUSES, patterns: ['ok', '('] }]), /moderation\.filters\[1\]\.patterns\[1\]: "\(": .+/)
  t.throws(load([{ ...MASKS, action: 'beep' }]), /moderation\.filters\[0\]\.action: expected one of refuse, mask/)
  t.throws(load([{ ...MASKS, patterns: ['x'.repeat(257)] }]), /patterns\[0\]: expected text of 1 to 256 characters/)
  t.throws(load([{ ...MASKS, patterns: Array(1001).fill('x') }]), /patterns: has 1001 patterns, at most 1000/)
})
