/** The conversation of a user with itself. */
import t from 'tap'
import { erased } from '../helpers/erased.js'
import { people } from '../helpers/rooms.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

/** The token without its overlap: as if all that a test has done before were long ago. */
function withoutOverlap(since: string): string {
  const parts = since.split('.')
  const HOUR = 3_600_000
  parts[2] = (Number.parseInt(parts[2]!, 36) + HOUR).toString(36)
  return parts.join('.')
}

t.test('notes to oneself', async (t) => {
  const { broker, alice, bob, connect } = await people(t, ['alice', 'bob'])
  const phone = await connect('alice', { clientId: 'phone' })
  await phone.subscribe(['users/alice/messages', 'rooms/+/receipts'])
  t.match(await alice.send('users/alice/messages', { text: 'milk' }), {
    ok: true,
    result: { room: 'dm:alice:alice', seq: 1 },
  })
  t.match(await alice.get('send', { room: '@alice', text: 'tea' }), { seq: 2 })
  const heard = (await phone.on('users/alice/messages', 2)).map(({ text, from, to }: Json) => [text, from, to])
  t.same(
    heard,
    [
      ['milk', 'alice', 'alice'],
      ['tea', 'alice', 'alice'],
    ],
    'once each',
  )
  await alice.get('privacy.update', { messages: 'nobody' })
  await alice.tell('alice', { type: 'edit', target: 1, text: 'oat milk' })
  t.match((await alice.get('history', { room: '@alice', view: 'folded' })).messages, [
    { text: 'oat milk' },
    { text: 'tea' },
  ])
  t.match(await alice.get('rooms.get', { room: '@alice' }), { direct: true, members: 1, peer: { user: 'alice' } })
  t.match((await alice.get('rooms.list', { scope: 'direct' })).rooms, [{ room: 'dm:alice:alice' }])
  t.match((await alice.get('unread', { room: '@alice' })).rooms, [{ unread: 0 }])
  t.equal(await bob.fails('history', { room: 'dm:alice:alice' }), 'not_found room')
  t.match(await bob.refused('rooms/dm:alice:alice/receipts', { read: 1 }), { ok: false })
  t.same(await bob.subscribe('rooms/dm:alice:alice/receipts'), [128])
  const { since } = await alice.get('sync')
  await alice.tell('alice', 'bread')
  t.match((await phone.get('sync', { since: withoutOverlap(since) })).rooms, [
    { room: 'dm:alice:alice', messages: [{ text: 'bread' }] },
  ])
  await alice.get('account.delete', { user: 'alice' })
  await erased(broker, 'alice')
  const { directory, log } = broker.running.store
  t.same(
    [directory.room('dm:alice:alice'), (await log.open('m:dm:alice:alice')).head],
    [undefined, 0],
    'gone with the account',
  )
})
