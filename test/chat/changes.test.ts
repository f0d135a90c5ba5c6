/** What people do to messages, where the clock or another spelling has a say: reactions, pins; and that a retry is no message. */

import t from 'tap'
import { commit } from '../../broker/store/commit.js'
import { effectOp } from '../../broker/store/op.js'
import { movableClock } from '../helpers/clock.js'
import type { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

const TEA = 'rooms/tea/messages'

const react = (emoji: string, remove = false) => ({ type: 'reaction', target: 1, data: { emoji, remove } })

async function reactionsAt(person: Person): Promise<unknown> {
  const { messages } = await person.get('history', { room: 'tea', view: 'folded', limit: 1000 })
  return messages[0].reactions
}

/** An error code; ok where there is none. */
async function outcome(person: Person, message: object): Promise<string> {
  const reply = await person.send(TEA, message)
  return reply.ok ? 'ok' : reply.error.code
}

async function tea(owner: Person, ...members: Person[]): Promise<void> {
  await owner.get('rooms.create', { room: 'tea' })
  for (const member of members) await member.get('rooms.join', { room: 'tea' })
}

t.test('a reaction can be seen', async (t) => {
  const { alice } = await people(t, ['alice'])
  await tea(alice)
  await alice.say('tea', 'hi')
  const seen = ['👍', '👍🏽', '❤️', '👨‍👩‍👧‍👦', '🏳️‍🌈', '🇩🇪', '1️⃣', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', ':party:', '👩🏿‍❤️‍💋‍👨🏻', 'می‌خواهم', ':हिन्दी:']
  for (const emoji of seen) t.equal(await outcome(alice, react(emoji)), 'ok', emoji)
  const unseen = ['\u200b', '\u200d', '\u2060', '\u202e', '\u00ad', '\u3164', '\u2800', '\u{e0041}\u{e0042}']
  const alone = ['\ufe0f', '\u0301', ...unseen]
  for (const emoji of [...alone, ...unseen.map((one) => `👍${one}`)])
    t.equal(await outcome(alice, react(emoji)), 'bad_request', JSON.stringify(emoji))
})

t.test('one emoji is one reaction, however it is spelled', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'])
  await tea(alice, bob)
  await alice.say('tea', 'hi')
  for (const [person, emoji] of [
    [alice, '\u2764\ufe0f'],
    [bob, '\u2764'],
    [bob, '\u2764\ufe0f'],
    [alice, '👍'],
    [bob, '👍\ufe0f'],
    [alice, '1\u20e3'],
    [bob, '1\ufe0f\u20e3'],
    [alice, ':cafe\u0301:'],
    [bob, ':caf\u00e9:'],
  ] as const)
    t.equal(await outcome(person, react(emoji)), 'ok')
  t.same(
    await reactionsAt(bob),
    ['\u2764\ufe0f', '👍', '1\ufe0f\u20e3', ':caf\u00e9:'].map((emoji) => ({ emoji, count: 2, me: true })),
  )
  t.equal(await outcome(bob, react('\u2764', true)), 'ok')
  t.match(await reactionsAt(bob), [{ emoji: '\u2764\ufe0f', count: 1, me: false }])
})

t.test('reactions of before are counted together, and can be taken back', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'])
  await tea(alice, bob)
  await alice.say('tea', 'hi')
  const { store } = broker.running
  const old = [
    ['bob/\u2764', 5],
    ['bob/\u2764\ufe0f', 6],
    ['bob/\u200b', 7],
  ] as const
  const notes = old.map(
    ([name, seq]) => ({ kind: 'reaction', target: 1, name, value: JSON.stringify({ on: true, seq }) }) as const,
  )
  const reactions = [
    ['\u2764', 1],
    ['\u2764\ufe0f', 1],
    ['\u200b', 1],
  ]
  const state = { kind: 'state', target: 1, name: '', value: JSON.stringify({ reactions }) } as const
  await commit(store, { ops: [effectOp('m:tea', { notes: [...notes, state] })] })
  t.match(await reactionsAt(bob), [
    { emoji: '\u2764\ufe0f', count: 2, me: true },
    { emoji: '\u200b', count: 1 },
  ])
  t.equal(await outcome(alice, react('\u2764')), 'ok')
  t.equal(await outcome(bob, react('\u2764', true)), 'ok')
  t.equal(await outcome(bob, react('\u200b', true)), 'ok')
  t.same(await reactionsAt(bob), [{ emoji: '\u2764\ufe0f', count: 1, me: false }])
})

t.test('what has expired is pinned no more: it does not count, is not listed, and can be unpinned', async (t) => {
  const clock = movableClock(t)
  const { alice } = await people(t, ['alice'], { listen: { connectTimeout: '1d' }, limits: { rates: 'off' } })
  await tea(alice)
  for (let i = 0; i < 100; i++) await alice.say('tea', { text: `${i}`, ttl: 60 })
  await Promise.all(Array.from({ length: 100 }, (_, i) => alice.send(TEA, { type: 'pin', target: i + 1 })))
  await alice.say('tea', 'kept')
  const pin = (target: number, type = 'pin') => outcome(alice, { type, target })
  const pinned = async () => (await alice.get('history', { room: 'tea', pinned: true, limit: 1000 })).messages.length
  const kept = 201
  t.equal(await pin(kept), 'conflict')
  t.equal(await pinned(), 100)
  clock.forward(61)
  t.equal(await pinned(), 0)
  t.equal(await pin(1, 'unpin'), 'ok')
  t.equal(await pin(1, 'unpin'), 'not_found')
  t.equal(await pin(kept), 'ok')
  t.equal(await pinned(), 1)
  t.equal(await pin(kept, 'unpin'), 'ok')
})

t.test('a retry takes no turn in slow mode', async (t) => {
  const clock = movableClock(t)
  const { alice, bob } = await people(t, ['alice', 'bob'], { listen: { connectTimeout: '1d' } })
  await tea(alice, bob)
  await alice.get('rooms.update', { room: 'tea', slowMode: 60 })
  const first = await bob.send(TEA, { cid: 'c1', text: 'one' })
  clock.forward(61)
  t.same(await bob.send(TEA, { cid: 'c1', text: 'one' }), first)
  t.match(await bob.send(TEA, { cid: 'c2', text: 'two' }), { ok: true }, 'the next message is not too early')
  t.match(await bob.send(TEA, { cid: 'c3', text: 'three' }), { error: { code: 'rate_limited' } })
})

t.test('a retry takes nothing of what may be said in a room', async (t) => {
  movableClock(t)
  const { broker, alice } = await people(t, ['alice'], { limits: { rates: { room: 0.2 } } })
  await tea(alice)
  const first = await alice.send(TEA, { cid: 'c1', text: 'one' })
  // Two may come at once.
  for (let i = 0; i < 5; i++) t.same(await alice.send(TEA, { cid: 'c1', text: 'one' }), first)
  t.equal(broker.running.counters.all()['rests'] ?? 0, 0)
  await alice.send(TEA, { cid: 'c2', text: 'two' })
})
