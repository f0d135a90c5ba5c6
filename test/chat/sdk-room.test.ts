/** What is done in a room with the SDK, with a real broker. */
import t from 'tap'
import { httpCalls, type Live, methods } from '../../client/index.js'
import { startTestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { chatAt, proxyOf, textsOf, when } from '../helpers/outbox-app.js'
import { answered, until } from '../helpers/patience.js'

/** Resolves when it holds. */
const becomes = <T>(what: string, live: Live<T>, holds: (value: T) => boolean) => answered(what, when(live, holds))

t.test('messages are sent, answered, edited, reacted to, pinned, forwarded and removed', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  const chat = chatAt(t, broker, proxy.port, 'alice')
  const token = await broker.token('bob')
  const bob = methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  await chat.connect()
  await chat.ask.rooms.create({ room: 'tea', access: 'public' })
  await bob.rooms.join({ room: 'tea' })
  const tea = chat.room('tea')
  const { seq } = await tea.send('Hello').sent
  const answer = await tea.reply(seq, { text: 'Hello to myself', thread: seq }).sent
  await tea.edit(seq, 'Hello!').sent
  await tea.edit(answer.seq, { text: 'Hi', mentions: ['@alice'] }).sent
  await tea.react(seq, '👍').sent
  await tea.react(seq, '🎉').sent
  await tea.react(seq, '👍', false).sent
  await tea.pin(seq).sent
  await tea.pin(answer.seq).sent
  await tea.pin(answer.seq, false).sent
  await tea.forward(seq, '@bob').sent
  const folded = () => bob.history({ room: 'tea', view: 'folded' })
  const { messages } = await folded()
  t.match(messages, [
    {
      text: 'Hello!',
      edits: 1,
      pinned: { by: 'alice' },
      reactions: [{ emoji: '🎉', count: 1 }],
      replies: { count: 1 },
    },
    { text: 'Hi', replyTo: seq, thread: seq, mentions: ['@alice'] },
  ])
  t.notMatch(messages[1], { pinned: {} })
  t.same(messages[0] && 'reactions' in messages[0] && messages[0].reactions?.length, 1)
  t.match((await bob.history({ room: '@alice' })).messages, [{ forwarded: { from: 'alice', seq } }])
  await tea.remove(answer.seq).sent
  t.match((await folded()).messages[1], { seq: answer.seq, gone: 'deleted' })
})

t.test('what waits is edited and removed by its cid', async (t) => {
  const broker = await startTestBroker(t)
  const proxy = await proxyOf(t, broker)
  const chat = chatAt(t, broker, proxy.port, 'alice')
  const tea = chat.room('tea')
  const first = tea.send('frist')
  const second = tea.send('second')
  t.equal(tea.edit(first.cid, 'first'), first)
  tea.remove(second.cid)
  t.same(
    chat.outbox.current.map(({ input }) => input.text),
    ['first'],
  )
  await chat.connect()
  await chat.ask.rooms.create({ room: 'tea' })
  first.retry()
  await first.sent
  t.same(await textsOf(chat, 'tea'), ['first'])
})

t.test('rooms are joined, set up, marked as unread and left', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  const token = await broker.token('bob')
  const bob = methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  await bob.rooms.create({ room: 'tea', access: 'public' })
  await bob.rooms.create({ room: 'den', access: 'private' })
  const { link } = await bob.rooms.links.create({ room: 'den' })
  const chat = chatAt(t, broker, proxy.port, 'alice')
  await chat.connect()
  t.match(await chat.room('tea').join(), { room: 'tea' })
  await t.rejects(chat.room('den').join(), { code: 'not_found' })
  await chat.room('den').join(link)
  await becomes('both rooms', chat.rooms, (rooms) => rooms.length === 2)
  const tea = chat.room('tea')
  t.match(await tea.settings({ pinned: true }), { pinned: true })
  await becomes('tea is pinned', chat.rooms, (rooms) => rooms.some(({ room, mine }) => room === 'tea' && mine.pinned))
  for (const text of ['one', 'two', 'three']) await bob.send({ room: 'tea', text })
  await becomes('3 are unread', chat.unread, ({ messages }) => messages === 3)
  tea.read()
  await becomes('none is unread', chat.unread, ({ messages }) => messages === 0)
  await tea.markUnread(2)
  await becomes('2 are unread', chat.unread, ({ messages }) => messages === 2)
  await bob.send({ room: 'tea', text: 'a reply', thread: 1 })
  const { seq } = await bob.send({ room: 'tea', text: 'another', thread: 1 })
  await chat.ask.threads.follow({ room: 'tea', thread: 1 })
  const followed = async () => (await chat.ask.threads.followed()).threads[0]
  t.match(await followed(), { unread: 2 })
  tea.read(seq - 1, { thread: 1 })
  await until('one is read', async () => (await followed())?.unread === 1)
  tea.read(undefined, { thread: 1 })
  await until('all are read', async () => (await followed())?.unread === 0)
  t.equal(chat.unread.current.messages, 2, 'of the room that says nothing')
  await tea.leave()
  await becomes('it is left', tea.info, (info) => info === null)
})
