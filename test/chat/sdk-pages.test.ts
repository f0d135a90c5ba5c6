/** Lists of the broker, page by page. */
import t from 'tap'
import { httpCalls, methods, pagesOf } from '../../client/index.js'
import { startTestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { chatAt, proxyOf } from '../helpers/outbox-app.js'

t.test('what was found, mentions and saved messages come page by page, each once', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  const token = await broker.token('bob')
  const bob = methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  await bob.rooms.create({ room: 'tea' })
  const chat = chatAt(t, broker, proxy.port, 'ann')
  await chat.connect()
  await chat.room('tea').join()
  for (let i = 1; i <= 5; i++) await bob.send({ room: 'tea', text: `kettle ${i}`, mentions: ['@ann'] })
  for (let seq = 1; seq <= 5; seq++) await chat.ask.saved.add({ room: 'tea', seq })
  const mentions = pagesOf(chat.ask.mentions.list, { limit: 2 }, 'mentions')
  t.same([mentions.items.current, mentions.more.current], [[], true], 'nothing is asked for yet')
  await Promise.all([mentions.next(), mentions.next()])
  t.same(
    mentions.items.current.map(({ message }) => message.seq),
    [5, 4, 3, 2],
    'one after the other',
  )
  proxy.refuse()
  await t.rejects(mentions.next({ timeout: 50 }), { name: 'ChatError' })
  proxy.heal()
  chat.retryNow()
  while (mentions.more.current) await mentions.next()
  t.same(
    mentions.items.current.map(({ message }) => message.seq),
    [5, 4, 3, 2, 1],
    'what could not be asked for is asked for again',
  )
  await mentions.next()
  t.equal(mentions.items.current.length, 5, 'after the last page nothing is asked for')
  const saved = pagesOf(chat.ask.saved.list, { limit: 3 }, 'saved')
  while (saved.more.current) await saved.next()
  t.same(saved.items.current.map(({ seq }) => seq).sort(), [1, 2, 3, 4, 5])
  const found = pagesOf(chat.ask.search, { query: 'kettle', limit: 2 }, 'results')
  while (found.more.current) await found.next()
  t.same(found.items.current.map(({ message }) => message.seq).sort(), [1, 2, 3, 4, 5])
})
